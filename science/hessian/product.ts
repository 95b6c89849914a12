import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-node';
import { type CompiledFunction, compile } from '../../compute/graph.ts';
import { checkedForSecondDerivatives, prepareSecondDerivatives } from '../../compute/second-derivatives.ts';
import type { TensorFlow } from '../../compute/tensorflow.ts';
import { type Examples, type Standardization, standardize } from '../examples.ts';
import { batchLoss, kernelMask } from '../loss.ts';
import type { Model } from '../models/model.ts';

export interface HessianProductOptions {
  readonly tf: TensorFlow;
  readonly model: Model;
  /** The loss is the mean over all of these. */
  readonly data: Examples;
  readonly standardize: Standardization;
  readonly l2: number;
  /** theta, length P, at which the Hessian is taken. */
  readonly weights: Float32Array;
  /** Examples in one graph call; bounds the memory. */
  readonly batchSize?: number;
}

export interface HessianProduct {
  /** P */
  readonly size: number;
  /** H v in double precision, for v of length P. `breathe` is awaited between two batches. */
  product(vector: Float32Array, breathe?: () => Promise<void>): Promise<Float64Array>;
  dispose(): void;
}

/**
 * Exact products with the Hessian of the loss L(theta) = mean cross-entropy + l2 * (sum of squared kernel weights):
 *
 *     H v = d/dtheta (grad L . v)
 *
 * by differentiating twice (Pearlmutter 1994, "Fast exact multiplication by the Hessian"). Each batch is computed in float32, the mean over
 * batches and the L2 term, 2 l2 v on kernels, in double precision and in fixed order.
 *
 * Throws {@link import('../../compute/second-derivatives.ts').SecondDerivativeError} for a model with an unverified operation.
 */
export function createHessianProduct(options: HessianProductOptions): HessianProduct {
  const { tf, model, data, l2, weights, batchSize = 500 } = options;
  const [height, width, channels] = data.shape;
  const pixels = height * width * channels;
  prepareSecondDerivatives(tf);
  const theta = tf.tensor1d(weights);
  const mask = kernelMask(model);
  const values = standardize(data, options.standardize);
  const batches: { images: Tensor4D; labels: Tensor1D; count: number }[] = [];
  for (let start = 0; start < data.examples; start += batchSize) {
    const count = Math.min(batchSize, data.examples - start);
    batches.push({
      images: tf.tensor4d(values.subarray(start * pixels, (start + count) * pixels), [
        count,
        height,
        width,
        channels,
      ]),
      labels: tf.tensor1d(data.labels.subarray(start, start + count), 'int32'),
      count,
    });
  }
  const graphs = new Map<number, CompiledFunction>();
  return {
    size: model.size,
    async product(vector, breathe) {
      const direction = tf.tensor1d(vector);
      const result = Float64Array.from(vector, (component, i) => 2 * l2 * mask[i]! * component);
      for (const { images, labels, count } of batches) {
        const inputs = [theta, direction, images, labels];
        let graph = graphs.get(count);
        if (graph === undefined) {
          graph = compile(tf, (tensors) => [batchProduct(tf, model, tensors)], inputs);
          graphs.set(count, graph);
        }
        const [output] = graph.run(inputs);
        const part = output!.dataSync() as Float32Array;
        output!.dispose();
        const share = count / data.examples;
        for (let i = 0; i < part.length; i++) result[i]! += share * part[i]!;
        await breathe?.();
      }
      direction.dispose();
      return result;
    },
    dispose() {
      for (const graph of graphs.values()) graph.dispose();
      tf.dispose([theta, ...batches.flatMap(({ images, labels }) => [images, labels])]);
    },
  };
}

function batchProduct(tf: TensorFlow, model: Model, inputs: Tensor[]): Tensor {
  const [theta, direction, images, labels] = inputs as [Tensor1D, Tensor1D, Tensor4D, Tensor1D];
  const gradient = tf.grad((at: Tensor) => batchLoss(tf, model, at as Tensor1D, images, labels));
  const slope = (at: Tensor) =>
    checkedForSecondDerivatives(tf, () => tf.sum(tf.mul(gradient(at), direction)));
  return tf.grad(slope)(theta);
}
