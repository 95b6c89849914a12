import { DivergedError, type SgdState } from '../sgd.ts';
import { type Gradients, subtractMean } from './gradients.ts';

export interface MovingOptions {
  /** M, to name an epoch in an error. */
  readonly batchesPerEpoch: number;
  readonly batchSize: number;
  /** eta */
  readonly learningRate: number;
  /** beta */
  readonly momentum: number;
  readonly l2: number;
  /** 1 for each weight that carries the L2 term, else 0; length P. */
  readonly mask: Float32Array;
}

/**
 * Consecutive steps of SGD, equation (1), and the gradient noise dg_k = g_k(theta_{k-1}) - grad L(theta_{k-1}) of each, steps x P: at every step the
 * gradient over all examples is taken at the same weights as the batch's. The L2 term, 2 l2 theta on kernels, is in the step and cancels in the
 * noise. Weights are float32, each update is rounded once. Throws {@link DivergedError}.
 *
 * @param order The examples of each batch, steps x S indices.
 */
export async function movingNoise(
  gradients: Gradients,
  from: SgdState,
  order: Int32Array,
  options: MovingOptions,
  breathe: () => Promise<void>,
): Promise<{ rows: Float32Array; state: SgdState }> {
  const { batchSize, learningRate, momentum, l2, mask } = options;
  const weights = from.weights.slice();
  const velocity = from.velocity.slice();
  const size = weights.length;
  const batches = order.length / batchSize;
  const rows = new Float32Array(batches * size);
  for (let batch = 0; batch < batches; batch++) {
    const mean = await gradients.full(weights, breathe);
    const indices = order.subarray(batch * batchSize, (batch + 1) * batchSize);
    for (const gradient of gradients.batches(weights, indices, batchSize)) {
      rows.set(subtractMean(gradient.slice(), mean), batch * size);
      for (let i = 0; i < size; i++) {
        const slope = gradient[i]! + 2 * l2 * mask[i]! * weights[i]!;
        velocity[i] = momentum * velocity[i]! - learningRate * slope;
        weights[i]! += velocity[i]!;
      }
    }
    await breathe();
  }
  if (!weights.every(Number.isFinite)) {
    const epoch = Math.floor(from.step / options.batchesPerEpoch);
    throw new DivergedError(from.step + batches, epoch, Number.NaN, learningRate, momentum);
  }
  return { rows, state: { weights, velocity, step: from.step + batches } };
}
