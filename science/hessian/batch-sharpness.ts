import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-node';
import { prepareSecondDerivatives } from '../../compute/gradients/second-derivatives.ts';
import { prepareWindowPooling } from '../../compute/gradients/window-pooling.ts';
import type { CapturedGraph } from '../../compute/graph/graph.ts';
import { gatherRows } from '../../compute/kernels/gather.ts';
import type { TensorFlow } from '../../compute/tensorflow.ts';
import { type Examples, inputsFor, type Standardization } from '../examples.ts';
import { lossAndGradient } from '../gradient.ts';
import { kernelMask, type Objective } from '../loss.ts';
import { checkWeights } from '../mismatch.ts';
import type { Network } from '../models/model.ts';
import { recordable } from '../recorded.ts';
import { hessianTimes } from './curvature.ts';

export interface BatchCurvatureOptions {
  readonly tf: TensorFlow;
  readonly model: Network;
  readonly data: Examples;
  readonly standardize: Standardization;
  readonly loss: Objective['loss'];
  readonly l2: number;
}

export interface BatchCurvature {
  /** g_B^T H_B g_B / |g_B|^2 at theta (length P) of the batch of these examples; NaN where its gradient is zero, and so has no direction. */
  along(weights: Float32Array, batch: Int32Array): number;
  dispose(): void;
}

/**
 * Curvature of a batch's own loss along its own gradient, the Rayleigh quotient
 *
 *     g_B^T H_B g_B / |g_B|^2,
 *
 * in units of an eigenvalue of H (loss per squared weight). g_B and H_B are gradient and Hessian of the batch's mean loss plus l2 * (sum of squared kernel
 * weights): the loss that the step on this batch descends, with batch normalization by the moments of the batch. One gradient and one exact product with H_B in
 * float32; the sums over the weights are in double precision. Its mean over batches is the batch sharpness of Andreyev and
 * Beneventano (2024, arXiv 2412.20553), which SGD without momentum holds at 2 / eta.
 *
 * Throws `MismatchError` for weights, examples or logits that do not fit together.
 *
 * @example
 * const { tf } = await loadTensorFlow({ threads: 1 });
 * const problem = lossProblem({
 *   parameters: { x: [], y: [] },
 *   loss: (tf, { x, y }) => tf.add(tf.square(x), tf.mul(2, tf.square(y))),
 * });
 * const curvature = createBatchCurvature({ tf, ...problem });
 * curvature.along(Float32Array.of(0, 1), Int32Array.of(0)); // 4
 * curvature.dispose();
 */
export function createBatchCurvature(options: BatchCurvatureOptions): BatchCurvature {
  const { tf, model, data, loss, l2 } = options;
  prepareSecondDerivatives(tf);
  prepareWindowPooling(tf);
  const [height, width, channels] = data.shape;
  const images = tf.tensor4d(inputsFor(data, options.standardize), [data.examples, height, width, channels]);
  const labels = tf.tensor1d(data.labels, 'int32');
  const penalty = tf.tensor1d(kernelMask(model).map((kernel) => kernel * 2 * l2));
  const graphs = new Map<number, CapturedGraph>();

  return {
    along(weights, batch) {
      checkWeights(weights, model.size);
      const [theta, order] = [tf.tensor1d(weights), tf.tensor1d(batch, 'int32')];
      const inputs = [theta, order, images, labels, penalty];
      const graph =
        graphs.get(batch.length) ?? captureProduct(tf, { model, loss }, { batchSize: batch.length }, inputs);
      graphs.set(batch.length, graph);
      const outputs = graph.run(inputs);
      const [gradient, product] = outputs.map((tensor) => tensor.dataSync() as Float32Array);
      tf.dispose([theta, order, ...outputs]);
      let curvature = 0;
      let square = 0;
      for (const [i, slope] of gradient!.entries()) {
        curvature += slope * product![i]!;
        square += slope * slope;
      }
      return curvature / square;
    },
    dispose() {
      for (const graph of graphs.values()) graph.dispose();
      tf.dispose([images, labels, penalty]);
    },
  };
}

const captureProduct = recordable(gradientAndProduct);

/** The recorded function: g_B and H_B g_B, L2 term included. */
function gradientAndProduct(
  tf: TensorFlow,
  objective: Objective,
  { batchSize }: { readonly batchSize: number },
  inputs: Tensor[],
): Tensor[] {
  const [theta, order, images, labels, penalty] = inputs as [
    Tensor1D,
    Tensor1D,
    Tensor4D,
    Tensor1D,
    Tensor1D,
  ];
  const batch = order.slice([0], [batchSize]);
  const x = gatherRows(tf, images, batch) as Tensor4D;
  const y = gatherRows(tf, labels, batch) as Tensor1D;
  const { gradient } = lossAndGradient(tf, objective, theta, x, y);
  const slope = tf.add(gradient, tf.mul(penalty, theta)) as Tensor1D;
  const product = hessianTimes(tf, objective, [theta, x, y], slope);
  return [slope, tf.add(product, tf.mul(penalty, slope))];
}

/** Mean of quantities of batches, and its standard error if they are independent; without those that are not finite, and with how many are left. */
export interface BatchMean {
  readonly mean: number;
  /** NaN for fewer than two. */
  readonly standardError: number;
  readonly batches: number;
}

export function meanOverBatches(values: readonly number[]): BatchMean {
  const finite = values.filter(Number.isFinite);
  const { length } = finite;
  const mean = finite.reduce((sum, value) => sum + value, 0) / length;
  const squares = finite.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    mean,
    standardError: length < 2 ? Number.NaN : Math.sqrt(squares / (length - 1) / length),
    batches: length,
  };
}

/** What curvature SGD with heavy-ball momentum bears, in units of an eigenvalue of H. */
export interface Thresholds {
  /**
   * 2 (1 - beta) / eta: where the batch sharpness settles at small batches (Andreyev et al. 2026, arXiv 2604.14108): a step adds up to
   * eta / (1 - beta) along a gradient that does not last.
   */
  readonly smallBatch: number;
  /** 2 (1 + beta) / eta: above it, gradient descent on the full loss is unstable (Cohen et al. 2021, arXiv 2103.00065). */
  readonly fullBatch: number;
}

/** Both are 2 / eta without momentum. */
export function stabilityThresholds(learningRate: number, momentum: number): Thresholds {
  return {
    smallBatch: (2 * (1 - momentum)) / learningRate,
    fullBatch: (2 * (1 + momentum)) / learningRate,
  };
}
