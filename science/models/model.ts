import type { Tensor, Tensor4D } from '@tensorflow/tfjs-node';
import type { TensorFlow } from '../../compute/tensorflow.ts';

/** A network, its activation and its initial weights, complete with defaults. */
export interface ModelSpec {
  readonly name: 'mlp' | 'lenet';
  readonly hidden: readonly number[];
  readonly filters?: readonly number[];
  readonly activation: 'relu' | 'tanh';
  readonly initialization: 'glorot-normal' | 'he-normal';
}

/** Where one tensor lies in the flat weight vector. */
export interface ParameterTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
  /** True for kernels, which carry the L2 term; false for biases. */
  readonly kernel: boolean;
}

/** height, width, channels */
export type ImageShape = readonly [number, number, number];

export interface Model {
  readonly spec: ModelSpec;
  readonly imageShape: ImageShape;
  readonly classes: number;
  readonly layout: readonly ParameterTensor[];
  /** P, the number of weights. */
  readonly size: number;
  /** Initial weights, P, from the seed. */
  initialize(seed: number): Float32Array;
  /** Logits, examples x classes, of standardized images, examples x height x width x channels. `parameters` are in the order of `layout`. */
  logits(tf: TensorFlow, parameters: readonly Tensor[], images: Tensor4D): Tensor;
}
