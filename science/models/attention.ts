import type { Tensor, Tensor2D } from '@tensorflow/tfjs-node';
import { detachedRowMax } from '../../compute/kernels/detached-max.ts';
import type { TensorFlow } from '../../compute/tensorflow.ts';
import { dense, type Layer } from './layers.ts';
import type { Parameters } from './parameters.ts';

/**
 * Multi-head self-attention (Vaswani et al. 2017): softmax(q k^T / sqrt(width / heads)) v for each head, then a dense layer over the heads side by
 * side. The input has the `tokens` rows of each example one below the other, (examples * tokens) x width.
 */
export function selfAttention(
  parameters: Parameters,
  name: string,
  { tokens, width, heads }: { readonly tokens: number; readonly width: number; readonly heads: number },
): Layer {
  const [query, key, value, mix] = ['query', 'key', 'value', 'mix'].map((part) =>
    dense(parameters, `${name}/${part}`, width, width, tokens),
  ) as [Layer, Layer, Layer, Layer];
  // Scores of all pairs of tokens, and the values weighted by them.
  parameters.work(2 * tokens * tokens * width);
  return (x, pass) => {
    const { tf } = pass;
    /** examples x heads x tokens x (width / heads) */
    const byHead = (y: Tensor) => tf.transpose(y.reshape([-1, tokens, heads, width / heads]), [0, 2, 1, 3]);
    const [q, k, v] = [query, key, value].map((layer) => byHead(layer(x, pass))) as [Tensor, Tensor, Tensor];
    const scores = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(width / heads));
    const heard = tf.matMul(softmax(tf, scores), v);
    return mix(tf.transpose(heard, [0, 2, 1, 3]).reshape([-1, width]), pass);
  };
}

/** Softmax along the last axis, of operations whose second derivatives are right. The largest value is subtracted as a constant. */
function softmax(tf: TensorFlow, scores: Tensor): Tensor {
  const rows = scores.reshape([-1, scores.shape.at(-1)!]) as Tensor2D;
  const weights = tf.exp(tf.sub(rows, detachedRowMax(tf, rows)));
  return tf.div(weights, tf.sum(weights, 1, true)).reshape(scores.shape);
}
