import type { EigenvalueOrder } from './ritz.ts';

/** What is known of the eigenvalues that are not among those found. */
export interface Outside {
  /** None of them is larger (in magnitude, for that order); Infinity if nothing could be said, -Infinity if there is none. */
  readonly bound: number;
  /** Probability, over the random start vectors, that the bound is wrong. 0 where all eigenvalues are found. */
  readonly failureProbability: number;
  /** Steps after the wanted pairs had converged for the first time. */
  readonly products: number;
}

/** One sweep in so many may be wrong about what is outside. */
const sweepsPerFailure = 1e6;

/** The probability that one of these sweeps was wrong. */
export function failureProbability(sweeps: number, order: EigenvalueOrder): number {
  return Math.min(1, ((order === 'magnitude' ? 2 : 1) * sweeps) / sweepsPerFailure);
}

/**
 * A sweep: Lanczos from a random vector in what is orthogonal to the first `start` vectors of the basis. B is the matrix restricted to that, and the
 * j-th vector of the sweep is p_j(B) times the first, with the Lanczos polynomials p_j.
 */
export interface Sweep {
  /** Sweeps before this one. */
  readonly index: number;
  readonly start: number;
  /** Steps that were done when the wanted pairs had converged for the first time. */
  readonly firstDone?: number;
  /** What restarts within the sweep have left of it: log p_j at this eigenvalue, and at its negative, up to the first `counted` vectors. */
  readonly limit?: number;
  readonly counted: number;
  readonly above: number;
  readonly below: number;
}

/** The sweep from the vector that comes after `length` others. */
export function sweepFrom(length: number, before?: Sweep): Sweep {
  const { index = -1, firstDone } = before ?? {};
  return {
    ...{ index: index + 1, start: length, counted: length, above: 0, below: 0 },
    ...(firstDone === undefined ? {} : { firstDone }),
  };
}

/**
 * What a sweep in `dimension` dimensions says of eigenvalues of B beyond `limit` (and, by magnitude, below its negative): that some are `there`, for
 * certain, that there are `none`, but with the probability of failure, or nothing yet.
 *
 * The component of the j-th vector along a unit eigenvector u of eigenvalue mu is p_j(mu) times that of the first, and at most 1:
 *
 *     |u . v_0| <= 1 / |p_j(mu)|,    P[ |u . v_0| <= t ] <= t sqrt(2 n / pi)
 *
 * for v_0 uniform on the sphere of n dimensions. p_j grows above the largest Ritz value, so with probability 1 - delta no eigenvalue is larger than the
 * x with p_j(x) = sqrt(2 n / pi) / delta (van Dorsselaer, Hochstenbach and van der Vorst 2000, "Computing probabilistic bounds for extreme
 * eigenvalues of symmetric matrices with the Lanczos method"). It is one event for all j, so the sweep may stop when it likes, and for what Lanczos
 * saw of this spectrum; that a relative error above epsilon has at most the probability 1.648 sqrt(n) exp(-(2 j - 1) sqrt(epsilon)) (Kuczynski and
 * Wozniakowski 1992, "Estimating the largest eigenvalue by the power and Lanczos algorithms with a random start") holds for every spectrum, and for
 * a j that was fixed beforehand.
 */
export function beyond(
  { alphas, betas }: Tridiagonal,
  sweep: Sweep,
  limit: number,
  dimension: number,
  order: EigenvalueOrder,
): 'there' | 'none' | undefined {
  const grown = growth({ alphas, betas }, sweep, sweep.limit ?? limit, order);
  const least = Math.min(grown.above, grown.below);
  if (least === Number.NEGATIVE_INFINITY) return 'there';
  return least >= Math.log(Math.sqrt((2 * dimension) / Math.PI) * sweepsPerFailure) ? 'none' : undefined;
}

/** Tridiagonal matrix of a basis: the last entry of `betas` couples to the vector that comes next. */
export interface Tridiagonal {
  readonly alphas: readonly number[];
  readonly betas: readonly number[];
}

/** What a sweep has come to when its basis is restarted to `kept` vectors, of which the first `start` are not its own. */
export function restartedSweep(
  matrix: Tridiagonal,
  sweep: Sweep,
  limit: number,
  order: EigenvalueOrder,
  kept: { readonly start: number; readonly length: number },
): Sweep {
  const at = sweep.limit ?? limit;
  return {
    ...sweep,
    ...growth(matrix, sweep, at, order),
    ...{ limit: at, start: kept.start, counted: kept.length },
  };
}

/** log p_j at the limit, and log |p_j| at its negative; -Infinity where a Ritz value is beyond it. For the largest eigenvalues only the first. */
function growth({ alphas, betas }: Tridiagonal, sweep: Sweep, limit: number, order: EigenvalueOrder) {
  const grown = (sign: 1 | -1, before: number): number => {
    // The ratio of two p_j is that of a pivot of limit - T to an entry beside the diagonal.
    let sum = before;
    let pivot = 1;
    for (let i = sweep.start; i < alphas.length; i++) {
      const coupling = i === sweep.start ? 0 : betas[i - 1]! ** 2 / pivot;
      pivot = limit - sign * alphas[i]! - coupling;
      if (!(pivot >= 0)) return Number.NEGATIVE_INFINITY;
      if (betas[i] === 0) return Number.POSITIVE_INFINITY;
      if (i >= sweep.counted) sum += Math.log(pivot / betas[i]!);
    }
    return sum;
  };
  return {
    above: grown(1, sweep.above),
    below: order === 'magnitude' ? grown(-1, sweep.below) : Number.POSITIVE_INFINITY,
  };
}
