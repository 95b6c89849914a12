import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-node';
import { prepareSecondDerivatives } from '../../compute/gradients/second-derivatives.ts';
import { prepareWindowPooling } from '../../compute/gradients/window-pooling.ts';
import type { TwoPartFunction } from '../../compute/graph/two-part-graph.ts';
import type { TensorFlow } from '../../compute/tensorflow.ts';
import { type Examples, inputsFor, type Standardization } from '../examples.ts';
import { laneSizes } from '../lanes.ts';
import { kernelMask, type Objective } from '../loss.ts';
import { checkFinite, checkLength, checkWeights, MismatchError } from '../mismatch.ts';
import { type Network, withMoments } from '../models/model.ts';
import { fixedMoments } from '../models/moments.ts';
import { recordableInTwoParts } from '../recorded.ts';
import { gaussNewtonTimes, hessianTimes } from './curvature.ts';

/** `hessian`: H. `gauss-newton`: J^T (d2 loss / d logits2) J, with J the Jacobian of the logits; plus the L2 term for both. */
export type CurvatureMatrix = 'hessian' | 'gauss-newton';

export interface HessianProductOptions {
  readonly tf: TensorFlow;
  readonly model: Network;
  /** The loss is the mean over all of these. */
  readonly data: Examples;
  readonly standardize: Standardization;
  readonly loss: Objective['loss'];
  readonly l2: number;
  /**
   * The moments of a network with batch normalization, which count as constants (models/statistics.ts); `batch`: the moments of each batch of
   * `batchSize` examples, differentiated with the rest, as in training. For other networks not needed.
   */
  readonly statistics?: Float32Array | 'batch' | undefined;
  /** theta, length P, at which the Hessian is taken. */
  readonly weights: Float32Array;
  readonly matrix?: CurvatureMatrix;
  /** Most examples in one graph call; default: so many that what is kept of them takes 128 MB, and at most 500. Last bits depend on it. */
  readonly batchSize?: number;
  /** Parts of a batch that are computed side by side (lanes.ts); last bits depend on it. Default 1; 1 with the moments of batches. */
  readonly lanes?: number;
  /** Bytes that activations may take which are kept from one product to the next; what exceeds them is computed each time, with equal bits. */
  readonly cacheBytes?: number;
}

export interface HessianProduct {
  /** P */
  readonly size: number;
  /** H v in double precision, for v of length P. `breathe` is awaited between two batches. Throws {@link MismatchError} for another length. */
  product(vector: Float32Array, breathe?: () => Promise<void>): Promise<Float64Array>;
  dispose(): void;
}

interface Batch {
  readonly count: number;
  /** Examples in each lane. */
  readonly sizes: readonly number[];
  /** Images and labels of each lane, in turn. */
  readonly examples: readonly Tensor[];
  /** What does not depend on the vector, once it was computed, if there is room for it. */
  kept?: Tensor[];
}

/**
 * Exact products with the Hessian of the loss L(theta) = mean loss + l2 * (sum of squared kernel weights):
 *
 *     H v = d/dtheta (grad L . v)
 *
 * by differentiating twice (Pearlmutter 1994, "Fast exact multiplication by the Hessian"), or with the Gauss-Newton matrix
 * (Schraudolph 2002, "Fast curvature matrix-vector products"). The forward and backward pass at theta are computed once and kept; a product
 * costs only what is linear in v. Each batch is computed in float32, the mean over batches and the L2 term, 2 l2 v on kernels, in double
 * precision and in fixed order.
 *
 * Throws {@link import('../../compute/gradients/second-derivatives.ts').SecondDerivativeError} for a model with an unverified operation, and
 * {@link MismatchError} for weights, examples or logits that do not fit together, or are not finite.
 *
 * @example
 * const { tf } = await loadTensorFlow({ threads: 1 });
 * const problem = lossProblem({ parameters: { x: [], y: [] }, loss: (tf, { x, y }) => tf.mul(x, y) });
 * const hessian = createHessianProduct({ tf, ...problem, weights: Float32Array.of(5, 7) });
 * (await hessian.product(Float32Array.of(1, 2)))[0]; // 2
 * hessian.dispose();
 */
