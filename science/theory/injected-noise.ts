import { velocityAutocovariance } from './autocovariance.ts';
import type { SgdProcess } from './process.ts';
import { type StationaryVariances, stationaryVariances } from './variances.ts';

type GradientDescent = Pick<SgdProcess, 'learningRate' | 'momentum' | 'eigenvalue'>;

/**
 * Stationary variances on lambda theta^2 / 2 of gradient descent with momentum and noise xi_k added to each step, per unit variance of xi.
 * Such noise is u_k = -eta dg_k of equation (6), so these are (12)-(15) without E, over eta^2.
 */
export function whiteNoiseVariances(process: GradientDescent): StationaryVariances {
  const perGradientNoise = stationaryVariances(asProcess(process));
  return scaled(perGradientNoise, process.learningRate ** -2);
}

/**
 * The same for Anti-PGD, whose noise is xi_k - xi_{k-1}: being linear, its theta is the difference of consecutive weights of the run with
 * white noise. So sigma_theta^2 is sigma_v^2 of that run, and sigma_v^2 = 2 (cov_v(0) - cov_v(1)). Without momentum sigma_theta^2 =
 * 2 / (2 - eta lambda): finite for lambda -> 0, where white noise gives a random walk.
 */
export function antiCorrelatedNoiseVariances(process: GradientDescent): StationaryVariances {
  const white = asProcess(process);
  const { stable } = stationaryVariances(white);
  const covariance = velocityAutocovariance(white, 1);
  const variances = {
    stable,
    weightVariance: covariance[0]!,
    velocityVariance: 2 * (covariance[0]! - covariance[1]!),
  };
  return scaled(variances, process.learningRate ** -2);
}

function asProcess(process: GradientDescent): SgdProcess {
  return { ...process, batchesPerEpoch: 1, sampling: 'with-replacement' };
}

function scaled({ stable, weightVariance, velocityVariance }: StationaryVariances, factor: number) {
  return { stable, weightVariance: weightVariance * factor, velocityVariance: velocityVariance * factor };
}

/**
 * Mean path of Anti-PGD without momentum in the widening valley L = v^2 |u|^2 / 2 with u in R^d: z_k = theta_k - xi_k descends
 * L + sigma^2 Tr H / 2 with Tr H = d v^2 + |u|^2 (Orvieto et al. 2022; slides, "Anti-PGD"):
 *
 *     u_{k+1} = u_k (1 - eta (v_k^2 + sigma^2)),  v_{k+1} = v_k (1 - eta (|u_k|^2 + d sigma^2)).
 *
 * xi_k is independent of z_k, so this is the exact mean of one step given z_k; the scatter of z about its mean path is neglected.
 *
 * Returns the expected Tr H at theta_k = z_k + xi_k, which is 2 d sigma^2 above that at z_k, for k = 1 ... steps.
 */
export function antiPgdValleyTrace(
  { learningRate, width, variance }: { learningRate: number; width: number; variance: number },
  start: { readonly uSquared: number; readonly v: number },
  steps: number,
): Float64Array {
  let { uSquared, v } = start;
  const trace = new Float64Array(steps);
  for (let k = 0; k < steps; k++) {
    const shrink = 1 - learningRate * (v * v + variance);
    v *= 1 - learningRate * (uSquared + width * variance);
    uSquared *= shrink * shrink;
    trace[k] = width * v * v + uSquared + 2 * width * variance;
  }
  return trace;
}
