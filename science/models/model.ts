import type { Tensor, Tensor4D } from '@tensorflow/tfjs-node';
import type { TensorFlow } from '../../compute/tensorflow.ts';
import type { Moments } from './moments.ts';

export const activations = ['relu', 'tanh', 'gelu'] as const;
export type Activation = (typeof activations)[number];

/** Distribution of the initial kernels. */
export type Initialization = 'glorot-normal' | 'he-normal';

/** A network as a pipeline gives it: its kind, its initial weights, and the options of the kind, which have defaults where they are left out. */
export interface ModelSpec {
  readonly name: string;
  readonly initialization: Initialization;
  readonly [option: string]: unknown;
}

/** Where one tensor lies in the flat weight vector. */
export interface ParameterTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
  /** True for kernels, which carry the L2 term; false for biases, the scales of norms and embeddings. */
  readonly kernel: boolean;
}

/** height, width, channels */
export type ImageShape = readonly [number, number, number];

/** A network as the mathematics takes it: the function, and how its weights lie in one vector. */
export interface Network {
  readonly layout: readonly ParameterTensor[];
  /** P, the number of weights. */
  readonly size: number;
  /** Channels of each batch normalization, in order; empty for a network without. */
  readonly normalizations: readonly number[];
  /**
   * Logits, examples x classes, of standardized images, examples x height x width x channels. `parameters` are in the order of `layout`;
   * `moments` says where batch normalization takes its means and variances from, by default the batch itself.
   */
  logits(tf: TensorFlow, parameters: readonly Tensor[], images: Tensor4D, moments?: Moments): Tensor;
}

/** A network that a pipeline can name. */
export interface Model extends Network {
  /** With its defaults filled in. */
  readonly spec: ModelSpec;
  readonly imageShape: ImageShape;
  readonly classes: number;
  /** Multiplications with an addition that the products of kernels take in one pass over one example; elementwise operations are not counted. */
  readonly multiplyAdds: number;
  /** Initial weights, P, from the seed. */
  initialize(seed: number): Float32Array;
}

/** The network with these moments in its batch normalizations, whatever the batch. */
export function withMoments<Kind extends Network>(model: Kind, moments: Moments): Kind {
  return {
    ...model,
    logits: (tf, parameters, images) => model.logits(tf, parameters, images, moments),
  };
}

/** Thrown when a network cannot be built as described. It could be because its layers do not fit together, or the images. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  readonly cure: string;
  constructor(message: string, cure: string) {
    super(message);
    this.cure = cure;
  }
}
