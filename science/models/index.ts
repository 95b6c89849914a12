import { withDefaults } from '../options.ts';
import { modelKinds } from './kinds/index.ts';
import { modelOf } from './layers.ts';
import { type ImageShape, type Model, ModelError, type ModelSpec } from './model.ts';
import { Parameters } from './parameters.ts';

export { type ImageShape, type Model, ModelError, type ModelSpec, type ParameterTensor } from './model.ts';

/**
 * The network that `spec` describes, for images of this shape. Equal specs give the same layout of the flat weight vector. Throws
 * {@link ModelError} if there is no such kind of network, or its layers do not fit together, or the images.
 */
export function createModel(spec: ModelSpec, imageShape: ImageShape, classes: number): Model {
  const { name, initialization } = spec;
  const kind = modelKinds.find((known) => known.name === name);
  if (kind === undefined) {
    throw new ModelError(
      `There is no network named ${JSON.stringify(name)}.`,
      `There are ${modelKinds.map((known) => known.name).join(', ')}.`,
    );
  }
  const missing = Object.keys(kind.options).find(
    (option) => spec[option] === undefined && kind.options[option]!.default === undefined,
  );
  if (missing !== undefined)
    throw new ModelError(`A ${name} network has no \`${missing}\`.`, `Give its \`${missing}\`.`);
  const parameters = new Parameters();
  const options = withDefaults(kind.options, spec);
  const network = kind.build(options, { imageShape, classes }, parameters);
  return modelOf({ name, ...options, initialization }, imageShape, classes, parameters, network);
}
