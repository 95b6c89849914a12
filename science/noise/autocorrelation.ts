import { average } from '../analysis/blocks.ts';

/** Sums of lagged products of B blocks of equally many pairs: B x (L + 1), row-major. Blocks are uncorrelated with each other. */
export interface LagBlocks {
  readonly sums: Float64Array;
  readonly lags: number;
}

export interface Autocorrelation {
  /** rho(h) = sum_b a_b(h) / sum_b a_b(0), h = 0 ... L: the autocovariance, averaged over components, over the variance, averaged likewise. */
  readonly measured: Float64Array;
  /** NaN if there is only one block. */
  readonly standardError: Float64Array;
}

/**
 * The autocorrelation from sums of lagged products. The mean is not estimated but known to be zero, so there is no bias of order 1 / T.
 *
 * The standard error is that of a ratio of means, from its linearization: the scatter over blocks of a_b(h) - rho(h) a_b(0).
 * Epochs are uncorrelated blocks where each is drawn anew, because a product of noises of two epochs has mean zero given either. Noise that
 * repeats itself has only one epoch that counts; its blocks are independent repetitions.
 */
export function autocorrelation({ sums, lags }: LagBlocks): Autocorrelation {
  const blocks = sums.length / (lags + 1);
  const at = (h: number) => Float64Array.from({ length: blocks }, (_, b) => sums[b * (lags + 1) + h]!);
  const variances = at(0);
  const level = average(variances);
  const measured = new Float64Array(lags + 1);
  const standardError = new Float64Array(lags + 1);
  for (let h = 0; h <= lags; h++) {
    const products = at(h);
    const rho = average(products) / level;
    measured[h] = rho;
    const differences = products.map((product, b) => product - rho * variances[b]!);
    standardError[h] = standardErrorOf(differences) / level;
  }
  return { measured, standardError };
}

/** Standard error of the mean of independent values; NaN for a single one. */
export function standardErrorOf(values: Float64Array): number {
  const mean = average(values);
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return Math.sqrt(squares / (values.length - 1) / values.length);
}

/** Adds up groups of `size` consecutive blocks, so that each group is a block. */
export function joinBlocks({ sums, lags }: LagBlocks, size: number): LagBlocks {
  const width = lags + 1;
  const joined = new Float64Array(sums.length / size);
  for (let i = 0; i < sums.length; i++) {
    const block = Math.floor(i / width);
    joined[Math.floor(block / size) * width + (i % width)]! += sums[i]!;
  }
  return { sums: joined, lags };
}
