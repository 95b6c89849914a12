import { type Option, type Options, oneOf, type ValuesOf } from '../options.ts';
import type { Layer } from './layers.ts';
import { type Activation, activations, type ImageShape, type ModelError } from './model.ts';
import type { Parameters } from './parameters.ts';

/** A kind of network, in one place: the language's schema, its errors and docs, and the types of the options follow from it. */
export interface ModelKind<Own extends Options = Options> {
  /** As in `model: { name }`, and the name of its file. */
  readonly name: string;
  /** What it is, as a clause. */
  readonly description: string;
  readonly options: Own;
  /**
   * Adds its parameters, in the order of the flat weight vector, and gives the layer that makes logits, examples x classes, of images, examples x
   * height x width x channels. Throws {@link ModelError} if its layers do not fit together, or the images.
   */
  build(
    options: ValuesOf<Own>,
    shape: { readonly imageShape: ImageShape; readonly classes: number },
    parameters: Parameters,
  ): Layer;
}

/** A kind of network, its options' types inferred. */
export function modelKind<const Own extends Options>(kind: ModelKind<Own>): ModelKind<Own> {
  return kind;
}

/** The option of the activation between a network's layers. */
export function activationOption<Default extends Activation>(fallback: Default): Option<Activation> {
  return oneOf<Activation>(activations, {
    default: fallback,
    description: 'What comes between its layers: gelu is the exact x Φ(x).',
  });
}
