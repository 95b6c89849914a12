import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-node';
import { checkedForSecondDerivatives } from '../../compute/gradients/second-derivatives.ts';
import type { TensorFlow } from '../../compute/tensorflow.ts';
import { lossOf, type Objective, unflatten } from '../loss.ts';

/**
 * H v = d/dtheta (grad loss . v) of one batch; `fixed` are theta, images and labels. By tensors of the layout and not by the flat vector, which
 * would be put together once for each of them.
 */
export function hessianTimes(
  tf: TensorFlow,
  { model, loss: name }: Objective,
  fixed: Tensor[],
  direction: Tensor1D,
): Tensor {
  const [theta, images, labels] = fixed as [Tensor1D, Tensor4D, Tensor1D];
  const loss = (...parameters: Tensor[]) =>
    lossOf(tf, name, model.logits(tf, parameters, images) as Tensor2D, labels);
  const directions = unflatten(direction, model);
  const slope = (...parameters: Tensor[]) =>
    checkedForSecondDerivatives(tf, () => inner(tf, tf.grads(loss)(parameters), directions));
  return flatten(tf, tf.grads(slope)(unflatten(theta, model)));
}

/**
 * J^T H_out J v of one batch, with J the Jacobian of the logits and H_out the loss's Hessian in them. J v is the derivative in w of (J^T w) . v, which is linear in w (Townsend 2017, "A new trick for calculating Jacobian vector
 * products"); H_out c that of (d loss / d logits) . c.
 */
export function gaussNewtonTimes(
  tf: TensorFlow,
  { model, loss: name }: Objective,
  fixed: Tensor[],
  direction: Tensor1D,
): Tensor {
  const [theta, images, labels] = fixed as [Tensor1D, Tensor4D, Tensor1D];
  const parameters = unflatten(theta, model);
  const directions = unflatten(direction, model);
  const logits = (...at: Tensor[]) => model.logits(tf, at, images);
  const pullBack = (upstream: Tensor) => tf.grads(logits)(parameters, upstream);
  const outputs = logits(...parameters);
  const change = tf.grad((w: Tensor) =>
    checkedForSecondDerivatives(tf, () => inner(tf, pullBack(w), directions)),
  )(tf.zerosLike(outputs));
  const loss = (z: Tensor) => lossOf(tf, name, z as Tensor2D, labels);
  const curved = tf.grad((z: Tensor) =>
    checkedForSecondDerivatives(tf, () => tf.sum(tf.mul(tf.grad(loss)(z), change))),
  )(outputs);
  return flatten(tf, pullBack(curved));
}

function inner(tf: TensorFlow, a: readonly Tensor[], b: readonly Tensor[]): Tensor {
  return a.map((tensor, i) => tf.sum(tf.mul(tensor, b[i]!))).reduce((sum, term) => tf.add(sum, term));
}

function flatten(tf: TensorFlow, tensors: readonly Tensor[]): Tensor {
  return tf.concat(tensors.map((tensor) => tensor.flatten()));
}
