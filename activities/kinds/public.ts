/**
 * What modules of one's own are made with, as `epochal/kinds`: layers for networks, seeded random numbers, the types of what they export. A module exports
 * `stage`, `model`, `dataset` or `figure`; docs/own-kinds.md has one of each.
 */
import type { ArtifactRef } from '../../artifacts/reference.ts';
import type { StageContext } from './stage.ts';

export type { ArrowTable } from '../../artifacts/arrow/table.ts';
export { InputError } from '../../artifacts/errors.ts';
export { type LabelledImages, numberedClasses } from '../../datasets/labelled-images.ts';
export type { OwnDataset } from '../../datasets/own.ts';
export { selfAttention } from '../../science/models/attention.ts';
export {
  activation,
  convolution,
  dense,
  denseStack,
  flatten,
  globalAverage,
  type Layer,
  pool,
  residual,
  sequence,
} from '../../science/models/layers.ts';
export { type ImageShape, ModelError } from '../../science/models/model.ts';
export { batchNormalization, layerNormalization } from '../../science/models/normalization.ts';
export type { OwnModel } from '../../science/models/own.ts';
export { RandomStream } from '../../science/random.ts';
export type { ArtifactRef, StageContext };

/** What a stage kind of one's own exports as `stage`. */
export interface OwnStage<With = Readonly<Record<string, unknown>>> {
  /** Computes its outputs, by the names in its schema. */
  run(context: StageContext<With>): Promise<Readonly<Record<string, ArtifactRef>>>;
}
