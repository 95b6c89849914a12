import type { Sampling } from '../sampling.ts';
import { velocityCovarianceAt, weightStructureFunction } from './autocovariance.ts';
import { noiseAutocovariance } from './noise.ts';
import type { SgdProcess } from './process.ts';

/** What is subtracted from a recorded series before its variance is taken: a least-squares straight line, or the mean. */
export type Drift = 'linear' | 'mean';

/**
 * Expected mean square of what is left of T consecutive values after their drift is subtracted, for a process with structure function
 * B(h) = var - cov(h), h = 0 ... T - 1. In O(T).
 *
 * With q the orthonormal directions that are projected out (the constant, and the centred line), it is
 * (1/T) sum_q sum_{s,t} q_s q_t B(|s - t|): the process's variance cancels because the constant is always among them. The lagged
 * products sum_t q_t q_{t+h} are polynomials in h. It assumes that the covariance depends on the lag only; see
 * `noiseAutocovariance` for what an epoch does to that.
 */
export function expectedVariance(structure: Float64Array, drift: Drift): number {
  const steps = structure.length;
  const lineNorm = (steps * (steps ** 2 - 1)) / 12;
  let sum = 0;
  for (let h = 1; h < steps; h++) {
    const overlap = steps - h;
    let weight = overlap / steps;
    if (drift === 'linear') weight += (overlap * (overlap ** 2 - 1 - 3 * h * h)) / 12 / lineNorm;
    sum += weight * structure[h]!;
  }
  return (2 * sum) / steps;
}

/** Expectations of the sample variances over one recorded window, per unit variance of the gradient noise. */
export interface WindowVariances {
  /** Mean square of theta after the drift is subtracted. */
  readonly weightVariance: number;
  /** Mean square of v = theta_k - theta_{k-1} about its own mean. */
  readonly velocityVariance: number;
}

/**
 * What (12)-(17) predict for T recorded steps with the drift subtracted, instead of for infinitely many. Slow directions lose variance
 * with the drift. NaN if the process is not stable.
 *
 * @param structure `weightStructureFunction(process, lags)` with lags >= T - 1
 * @param steps T >= 3
 */
export function expectedWindowVariances(
  structure: Float64Array,
  steps: number,
  drift: Drift,
): WindowVariances {
  // The mean of the T - 1 velocities is (theta_T - theta_1) / (T - 1), with variance 2 B(T - 1) / (T - 1)^2.
  const meanVariance = (2 * structure[steps - 1]!) / (steps - 1) ** 2;
  return {
    weightVariance: expectedVariance(structure.subarray(0, steps), drift),
    velocityVariance: 2 * structure[1]! - meanVariance,
  };
}

/** Expected mean square of T consecutive values of the gradient noise after its drift is subtracted, per unit variance, from equation (2). */
export function expectedNoiseVariance(
  batchesPerEpoch: number,
  sampling: Sampling,
  steps: number,
  drift: Drift,
  batchesPerBlock?: number,
): number {
  const structure = Float64Array.from(
    { length: steps },
    (_, lag) => 1 - noiseAutocovariance(lag, batchesPerEpoch, sampling, batchesPerBlock),
  );
  return expectedVariance(structure, drift);
}

/** A flat-top lag window (Politis and Romano 1995): 1 up to lag `flat`, then falling linearly to 0 at lag `end`. */
export interface LagWindow {
  readonly flat: number;
  readonly end: number;
}

/**
 * sum_h w(h) h cov(v_k, v_{k+h}) / sum_h w(h) cov(v_k, v_{k+h}): the right side of equation (18) through a lag window w, as it is
 * expected from T steps whose velocities are taken about their mean. Tends to tau for `flat` -> infinity and T -> infinity.
 *
 * @param structure `weightStructureFunction(process, lags)` with lags >= max(T - 1, window.end + 1)
 */
export function expectedCorrelationTimeSum(
  structure: Float64Array,
  steps: number,
  window: LagWindow,
): number {
  const meanVariance = (2 * structure[steps - 1]!) / (steps - 1) ** 2;
  let first = 0;
  let total = 0;
  for (let h = 1; h < window.end; h++) {
    const weight = h <= window.flat ? 1 : (window.end - h) / (window.end - window.flat);
    const covariance = weight * (velocityCovarianceAt(structure, h) - meanVariance);
    first += h * covariance;
    total += covariance;
  }
  return first / total;
}

/** The structure function that the three expectations above need for a window of T steps. */
export function windowStructureFunction(
  process: SgdProcess,
  steps: number,
  window?: LagWindow,
): Float64Array {
  return weightStructureFunction(process, Math.max(steps - 1, (window?.end ?? 0) + 1));
}
