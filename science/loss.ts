import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-node';
import { detachedRowMax } from '../compute/kernels/detached-max.ts';
import type { TensorFlow } from '../compute/tensorflow.ts';
import { MismatchError } from './mismatch.ts';
import type { Network } from './models/model.ts';
import { count } from './models/parameters.ts';

/**
 * What is averaged over the examples, for logits z and label y:
 *
 * - `cross-entropy`: log sum_c exp(z_c) - z_y
 * - `mean-squared-error`: sum_c (z_c - [c = y])^2 / 2, half the sum over the classes, of the logits against one-hot
 */
export type LossName = 'cross-entropy' | 'mean-squared-error';

/** A loss of one's own: a scalar, the mean over the examples, of outputs (examples x outputs) and labels. */
export type LossFunction = (tf: TensorFlow, outputs: Tensor2D, labels: Tensor1D) => Tensor;

/** The loss of a network, as a function of its weights. */
export interface Objective {
  readonly model: Network;
  readonly loss: LossName | LossFunction;
}

/** Cuts the flat weight vector into the tensors of the model's layout. Differentiable. */
export function unflatten(weights: Tensor1D, model: Network): Tensor[] {
  return model.layout.map(({ shape, offset }) => weights.slice([offset], [count(shape)]).reshape([...shape]));
}

/**
 * Mean cross-entropy of logits (examples x classes) and integer labels: the mean of log sum_c exp(z_c) - z_label. Built from operations whose
 * second derivatives are right; TensorFlow.js' own softmaxCrossEntropy can be differentiated only once. The largest logit is subtracted first,
 * as a constant: the value does not depend on it, so neither do its derivatives.
 *
 * @example
 * const { tf } = await loadTensorFlow({ threads: 1 });
 * crossEntropy(tf, tf.tensor2d([[0, 0]]), tf.tensor1d([1], 'int32')).dataSync()[0]; // ~ 0.6931
 */
export function crossEntropy(tf: TensorFlow, logits: Tensor2D, labels: Tensor1D): Tensor {
  const shifted = tf.sub(logits, detachedRowMax(tf, logits));
  const logSum = tf.log(tf.sum(tf.exp(shifted), 1));
  const chosen = tf.sum(tf.mul(shifted, tf.oneHot(labels, logits.shape[1]).toFloat()), 1);
  // A graph would turn a division by a constant into this product, which may differ in the last bit.
  return tf.mul(tf.sum(tf.sub(logSum, chosen)), 1 / logits.shape[0]);
}

/**
 * Mean over the examples of sum_c (z_c - [c = label])^2 / 2.
 *
 * @example
 * const { tf } = await loadTensorFlow({ threads: 1 });
 * meanSquaredError(tf, tf.tensor2d([[2, 1]]), tf.tensor1d([1], 'int32')).dataSync()[0]; // 2
 */
export function meanSquaredError(tf: TensorFlow, logits: Tensor2D, labels: Tensor1D): Tensor {
  const errors = tf.sub(logits, tf.oneHot(labels, logits.shape[1]).toFloat());
  return tf.mul(tf.sum(tf.square(errors)), 0.5 / logits.shape[0]);
}

const losses = { 'cross-entropy': crossEntropy, 'mean-squared-error': meanSquaredError } as const;

/** The loss of logits, examples x classes, without its L2 term. Throws {@link MismatchError} for logits of another shape. */
export function lossOf(
  tf: TensorFlow,
  loss: LossName | LossFunction,
  logits: Tensor2D,
  labels: Tensor1D,
): Tensor {
  if (typeof loss === 'function') return loss(tf, logits, labels);
  const { shape } = logits;
  if (shape.length !== 2 || shape[0] !== labels.size)
    throw new MismatchError(
      'logits',
      `shape [${labels.size}, classes] (a row for each example)`,
      `[${shape.join(', ')}]`,
      'Let the network give one row of logits for each example.',
    );
  return losses[loss](tf, logits, labels);
}

/** Mean loss over a batch, without its L2 term, as a function of the flat weights. */
export function batchLoss(
  tf: TensorFlow,
  { model, loss }: Objective,
  weights: Tensor1D,
  images: Tensor4D,
  labels: Tensor1D,
): Tensor {
  const logits = model.logits(tf, unflatten(weights, model), images) as Tensor2D;
  return lossOf(tf, loss, logits, labels);
}

/** The loss with its L2 term, in words, for an artifact's metadata. */
export function describeLoss(loss: LossName): string {
  const means = {
    'cross-entropy': 'mean cross-entropy',
    'mean-squared-error': 'mean over examples of sum_c (logit_c - onehot_c)^2 / 2',
  };
  return `${means[loss]} + l2 * (sum of squared kernel weights)`;
}

/** 1 for each weight that carries the L2 term (kernels), 0 for the others; length P. */
export function kernelMask(model: Network): Float32Array {
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
