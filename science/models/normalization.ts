import type { Tensor } from '@tensorflow/tfjs-node';
import type { Layer } from './layers.ts';
import type { Parameters } from './parameters.ts';

/** Added to a variance before its root is taken. */
export const epsilon = 1e-5;

/**
 * Batch normalization (Ioffe and Szegedy 2015): scale * (x - mean) / sqrt(variance + 1e-5) + bias, for each channel. The moments are those of
 * the batch while training, and fixed numbers of the training set otherwise (statistics.ts).
 */
export function batchNormalization(parameters: Parameters, name: string, channels: number): Layer {
  const scale = parameters.add(`${name}/scale`, [channels], 'scale');
  const bias = parameters.add(`${name}/bias`, [channels], 'bias');
  const layer = parameters.normalizations.push(channels) - 1;
  return (x, { tf, parameters: own, moments }) => {
    const { mean, variance } = moments(tf, x, layer);
    const factor = tf.mul(own[scale]!, tf.rsqrt(tf.add(variance, epsilon)));
    return tf.add(tf.mul(tf.sub(x, mean), factor), own[bias]!);
  };
}

/** Layer normalization (Ba et al. 2016) along the last axis: scale * (x - mean) / sqrt(variance + 1e-5) + bias, the moments of each row. */
export function layerNormalization(parameters: Parameters, name: string, width: number): Layer {
  const scale = parameters.add(`${name}/scale`, [width], 'scale');
  const bias = parameters.add(`${name}/bias`, [width], 'bias');
  return (x, { tf, parameters: own }) => {
    const centred: Tensor = tf.sub(x, tf.mean(x, -1, true));
    const variance = tf.mean(tf.square(centred), -1, true);
    const normal = tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon)));
    return tf.add(tf.mul(normal, own[scale]!), own[bias]!);
  };
}
