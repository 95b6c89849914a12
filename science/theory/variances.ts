import { isStable, type SgdProcess } from './process.ts';
import { response } from './response.ts';

/** Variances per unit variance of the gradient noise: multiply by sigma_dg^2. NaN where there is no stationary state. */
export interface StationaryVariances {
  /** Whether 0 < eta lambda < 2 (1 + beta). */
  readonly stable: boolean;
  /** sigma_theta^2 / sigma_dg^2 */
  readonly weightVariance: number;
  /** sigma_v^2 / sigma_dg^2 */
  readonly velocityVariance: number;
}

/**
 * sigma_theta^2 and sigma_v^2 over sigma_dg^2, equations (12)-(17), exactly, for any sampling, in O(M) operations and to nearly full
 * double precision for every lambda of a stable process, however small. Not stable: `stable` is false and both values are NaN.
 * Throws RangeError for impossible eta, beta or M.
 *
 * sigma_v^2 follows from sigma_theta^2 and from c(1) = cov(u_{k+1}, theta_k) by taking the covariance of (6) with theta_{k-1}:
 * sigma_v^2 (1 + beta) / 2 = eta lambda sigma_theta^2 - c(1), where both terms on the right are positive.
 */
export function stationaryVariances(process: SgdProcess): StationaryVariances {
  if (!isStable(process)) return { stable: false, weightVariance: Number.NaN, velocityVariance: Number.NaN };
  const { learningRate, momentum, eigenvalue } = process;
  const { variance, foresight } = response(process);
  const halfVelocityVariance = (learningRate * eigenvalue * variance - foresight(1)) / (1 + momentum);
  return {
    stable: true,
    weightVariance: learningRate ** 2 * variance,
    velocityVariance: 2 * learningRate ** 2 * halfVelocityVariance,
  };
}

/** tau = 2 sigma_theta^2 / sigma_v^2 in steps, equation (18), left side. NaN if the process is not stable. */
export function correlationTime(process: SgdProcess): number {
  const { weightVariance, velocityVariance } = stationaryVariances(process);
  return (2 * weightVariance) / velocityVariance;
}

/** Mean loss of the fluctuations, sum_i lambda_i sigma_theta,i^2 / 2 (slides, "Additional Error due to Fluctuations"). */
export function lossFluctuation(eigenvalues: ArrayLike<number>, weightVariances: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < eigenvalues.length; i++) sum += (eigenvalues[i]! * weightVariances[i]!) / 2;
  return sum;
}
