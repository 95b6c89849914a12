import type { Tensor, Tensor1D } from '@tensorflow/tfjs-node';
import type { TensorFlow } from '../../compute/tensorflow.ts';

/** Mean and variance of each channel. */
export interface ChannelMoments {
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/** Where the batch normalization number `layer` of a network takes the moments of its input, examples x height x width x channels, from. */
export type Moments = (tf: TensorFlow, x: Tensor, layer: number) => ChannelMoments;

/** Moments of the batch itself, over examples, height and width; the variance is the biased one (Ioffe and Szegedy 2015). */
export const momentsOfBatch: Moments = (tf, x) => {
  const axes = x.shape.map((_, axis) => axis).slice(0, -1);
  const mean = tf.mean(x, axes);
  return { mean, variance: tf.mean(tf.square(tf.sub(x, mean)), axes) };
};

/** Given moments: for each batch normalization its means, then its variances, one after the other. */
export function fixedMoments(statistics: Tensor1D, normalizations: readonly number[]): Moments {
  return (_tf, _x, layer) => {
    const channels = normalizations[layer]!;
    const before = normalizations.slice(0, layer).reduce((sum, width) => sum + width, 0);
    return {
      mean: statistics.slice([2 * before], [channels]),
      variance: statistics.slice([2 * before + channels], [channels]),
    };
  };
}
