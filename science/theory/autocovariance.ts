import { isStable, type SgdProcess } from './process.ts';
import { response } from './response.ts';

/**
 * B(h) = E (theta_{k+h} - theta_k)^2 / 2 = sigma_theta^2 - cov(theta_k, theta_{k+h}) for h = 0 ... lags, per unit variance of the
 * gradient noise, in O(lags + M). All NaN if the process is not stable.
 *
 * Unlike the autocovariance it stays finite for white noise as lambda -> 0, so differences taken from it lose no digits. The covariance
 * of (6) with theta_{k-h} gives B(h) - B(h-1) = beta (B(h-1) - B(h-2)) - eta lambda B(h-1) + eta lambda sigma_theta^2 - c(h).
 */
export function weightStructureFunction(process: SgdProcess, lags: number): Float64Array {
  const structure = new Float64Array(lags + 1);
  if (!isStable(process)) return structure.fill(Number.NaN);
  const { learningRate, momentum, eigenvalue } = process;
  const a = learningRate * eigenvalue;
  const { variance, foresight } = response(process);
  // B(-1) = B(1) turns the recursion at h = 1 into B(1) (1 + beta) = eta lambda sigma_theta^2 - c(1).
  let increment = (a * variance - foresight(1)) / (1 + momentum);
  let value = 0;
  for (let h = 1; h <= lags; h++) {
    if (h > 1) increment = momentum * increment - a * value + (a * variance - foresight(h));
    value += increment;
    structure[h] = learningRate ** 2 * value;
  }
  return structure;
}

/** cov(theta_k, theta_{k+h}) for h = 0 ... lags, per unit variance of the gradient noise. NaN if the process is not stable. */
export function weightAutocovariance(process: SgdProcess, lags: number): Float64Array {
  const structure = weightStructureFunction(process, lags);
  if (!isStable(process)) return structure;
  const variance = process.learningRate ** 2 * response(process).variance;
  return structure.map((b) => variance - b);
}

/**
 * cov(v_k, v_{k+h}) for h = 0 ... lags, per unit variance of the gradient noise: the second difference B(h+1) - 2 B(h) + B(h-1) of
 * {@link weightStructureFunction}. NaN if the process is not stable.
 */
export function velocityAutocovariance(process: SgdProcess, lags: number): Float64Array {
  const structure = weightStructureFunction(process, lags + 1);
  return Float64Array.from({ length: lags + 1 }, (_, h) => velocityCovarianceAt(structure, h));
}

/** cov(v_k, v_{k+h}) out of a structure function that reaches lag h + 1. */
export function velocityCovarianceAt(structure: Float64Array, lag: number): number {
  return structure[lag + 1]! - 2 * structure[lag]! + structure[Math.abs(lag - 1)]!;
}
