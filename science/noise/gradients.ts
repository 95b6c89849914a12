import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-node';
import { prepareReductionGradients } from '../../compute/gradients/reduction-gradients.ts';
import type { CapturedGraph } from '../../compute/graph/graph.ts';
import { gatherRows } from '../../compute/kernels/gather.ts';
import type { TensorFlow } from '../../compute/tensorflow.ts';
import { type Examples, inputsFor, type Standardization } from '../examples.ts';
import { batchLoss, type Objective } from '../loss.ts';
import { checkLength } from '../mismatch.ts';
import type { Network } from '../models/model.ts';
import { recordable } from '../recorded.ts';

export interface GradientsOptions {
  readonly tf: TensorFlow;
  readonly model: Network;
  readonly data: Examples;
  readonly standardize: Standardization;
  readonly loss: Objective['loss'];
}

/** Gradients of the mean loss, without the L2 term: that is the same for every batch, so it is no noise. */
export interface Gradients {
  /** g_k(theta) of the batches in `order` (batches x batchSize indices), a few batches at a time: rows x P, row-major. */
  batches(weights: Float32Array, order: Int32Array, batchSize: number): Generator<Float32Array, void, void>;
  /** The mean over all examples, in double precision. `breathe` is awaited between two batches. */
  full(weights: Float32Array, breathe?: () => Promise<void>): Promise<Float64Array>;
  dispose(): void;
}

/** Batches in one graph call, and examples in one batch of a full gradient. */
const batchesPerCall = 10;
const fullBatchSize = 500;

/**
 * Exact gradients of chosen batches, each batch in float32. Throws `MismatchError` for examples or weights that do not fit together.
 *
 * @example
 * const { tf } = await loadTensorFlow({ threads: 1 });
 * const problem = lossProblem({
 *   parameters: { w: [] },
 *   data: { x: { values: [1, 2, 6] } },
 *   loss: (tf, { w }, { x }) => tf.mean(tf.square(tf.sub(w, x))),
 * });
 * const gradients = createGradients({ tf, ...problem });
 * (await gradients.full(Float32Array.of(0)))[0]; // ~ -6
 * [...gradients.batches(Float32Array.of(0), Int32Array.of(0, 1), 1)][0][1]; // -4
 * gradients.dispose();
 */
export function createGradients(options: GradientsOptions): Gradients {
  const { tf, model, data, loss } = options;
  prepareReductionGradients(tf);
  const [height, width, channels] = data.shape;
  const images = tf.tensor4d(inputsFor(data, options.standardize), [data.examples, height, width, channels]);
  const labels = tf.tensor1d(data.labels, 'int32');
  const graphs = new Map<string, CapturedGraph>();

  function* batches(weights: Float32Array, order: Int32Array, batchSize: number) {
    checkLength('weights', weights, model.size, 'one for each weight of the network');
    const count = order.length / batchSize;
    for (let batch = 0; batch < count; ) {
      const rows = Math.min(batchesPerCall, count - batch);
      const indices = order.subarray(batch * batchSize, (batch + rows) * batchSize);
      const own = [tf.tensor1d(weights), tf.tensor1d(indices, 'int32')];
      const inputs = [...own, images, labels];
      const name = `${rows} ${batchSize}`;
      let graph = graphs.get(name);
      if (graph === undefined) {
        graph = captureRows(tf, { model, loss }, { rows, batchSize }, inputs);
        graphs.set(name, graph);
      }
      const outputs = graph.run(inputs);
      const values = outputs[0]!.dataSync() as Float32Array;
      tf.dispose([...own, ...outputs]);
      batch += rows;
      yield values;
    }
  }

  return {
    batches,
    async full(weights, breathe) {
      const sum = new Float64Array(model.size);
      for (let start = 0; start < data.examples; start += fullBatchSize) {
        const count = Math.min(fullBatchSize, data.examples - start);
        const order = Int32Array.from({ length: count }, (_, index) => start + index);
        for (const gradient of batches(weights, order, count)) {
          for (let i = 0; i < sum.length; i++) sum[i]! += count * gradient[i]!;
        }
        await breathe?.();
      }
      return sum.map((value) => value / data.examples);
    },
    dispose() {
      for (const graph of graphs.values()) graph.dispose();
      tf.dispose([images, labels]);
    },
  };
}

const captureRows = recordable(gradientRows);

/** The recorded function: gradients of `rows` batches at one theta, stacked. */
function gradientRows(
  tf: TensorFlow,
  objective: Objective,
  { rows, batchSize }: { readonly rows: number; readonly batchSize: number },
  inputs: Tensor[],
): Tensor[] {
  const [theta, order, images, labels] = inputs as [Tensor1D, Tensor1D, Tensor4D, Tensor1D];
  const gradients: Tensor[] = [];
  for (let row = 0; row < rows; row++) {
    const batch = order.slice([row * batchSize], [batchSize]);
    const x = gatherRows(tf, images, batch);
    const y = gatherRows(tf, labels, batch);
    gradients.push(tf.grad((at: Tensor) => batchLoss(tf, objective, at as Tensor1D, x, y))(theta));
  }
  return [tf.stack(gradients)];
}

/** dg = g - grad L for each row, in place: rows x P, row-major. */
export function subtractMean(rows: Float32Array, mean: Float64Array): Float32Array {
  for (let start = 0; start < rows.length; start += mean.length) {
    for (let i = 0; i < mean.length; i++) rows[start + i]! -= mean[i]!;
  }
  return rows;
}
