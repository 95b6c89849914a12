import { createCustom } from './custom.ts';
import { createLenet } from './lenet.ts';
import { createLinear } from './linear.ts';
import { createMlp } from './mlp.ts';
import type { ImageShape, Model, ModelBuilder, ModelSpec } from './model.ts';
import { createResnet20 } from './resnet20.ts';
import { createTransformer } from './transformer.ts';

export { type ImageShape, type Model, ModelError, type ModelSpec, type ParameterTensor } from './model.ts';

const builders: Readonly<Record<ModelSpec['name'], ModelBuilder>> = {
  linear: createLinear,
  mlp: createMlp,
  lenet: createLenet,
  resnet20: createResnet20,
  transformer: createTransformer,
  custom: createCustom,
};

/**
 * The network that `spec` describes, for images of this shape. Equal specs give the same layout of the flat weight vector. Throws
 * {@link ModelError} if its layers do not fit together, or the images.
 */
export function createModel(spec: ModelSpec, imageShape: ImageShape, classes: number): Model {
  return builders[spec.name](spec, imageShape, classes);
}
