import { createLenet } from './lenet.ts';
import { createMlp } from './mlp.ts';
import type { ImageShape, Model, ModelSpec } from './model.ts';

export type { ImageShape, Model, ModelSpec, ParameterTensor } from './model.ts';

/** A model with what the pipeline may leave out. */
export interface PartialModelSpec {
  readonly name: ModelSpec['name'];
  readonly hidden?: readonly number[];
  readonly filters?: readonly number[];
  readonly activation: ModelSpec['activation'];
  readonly initialization: ModelSpec['initialization'];
}

/** The network that `spec` describes, for images of this shape. Equal specs give the same layout of the flat weight vector. */
export function createModel(spec: PartialModelSpec, imageShape: ImageShape, classes: number): Model {
  if (spec.name === 'mlp') {
    const { name, activation, initialization } = spec;
    return createMlp({ name, hidden: spec.hidden ?? [64], activation, initialization }, imageShape, classes);
  }
  const complete = { ...spec, hidden: spec.hidden ?? [120, 84], filters: spec.filters ?? [6, 16] };
  return createLenet(complete, imageShape, classes);
}
