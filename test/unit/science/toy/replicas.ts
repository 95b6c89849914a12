import type { Sampling } from '../../../../science/sampling.ts';
import { quadraticLoss } from '../../../../science/toy/loss.ts';
import { exampleNoise, type InjectedNoise, injectedNoise } from '../../../../science/toy/noise-source.ts';
import { simulateEpoch, startState } from '../../../../science/toy/simulate.ts';

export interface Setting {
  readonly learningRate: number;
  readonly momentum: number;
  readonly batchesPerEpoch: number;
  readonly eigenvalues: readonly number[];
  /** Of block-reshuffling. */
  readonly batchesPerBlock?: number;
  readonly warmup: number;
  readonly epochs: number;
  /** Runs have the seeds firstSeed, firstSeed + 1, ...: runs of different settings share nothing. */
  readonly firstSeed: number;
}

/** Mean over independent runs, and its standard error. */
export interface Estimate {
  readonly value: number;
  readonly error: number;
}

/** Measured in one direction, per unit variance of the noise. */
export interface DirectionEstimates {
  readonly weightVariance: Estimate;
  readonly velocityVariance: Estimate;
  /** 2 sigma_theta^2 / sigma_v^2 */
  readonly correlationTime: Estimate;
}

const batchSize = 2;

/**
 * Mean squares of theta and v in each direction over `runs` runs with examples, permutations and noise of their own. The minimum is at zero
 * exactly, so no mean is subtracted, and the standard errors come from the scatter over runs: no assumption about correlations enters.
 */
export function measureReplicas(
  setting: Setting,
  noise: Sampling | InjectedNoise,
  runs: number,
): DirectionEstimates[] {
  const { eigenvalues, batchesPerEpoch, warmup, epochs, learningRate, firstSeed } = setting;
  const k = eigenvalues.length;
  const weights = eigenvalues.map(() => new Float64Array(runs));
  const velocities = eigenvalues.map(() => new Float64Array(runs));
  for (let r = 0; r < runs; r++) {
    const { source, variances } = sourceOf(setting, noise, firstSeed + r);
    const run = { ...setting, loss: quadraticLoss(eigenvalues), noise: source };
    let state = startState(new Float64Array(k));
    const squares = new Float64Array(k);
    const speeds = new Float64Array(k);
    for (let epoch = 0; epoch < warmup + epochs; epoch++) {
      const before = state.theta;
      const { state: after, rows } = simulateEpoch(run, state, epoch);
      state = after;
      if (epoch < warmup) continue;
      for (let n = 0; n < rows.length; n += k) {
        for (let i = 0; i < k; i++) {
          const previous = n === 0 ? before[i]! : rows[n - k + i]!;
          squares[i]! += rows[n + i]! ** 2;
          speeds[i]! += (rows[n + i]! - previous) ** 2;
        }
      }
    }
    for (let i = 0; i < k; i++) {
      const scale = variances[i]! * epochs * batchesPerEpoch;
      weights[i]![r] = squares[i]! / scale;
      velocities[i]![r] = speeds[i]! / scale;
    }
  }
  const estimate = (values: Float64Array): Estimate => ({
    value: mean(values),
    error: standardError(values),
  });
  return eigenvalues.map((_, i) => {
    const ratio = mean(weights[i]!) / mean(velocities[i]!);
    const differences = weights[i]!.map((weight, r) => weight - ratio * velocities[i]![r]!);
    const tau = { value: 2 * ratio, error: (2 * standardError(differences)) / mean(velocities[i]!) };
    return {
      weightVariance: estimate(weights[i]!),
      velocityVariance: estimate(velocities[i]!),
      correlationTime: tau,
    };
  });

  function sourceOf(of: Setting, kind: Sampling | InjectedNoise, seed: number) {
    const examples = batchesPerEpoch * batchSize;
    const variances = of.eigenvalues;
    if (kind === 'white' || kind === 'anti-correlated' || kind === 'none')
      return { source: injectedNoise({ kind, variances, batchesPerEpoch, seed }), variances };
    const blockSize = of.batchesPerBlock === undefined ? undefined : of.batchesPerBlock * batchSize;
    const drawn = { examples, batchSize, sampling: kind, blockSize };
    const source = exampleNoise({ ...drawn, variances, learningRate, seed });
    return { source, variances: source.noiseVariances };
  }
}

export function mean(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, x) => sum + x, 0) / values.length;
}

export function standardError(values: ArrayLike<number>): number {
  const centre = mean(values);
  const squares = Array.from(values).reduce((sum, x) => sum + (x - centre) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1) / values.length);
}

/** Share of pairs of an estimate and its theory that are within `limit` standard errors of each other. */
export function shareWithin(pairs: readonly (readonly [Estimate, number])[], limit = 3): number {
  return (
    pairs.filter(([{ value, error }, theory]) => Math.abs(value - theory) <= limit * error).length /
    pairs.length
  );
}
