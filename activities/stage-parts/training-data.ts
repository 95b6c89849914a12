import type { ArrowTable } from '../../artifacts/arrow/table.ts';
import type { TrainingContext } from '../../artifacts/arrow/training-context.ts';
import { DamagedArtifactError, InputError } from '../../artifacts/errors.ts';
import type { ArtifactRef } from '../../artifacts/reference.ts';
import type { Store } from '../../artifacts/store/store.ts';
import type { Model } from '../../science/models/index.ts';
import { statisticsNote } from '../../science/models/statistics.ts';
import { checkNotEmpty } from './checks.ts';

/** The digests of the data that a state was trained on, from the metadata `epochal.data`. */
export interface DataDigests {
  readonly train: string;
  readonly test: string | null;
}

/** A `dataset` artifact in memory: images row by row (height, width, channels), one label each. */
export interface LabelledExamples {
  readonly images: Uint8Array;
  readonly labels: Int32Array;
  readonly shape: readonly [number, number, number];
  readonly classes: number;
  readonly examples: number;
}

/** Reads a `dataset` artifact. Throws `InputError` if it is empty. */
export async function readExamples(store: Store, ref: ArtifactRef): Promise<LabelledExamples> {
  const table = await store.open(ref);
  checkNotEmpty(table.rows);
  const shape = JSON.parse(table.metadata['epochal.shape']!) as [number, number, number];
  const size = shape[0] * shape[1] * shape[2];
  const images = new Uint8Array(table.rows * size);
  for (const batch of table.byteVectors('image')) images.set(batch.values, batch.firstRow * size);
  return {
    images,
    labels: Int32Array.from(table.numbers('label')),
    shape,
    classes: Number(table.metadata['epochal.classes']),
    examples: table.rows,
  };
}

/** Reads the dataset with this digest, which a state names. Throws {@link DamagedArtifactError} if the store does not hold it. */
export async function findExamples(store: Store, sha256: string): Promise<LabelledExamples> {
  const ref = await store.find(sha256, 'dataset');
  if (ref === undefined) {
    throw new DamagedArtifactError(
      `The dataset ${sha256.slice(0, 12)}, on which the state was trained, is gone from the store ${store.uri}.`,
    );
  }
  return readExamples(store, ref);
}

/** How the weights in this artifact were trained. Throws `InputError` for an artifact without that metadata. */
export function trainingOf(table: ArrowTable): { training: TrainingContext; data: DataDigests } {
  const training = table.metadata['epochal.training'];
  const data = table.metadata['epochal.data'];
  if (training === undefined || data === undefined) {
    throw new InputError(
      `This ${table.kind} artifact does not say how it was trained (epochal.training and epochal.data are missing).`,
      'Use an artifact that a train or record stage wrote.',
    );
  }
  return { training: JSON.parse(training) as TrainingContext, data: JSON.parse(data) as DataDigests };
}

/** How a network with batch normalization was evaluated, in words; nothing for others. */
export function evaluationMetadata({ normalizations }: Model): Record<string, string> {
  return normalizations.length === 0 ? {} : { 'epochal.statistics': statisticsNote };
}

/** The metadata that hands the training on to the next artifact. */
export function trainingMetadata(training: TrainingContext, data: DataDigests): Record<string, string> {
  return { 'epochal.training': JSON.stringify(training), 'epochal.data': JSON.stringify(data) };
}
