import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-node';
import { detachedRowMax } from '../compute/detached-max.ts';
import type { TensorFlow } from '../compute/tensorflow.ts';
import { count } from './models/layout.ts';
import type { Model } from './models/model.ts';

/** Cuts the flat weight vector into the tensors of the model's layout. Differentiable. */
export function unflatten(weights: Tensor1D, model: Model): Tensor[] {
  return model.layout.map(({ shape, offset }) => weights.slice([offset], [count(shape)]).reshape([...shape]));
}

/**
 * Mean cross-entropy of logits (examples x classes) and integer labels: the mean of log sum_c exp(z_c) - z_label. Built from operations whose
 * second derivatives are right; TensorFlow.js' own softmaxCrossEntropy can be differentiated only once. The largest logit is subtracted first,
 * as a constant: the value does not depend on it, so neither do its derivatives.
 */
export function crossEntropy(tf: TensorFlow, logits: Tensor2D, labels: Tensor1D): Tensor {
  const shifted = tf.sub(logits, detachedRowMax(tf, logits));
  const logSum = tf.log(tf.sum(tf.exp(shifted), 1));
  const chosen = tf.sum(tf.mul(shifted, tf.oneHot(labels, logits.shape[1]).toFloat()), 1);
  // A graph would turn a division by a constant into this product, which may differ in the last bit.
  return tf.mul(tf.sum(tf.sub(logSum, chosen)), 1 / logits.shape[0]);
}

/** Mean cross-entropy over a batch, as a function of the flat weights. */
export function batchLoss(
  tf: TensorFlow,
  model: Model,
  weights: Tensor1D,
  images: Tensor4D,
  labels: Tensor1D,
): Tensor {
  return crossEntropy(tf, model.logits(tf, unflatten(weights, model), images) as Tensor2D, labels);
}

/** 1 for each weight that carries the L2 term (kernels), 0 for biases; length P. */
export function kernelMask(model: Model): Float32Array {
  const mask = new Float32Array(model.size);
  for (const { shape, offset, kernel } of model.layout)
    if (kernel) mask.fill(1, offset, offset + count(shape));
  return mask;
}

/** l2 * (sum of squared kernel weights), in double precision. */
export function l2Loss(weights: Float32Array, mask: Float32Array, l2: number): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) if (mask[i] === 1) sum += weights[i]! * weights[i]!;
  return l2 * sum;
}
