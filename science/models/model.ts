import type { Tensor, Tensor4D } from '@tensorflow/tfjs-node';
import type { TensorFlow } from '../../compute/tensorflow.ts';
import type { Moments } from './moments.ts';

export const activations = ['relu', 'tanh', 'gelu'] as const;
export type Activation = (typeof activations)[number];

/** Distribution of the initial kernels. */
export type Initialization = 'glorot-normal' | 'he-normal';

/** One layer of a `custom` network. Convolutions and pools are of squares. */
export type LayerSpec =
  | {
      readonly kind: 'conv';
      readonly filters: number;
      readonly size: number;
      readonly stride?: number;
      readonly padding?: 'same' | 'valid';
      readonly activation?: Activation | 'none';
    }
  | {
      readonly kind: 'pool';
      readonly pooling?: 'max' | 'average';
      readonly size: number;
      readonly stride?: number;
      readonly padding?: 'same' | 'valid';
    }
  | { readonly kind: 'dense'; readonly units: number; readonly activation?: Activation | 'none' }
  | { readonly kind: 'flatten' }
  | { readonly kind: 'global-average' };

/** A network, its activation and its initial weights, as a pipeline gives them; each network has defaults for what may be left out. */
export interface ModelSpec {
  readonly name: 'linear' | 'mlp' | 'lenet' | 'resnet20' | 'transformer' | 'custom';
  readonly initialization: Initialization;
  readonly activation?: Activation;
  /** Widths of the hidden dense layers, of mlp and lenet. */
  readonly hidden?: readonly number[];
  /** Filters of lenet's two convolutions. */
  readonly filters?: readonly number[];
  /** Filters of resnet20's first stage, or the transformer's width. */
  readonly width?: number;
  /** Blocks in each stage of resnet20, or in the transformer. */
  readonly blocks?: number;
  /** Pixels along the side of a patch of the transformer. */
  readonly patch?: number;
  readonly heads?: number;
  /** Width of the hidden layer in each block of the transformer. */
  readonly feedForward?: number;
  readonly layers?: readonly LayerSpec[];
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

export interface Model {
  /** With its defaults filled in. */
  readonly spec: ModelSpec;
  readonly imageShape: ImageShape;
  readonly classes: number;
  readonly layout: readonly ParameterTensor[];
  /** P, the number of weights. */
  readonly size: number;
  /** Multiplications with an addition that the products of kernels take in one pass over one example; elementwise operations are not counted. */
  readonly multiplyAdds: number;
  /** Channels of each batch normalization, in order; empty for a network without. */
  readonly normalizations: readonly number[];
  /** Initial weights, P, from the seed. */
  initialize(seed: number): Float32Array;
  /**
   * Logits, examples x classes, of standardized images, examples x height x width x channels. `parameters` are in the order of `layout`;
   * `moments` says where batch normalization takes its means and variances from, by default the batch itself.
   */
  logits(tf: TensorFlow, parameters: readonly Tensor[], images: Tensor4D, moments?: Moments): Tensor;
}

/** The network with these moments in its batch normalizations, whatever the batch. */
export function withMoments(model: Model, moments: Moments): Model {
  return {
    ...model,
    logits: (tf, parameters, images) => model.logits(tf, parameters, images, moments),
  };
}

/** Builds the network that a spec describes. Throws {@link ModelError}. */
export type ModelBuilder = (spec: ModelSpec, imageShape: ImageShape, classes: number) => Model;

/** Thrown when a network cannot be built as described. It could be because its layers do not fit together, or the images. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  readonly cure: string;
  constructor(message: string, cure: string) {
    super(message);
    this.cure = cure;
  }
}
