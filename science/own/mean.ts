import type { Tensor1D, Tensor4D } from '@tensorflow/tfjs-node';
import type { TensorFlow } from '../../compute/tensorflow.ts';
import { batchLoss } from '../loss.ts';
import { MismatchError } from '../mismatch.ts';
import type { Problem } from './problem.ts';

/** Rounding of a float32 loss, with much to spare: a sum in the place of a mean is off by its own size. */
const rounding = 1e-3;

/**
 * Throws {@link MismatchError} unless the loss is finite, and that of two examples the mean of the losses of each. Products go over the examples batch by batch, which
 * is wrong without a sign for a sum, or for examples that depend on one another.
 */
export function checkIsMean(tf: TensorFlow, { model, data, loss }: Problem, weights: Float32Array): void {
  const width = data.images.length / data.examples;
  const lossOf = (start: number, count: number): number =>
    tf.tidy(() => {
      const rows = Float32Array.from(data.images.subarray(start * width, (start + count) * width));
      const images: Tensor4D = tf.tensor4d(rows, [count, 1, 1, width]);
      const labels: Tensor1D = tf.tensor1d(data.labels.subarray(start, start + count), 'int32');
      return batchLoss(tf, { model, loss }, tf.tensor1d(weights), images, labels).dataSync()[0]!;
    });
  const first = lossOf(0, 1);
  if (!Number.isFinite(first))
    throw new MismatchError('loss at the weights', 'a finite number', `${first}`, 'Look at both.');
  if (data.examples < 2) return;
  const [second, both] = [lossOf(1, 1), lossOf(0, 2)];
  const mean = (first + second) / 2;
  if (Math.abs(both - mean) <= rounding * Math.max(Math.abs(first), Math.abs(second))) return;
  throw new MismatchError(
    'loss of two examples',
    `${mean.toPrecision(4)}, the mean of the losses of each`,
    both.toPrecision(4),
    'Let the loss be a mean over its examples (tf.mean, not tf.sum), each by itself.',
  );
}
