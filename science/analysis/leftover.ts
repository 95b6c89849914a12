import { type Hyperparameters, lambdaCross } from '../theory/regimes.ts';

/** Windows that a series is cut into at least, if it has as many epochs. */
const fewestWindows = 4;
/** Epochs that are summed at least, if the series has enough. */
const fewestEpochs = 2;
/** Directions to each side whose powers are pooled. */
const reach = 5;

/** Power of the gradient noise at frequencies so low that only what does not cancel within an epoch is seen. */
export interface LowFrequencyPower {
  /** Mean square of the noise summed over windows of L epochs, over that of independent draws of the same variance. */
  readonly share: number;
  /** Windows in the series; 0 if there are too few epochs. */
  readonly windows: number;
}

/**
 * Epochs over which the noise of a direction is summed, L = (2/3) lambda_cross / lambda, at least 2. The weights are the noise through a filter that forgets in
 * t = (1 - beta) / (eta lambda) steps; it lets a band of 1 / (2 t) through, and a sum over L M steps one of 1 / (L M). Both are equal for L M = 2 t: then the
 * sums hold the power at the frequencies that move this direction. What is left over in one epoch and in the next may be correlated (in LeNet it is, negatively), and a
 * sum over a single epoch, which begins where the order does, holds more of that than any filter that knows of no epochs.
 *
 * @param epochs Whole epochs at hand.
 */
export function epochsTogether(hyperparameters: Hyperparameters, eigenvalue: number, epochs: number): number {
  const wanted =
    eigenvalue > 0 ? Math.round((2 * lambdaCross(hyperparameters)) / (3 * eigenvalue)) : Infinity;
  return Math.max(1, Math.min(Math.max(wanted, fewestEpochs), Math.floor(epochs / fewestWindows)));
}

/**
 * The share of the noise of one direction that is left over at its low frequencies. The first epoch is left out, since its first two values do not exist; what the
 * subtracted mean takes is given back.
 *
 * @param noise Noise of T steps that begin with an epoch.
 * @param variance Its variance.
 */
export function lowFrequencyPower(
  noise: Float64Array,
  variance: number,
  eigenvalue: number,
  hyperparameters: Hyperparameters,
): LowFrequencyPower {
  const { batchesPerEpoch: m } = hyperparameters;
  const epochs = Math.floor(noise.length / m) - 1;
  const together = epochsTogether(hyperparameters, eigenvalue, epochs);
  const windows = Math.floor(epochs / together);
  if (windows < 2) return { share: Number.NaN, windows: 0 };
  let squares = 0;
  for (let window = 0; window < windows; window++) {
    const start = (1 + window * together) * m;
    let sum = 0;
    for (let k = start; k < start + together * m; k++) sum += noise[k]!;
    squares += sum ** 2;
  }
  const meanSquare = squares / windows / (1 - 1 / windows);
  return { share: meanSquare / (together * m * variance), windows };
}

/**
 * The share r of each direction, as the mean over its neighbours in eigenvalue, weighted by their windows: one direction has but a few, and how much is left over
 * changes slowly with lambda. Between 0 and 1; NaN where nothing is known.
 */
export function pooledShares(eigenvalues: Float64Array, powers: readonly LowFrequencyPower[]): Float64Array {
  const order = [...eigenvalues.keys()].sort((a, b) => eigenvalues[a]! - eigenvalues[b]!);
  const shares = new Float64Array(eigenvalues.length).fill(Number.NaN);
  for (const [rank, index] of order.entries()) {
    let [sum, total] = [0, 0];
    for (const near of order.slice(Math.max(0, rank - reach), rank + reach + 1)) {
      const { share, windows } = powers[near]!;
      if (!Number.isFinite(share)) continue;
      sum += windows * share;
      total += windows;
    }
    if (total > 0) shares[index] = Math.min(1, Math.max(0, sum / total));
  }
  return shares;
}
