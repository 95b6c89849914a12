import { withDefaults } from '../options.ts';
import { modelKinds } from './kinds/index.ts';
import { modelOf } from './layers.ts';
import { type ImageShape, type Model, ModelError, type ModelSpec, type Network } from './model.ts';
import { type KnownModel, ownModel } from './own.ts';
import { Parameters } from './parameters.ts';

export { type ImageShape, type Model, ModelError, type ModelSpec, type ParameterTensor } from './model.ts';

/**
 * The network that `spec` describes, for images of this shape. Equal specs give the same layout of the flat weight vector. Throws
 * {@link ModelError} if there is no such kind of network, or its layers do not fit together, or the images.
 */
export function createModel(spec: ModelSpec, imageShape: ImageShape, classes: number): Model {
  const { name, initialization } = spec;
  const own = ownModel(name);
  const kind = own ?? modelKinds.find((known) => known.name === name);
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
  if (own !== undefined) return createOwn(own, spec, imageShape, classes);
  const options = withDefaults(kind.options, spec);
  const network = kind.build(options, { imageShape, classes }, parameters);
  const model = modelOf({ name, ...options, initialization }, imageShape, classes, parameters, network);
  described.set(model, { spec: model.spec, imageShape, classes });
  return model;
}

/** All that decides a network which comes with the program, as JSON: {@link createModel} makes an equal one of it. */
export interface ModelDescription {
  readonly spec: ModelSpec;
  readonly imageShape: ImageShape;
  readonly classes: number;
}

const described = new WeakMap<Network, ModelDescription>();

/** The description of a network; undefined for one of one's own, whose function no JSON tells, and for one that was made of another. */
export function descriptionOf(model: Network): ModelDescription | undefined {
  return described.get(model);
}

/** A network of one's own, whose options stand in the schema beside its module and are filled in where pipelines are compiled. */
function createOwn(own: KnownModel, spec: ModelSpec, imageShape: ImageShape, classes: number): Model {
  const { name, initialization, module = own.module, ...options } = spec;
  if (module !== own.module) {
    throw new ModelError(
      `${name} has changed since this was trained.`,
      'Run the pipeline again, so that it is trained anew.',
    );
  }
  const parameters = new Parameters();
  const network = own.build(options, { imageShape, classes }, parameters);
  const complete = { name, ...options, initialization, module };
  return modelOf(complete, imageShape, classes, parameters, network);
}