export function createHessianProduct(options: HessianProductOptions): HessianProduct {
  const { tf, data, loss, l2, weights, cacheBytes = 2e9, matrix = 'hessian' } = options;
  if (matrix === 'gauss-newton' && typeof loss === 'function')
    throw new MismatchError(
      'loss',
      'cross-entropy or mean-squared-error with the Gauss-Newton matrix',
      'a function',
      'Take the Hessian, or a loss that has a name.',
    );
  checkWeights(weights, options.model.size);
  const statistics = statisticsOf(options);
  const model =
    statistics === undefined
      ? options.model
      : withMoments(options.model, fixedMoments(statistics, options.model.normalizations));
  prepareSecondDerivatives(tf);
  prepareWindowPooling(tf);
  const theta = tf.tensor1d(weights);
  const mask = kernelMask(model);
  const values = inputsFor(data, options.standardize);
  const graphs = new Map<number, TwoPartFunction>();
  let room = cacheBytes;

  const graphOf = ({ sizes, examples, count }: Batch, direction: Tensor): TwoPartFunction => {
    let graph = graphs.get(count);
    if (graph === undefined) {
      graph = captureProduct(tf, { model, loss }, { matrix, sizes }, [theta, ...examples], [direction]);
      graphs.set(count, graph);
    }
    return graph;
  };
  const productOf = (batch: Batch, direction: Tensor): Float32Array => {
    const graph = graphOf(batch, direction);
    const at = batch.kept ?? graph.prepare([theta, ...batch.examples]);
    const [output] = graph.run(at, [direction]);
    if (batch.kept === undefined) {
      const bytes = bytesOf(at);
      if (bytes > room) tf.dispose(at);
      else {
        room -= bytes;
        batch.kept = at;
      }
    }
    const values = output!.dataSync() as Float32Array;
    output!.dispose();
    return values;
  };
  /** Bytes that are kept for each example, from a few of them: a prime number, by which tensors of another kind are hardly divisible. */
  const measure = (): number => {
    const few = Math.min(data.examples, 7);
    const [probe] = cutIntoBatches(tf, { ...data, examples: few }, values, few, 1) as [Batch];
    // Not theta itself: a recorded function must tell its inputs apart.
    const direction = tf.zerosLike(theta);
    const kept = graphOf(probe, direction).prepare([theta, ...probe.examples]);
    const bytes = bytesOf(kept.filter(({ shape }) => (shape[0] ?? 1) % few === 0));
    tf.dispose([...kept, direction, ...probe.examples]);
    return bytes / few;
  };
  const batchSize = options.batchSize ?? Math.max(8, Math.min(500, Math.floor(128e6 / measure())));
  const lanes = options.statistics === 'batch' ? 1 : (options.lanes ?? 1);
  const batches = cutIntoBatches(tf, data, values, batchSize, lanes);

  return {
    size: model.size,
    async product(vector, breathe) {
      checkLength('vector', vector, model.size, 'one for each weight of the network');
      checkFinite('vector', vector, 'A product takes finite numbers.');
      const direction = tf.tensor1d(vector);
      const result = new Float64Array(model.size);
      for (let i = 0; i < result.length; i++) result[i] = 2 * l2 * mask[i]! * vector[i]!;
      for (const batch of batches) {
        const part = productOf(batch, direction);
        const share = batch.count / data.examples;
        for (let i = 0; i < part.length; i++) result[i]! += share * part[i]!;
        await breathe?.();
      }
      direction.dispose();
      return result;
    },
    dispose() {
      for (const graph of graphs.values()) graph.dispose();
      tf.dispose([
        theta,
        ...(statistics === undefined ? [] : [statistics]),
        ...batches.flatMap(({ examples, kept = [] }) => [...examples, ...kept]),
      ]);
    },
  };
}

interface ProductSettings {
  readonly matrix: CurvatureMatrix;
  /** Examples in each lane. */
  readonly sizes: readonly number[];
}

const captureProduct = recordableInTwoParts(batchProduct);

/** The recorded function: the product of one batch with a vector, at theta and of the images and labels of each lane. */
function batchProduct(
  tf: TensorFlow,
  objective: Objective,
  { matrix, sizes }: ProductSettings,
  [at, ...lanes]: Tensor[],
  [v]: Tensor[],
): Tensor[] {
  const multiply = matrix === 'hessian' ? hessianTimes : gaussNewtonTimes;
  const count = sizes.reduce((sum, size) => sum + size);
  const parts = sizes.map((size, lane) => {
    const [images, labels] = lanes.slice(2 * lane, 2 * lane + 2) as [Tensor4D, Tensor1D];
    const part = multiply(tf, objective, [at as Tensor1D, images, labels], v as Tensor1D);
    return size === count ? part : tf.mul(part, size / count);
  });
  return [parts.reduce((sum, part) => tf.add(sum, part))];
}

/** As few batches as their size allows, as equal as can be, each cut into lanes. */
function cutIntoBatches(
  tf: TensorFlow,
  data: Examples,
  values: Float32Array,
  most: number,
  lanes: number,
): Batch[] {
  const batchSize = Math.ceil(data.examples / Math.ceil(data.examples / most));
  const [height, width, channels] = data.shape;
  const pixels = height * width * channels;
  const tensorsOf = (start: number, count: number) => [
    tf.tensor4d(values.subarray(start * pixels, (start + count) * pixels), [count, height, width, channels]),
    tf.tensor1d(data.labels.subarray(start, start + count), 'int32'),
  ];
  const batches: Batch[] = [];
  for (let start = 0; start < data.examples; start += batchSize) {
    const count = Math.min(batchSize, data.examples - start);
    const sizes = laneSizes(count, lanes);
    const examples: Tensor[] = [];
    let at = start;
    for (const size of sizes) {
      examples.push(...tensorsOf(at, size));
      at += size;
    }
    batches.push({ count, sizes, examples });
  }
  return batches;
}

/** The fixed moments; undefined if each batch has its own, or there are none. */
function statisticsOf(options: HessianProductOptions): Tensor1D | undefined {
  const { tf, model, statistics = new Float32Array(0), batchSize } = options;
  if (statistics === 'batch') {
    if (batchSize === undefined)
      throw new TypeError('With the moments of batches, their size must be given.');
    return undefined;
  }
  const wanted = 2 * model.normalizations.reduce((sum, channels) => sum + channels, 0);
  if (statistics.length !== wanted)
    throw new TypeError(
      `The batch normalizations of this network take ${wanted} statistics, got ${statistics.length}.`,
    );
  return wanted === 0 ? undefined : tf.tensor1d(statistics);
}

function bytesOf(tensors: readonly Tensor[]): number {
  return tensors.reduce((sum, { size }) => sum + 4 * size, 0);
}
