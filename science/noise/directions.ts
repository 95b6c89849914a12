import { epochBatches } from '../sampling.ts';
import { type Autocorrelation, autocorrelation, joinBlocks, standardErrorOf } from './autocorrelation.ts';
import type { CentredValues } from './covariance.ts';
import type { BatchDrawing } from './finite-population.ts';
import { type LagLayout, tailEpochs } from './lagged-products.ts';

export interface DirectionsOptions extends LagLayout, BatchDrawing {
  /** Seed of each repetition. */
  readonly seeds: readonly number[];
  readonly firstEpoch: number;
  /** Epochs that depend on each other, and together on no others: a divisor of E. All, where only repetitions are independent. */
  readonly together: number;
}

/** Noise of batches along one direction. */
export interface DirectionNoise extends Autocorrelation {
  /** Mean square over batches. */
  readonly variance: number;
  readonly varianceError: number;
}

/**
 * Autocorrelation and variance of the batches' noise along single directions. At fixed weights a batch's noise there is the mean of its examples'
 * values, so that the batches of all epochs cost no further gradient.
 */
export function noiseAlong(
  { values, directions: k }: CentredValues,
  chosen: readonly number[],
  options: DirectionsOptions,
): DirectionNoise[] {
  const { batchesPerEpoch: m, epochs, lags, batchSize, seeds, firstEpoch, together } = options;
  const sums = chosen.map(() => new Float64Array(seeds.length * epochs * (lags + 1)));
  for (const [repetition, seed] of seeds.entries()) {
    const series = chosen.map(() => new Float64Array((epochs + tailEpochs(options)) * m));
    for (let epoch = 0; epoch * m < (series[0]?.length ?? 0); epoch++) {
      const order = epochBatches(options.sampling, { ...options, seed }, firstEpoch + epoch);
      for (let position = 0; position < order.length; position++) {
        const step = epoch * m + Math.floor(position / batchSize);
        for (const [c, direction] of chosen.entries())
          series[c]![step]! += values[order[position]! * k + direction]! / batchSize;
      }
    }
    for (const [c, noise] of series.entries()) {
      for (let step = 0; step < epochs * m; step++) {
        const block = (repetition * epochs + Math.floor(step / m)) * (lags + 1);
        for (let h = 0; h <= lags; h++) sums[c]![block + h]! += noise[step]! * noise[step + h]!;
      }
    }
  }
  return sums.map((blocks) => {
    const joined = joinBlocks({ sums: blocks, lags }, together);
    const steps = together * m;
    const count = joined.sums.length / (lags + 1);
    const variances = Float64Array.from({ length: count }, (_, b) => joined.sums[b * (lags + 1)]! / steps);
    const variance = variances.reduce((sum, value) => sum + value, 0) / count;
    return { ...autocorrelation(joined), variance, varianceError: standardErrorOf(variances) };
  });
}
