import { batchVarianceFactor } from '../noise/finite-population.ts';
import { RandomStream } from '../random.ts';
import { epochBatches, type Sampling } from '../sampling.ts';

export type InjectedNoise = 'white' | 'anti-correlated' | 'none';

/** What disturbs each step, beside the gradient of the loss. */
export interface NoiseSource {
  /** M: steps in one epoch. */
  readonly batchesPerEpoch: number;
  /**
   * u_k of the epoch's steps, M x k, row-major: what the noise alone adds to v_k in equation (1b), that is -eta dg_k. `carried` is what the
   * epoch before left, of length k.
   */
  epoch(epoch: number, carried: Float64Array): { disturbances: Float64Array; carried: Float64Array };
}

export interface ExampleNoiseOptions {
  /** Variance of one example's gradient in each direction, before it is drawn. */
  readonly variances: readonly number[];
  readonly examples: number;
  readonly batchSize: number;
  readonly sampling: Sampling;
  /** Of block-reshuffling. */
  readonly blockSize?: number | undefined;
  readonly learningRate: number;
  readonly seed: number;
}

/**
 * The gradient noise of a finite sum of N examples, l_n(theta) = L(theta) + xi_n . theta with normal xi_n and sum_n xi_n = 0. For a quadratic L
 * it is (theta - x_n)^T H (theta - x_n) / 2 up to a constant, with x_n = -H^{-1} xi_n. The noise of a batch is the mean of its xi_n:
 * no formula for its correlations enters.
 */
export function exampleNoise(options: ExampleNoiseOptions): NoiseSource & {
  /** sigma_dg^2 in each direction, exactly that of these examples. */
  readonly noiseVariances: Float64Array;
} {
  const { variances, examples, batchSize, learningRate } = options;
  const k = variances.length;
  const xi = drawExamples(options);
  const factor = batchVarianceFactor(options);
  const noiseVariances = Float64Array.from({ length: k }, (_, i) => {
    let squares = 0;
    for (let n = 0; n < examples; n++) squares += xi[n * k + i]! ** 2;
    return (factor * squares) / examples;
  });
  const batchesPerEpoch = Math.floor(examples / batchSize);
  return {
    batchesPerEpoch,
    noiseVariances,
    epoch(epoch, carried) {
      const order = epochBatches(options.sampling, options, epoch);
      const disturbances = new Float64Array(batchesPerEpoch * k);
      for (const [position, example] of order.entries()) {
        const at = Math.floor(position / batchSize) * k;
        for (let i = 0; i < k; i++)
          disturbances[at + i]! -= (learningRate / batchSize) * xi[example * k + i]!;
      }
      return { disturbances, carried };
    },
  };
}

/** xi, N x k, row-major; the mean over examples is subtracted. */
function drawExamples({ variances, examples, seed }: ExampleNoiseOptions): Float64Array {
  const k = variances.length;
  const xi = new Float64Array(examples * k);
  for (const [i, variance] of variances.entries()) {
    const random = new RandomStream(seed, 'toy-examples', i);
    const scale = Math.sqrt(variance);
    let sum = 0;
    for (let n = 0; n < examples; n++) {
      xi[n * k + i] = scale * random.normal();
      sum += xi[n * k + i]!;
    }
    for (let n = 0; n < examples; n++) xi[n * k + i]! -= sum / examples;
  }
  return xi;
}

export interface InjectedNoiseOptions {
  readonly kind: InjectedNoise;
  /** Variance of xi in each direction. */
  readonly variances: readonly number[];
  /** Steps counted as an epoch. */
  readonly batchesPerEpoch: number;
  readonly seed: number;
}

/**
 * Noise added to the full gradient's steps: u_k = xi_k (perturbed gradient descent), or u_k = xi_k - xi_{k-1} with xi_0 = 0 (Anti-PGD,
 * Orvieto et al. 2022), with independent normal xi_k.
 */
export function injectedNoise({ kind, variances, batchesPerEpoch, seed }: InjectedNoiseOptions): NoiseSource {
  const k = variances.length;
  return {
    batchesPerEpoch,
    epoch(epoch, carried) {
      const disturbances = new Float64Array(batchesPerEpoch * k);
      const left = carried.slice();
      if (kind === 'none') return { disturbances, carried: left };
      const random = new RandomStream(seed, 'toy-noise', epoch);
      for (let step = 0; step < batchesPerEpoch; step++) {
        for (let i = 0; i < k; i++) {
          const xi = Math.sqrt(variances[i]!) * random.normal();
          disturbances[step * k + i] = kind === 'white' ? xi : xi - left[i]!;
          left[i] = xi;
        }
      }
      return { disturbances, carried: left };
    },
  };
}
