import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-node';
import type { TensorFlow } from '../compute/tensorflow.ts';
import { lossOf, type Objective, unflatten } from './loss.ts';

/**
 * Mean loss over a batch, without its L2 term, and its gradient as one vector of length P. Differentiates with respect to the tensors of the
 * layout and joins the results. The gradient of cutting up the flat vector would be as many vectors of length P, all but empty, and their sum:
 * 0.4 ms of a LeNet step of 8.5 ms.
 */
export function lossAndGradient(
  tf: TensorFlow,
  { model, loss }: Objective,
  weights: Tensor1D,
  images: Tensor4D,
  labels: Tensor1D,
): { value: Tensor; gradient: Tensor1D } {
  const lossAt = (...parameters: Tensor[]) =>
    lossOf(tf, loss, model.logits(tf, parameters, images) as Tensor2D, labels);
  const { value, grads } = tf.valueAndGrads(lossAt)(unflatten(weights, model));
  return { value, gradient: tf.concat(grads.map((part) => part.flatten())) as Tensor1D };
}
