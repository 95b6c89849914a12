import type { StationaryVariances } from './variances.ts';

/** eta, beta and M = N / S: what the two regimes of Hessian eigenvalues depend on. */
export interface Hyperparameters {
  readonly learningRate: number;
  readonly momentum: number;
  readonly batchesPerEpoch: number;
}

/** lambda_cross = 3 (1 - beta) S / (eta N) = 3 (1 - beta) / (eta M): the eigenvalue that separates both regimes. */
export function lambdaCross({ learningRate, momentum, batchesPerEpoch }: Hyperparameters): number {
  return (3 * (1 - momentum)) / (learningRate * batchesPerEpoch);
}

/** tau_SGD = (M / 3) (1 + beta) / (1 - beta), in steps: the correlation time of all directions with lambda << lambda_cross. */
export function tauSgd({ momentum, batchesPerEpoch }: Omit<Hyperparameters, 'learningRate'>): number {
  return ((batchesPerEpoch / 3) * (1 + momentum)) / (1 - momentum);
}

/** Per unit noise variance for lambda >> lambda_cross, where anti-correlations may be neglected, equation (19): tau = (1 + beta) / (eta lambda). */
export function largeEigenvalueLimit(
  hyperparameters: Hyperparameters,
  eigenvalue: number,
): StationaryVariances {
  const { learningRate, momentum } = hyperparameters;
  return fromCorrelationTime(hyperparameters, (1 + momentum) / (learningRate * eigenvalue));
}

/** Per unit noise variance for lambda << lambda_cross, equation (20): tau = tau_SGD. */
export function smallEigenvalueLimit(hyperparameters: Hyperparameters): StationaryVariances {
  return fromCorrelationTime(hyperparameters, tauSgd(hyperparameters));
}

function fromCorrelationTime({ learningRate, momentum }: Hyperparameters, tau: number): StationaryVariances {
  const velocityVariance = learningRate ** 2 / ((1 - momentum) * (1 + momentum));
  return { stable: true, weightVariance: (velocityVariance * tau) / 2, velocityVariance };
}

/**
 * f(x) = (3/x) (1 - 2 (exp(-x) - 1 + x) / x^2), which joins both regimes: tau(lambda) = tau_SGD f(3 lambda / lambda_cross).
 *
 * The limit of (12)-(18) for eta lambda << (1 - beta)^2 and M (1 - beta) >> 1 (without replacement): there A(h) is exp(-h x / M) / x times
 * a constant and the sum of equation (2) becomes the integral of (1 - s) exp(-s x). f(0) = 1, f(x) -> 3/x for x >> 1.
 * It is 6 phi_3(-x) with the third phi function of exponential integrators; the series is used where the closed form cancels.
 */
export function crossoverShape(x: number): number {
  if (x < seriesBelow) return series(x, () => 1);
  return (3 / x) * (1 - (2 * (Math.expm1(-x) + x)) / x ** 2);
}

/** d ln f / d ln x of {@link crossoverShape}: 0 for x -> 0, -1 for x >> 1. */
export function crossoverSlope(x: number): number {
  if (x < seriesBelow) return series(x, (m) => m) / crossoverShape(x);
  const bracket = Math.expm1(-x) + x;
  const share = 1 - (2 * bracket) / x ** 2;
  return ((4 * bracket) / x ** 2 + (2 * Math.expm1(-x)) / x) / share - 1;
}

const seriesBelow = 1;

/** 6 sum_m weight(m) (-x)^m / (m + 3)! */
function series(x: number, weight: (m: number) => number): number {
  let term = 1;
  let sum = 0;
  for (let m = 0; m < 18; m++) {
    sum += weight(m) * term;
    term *= -x / (m + 4);
  }
  return sum;
}

/** tau(lambda) in steps from lambda_cross and tau_SGD alone, without replacement: see {@link crossoverShape}. */
export function crossoverCorrelationTime(eigenvalue: number, crossing: number, plateau: number): number {
  return plateau * crossoverShape((3 * eigenvalue) / crossing);
}
