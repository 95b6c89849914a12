import type { OrthonormalBasis } from './basis.ts';
import type { EigenvalueOrder } from './ritz.ts';
import { breakdown } from './step.ts';
import { tridiagonalEigen } from './tridiagonal.ts';
import { addScaled, dot, norm, scaled } from './vectors.ts';

/** What is known of the eigenvalues that are not among those found. */
export interface Outside {
  /** None of them is larger (in magnitude, for that order); Infinity if nothing could be said. */
  readonly bound: number;
  /** Probability, over the random start vector, that the bound is wrong. 0 where all eigenvalues are found. */
  readonly failureProbability: number;
  /** Products that it took. */
  readonly products: number;
}

/** Probability that a sweep misses what is outside. */
const failure = 1e-6;

/** The extreme eigenvalues of the matrix outside of a basis, as a sweep of Lanczos from a random vector sees them. */
export interface Sweep {
  /** Ritz values: certain lower and upper limits of the largest and the smallest eigenvalue there. */
  readonly largest: number;
  readonly smallest: number;
  /** Nothing there is larger, or smaller, but with the probability of failure. */
  readonly above: number;
  readonly below: number;
}

export interface SweepOptions {
  readonly basis: OrthonormalBasis;
  /** Random unit vector orthogonal to the basis. */
  readonly start: Float32Array;
  /** Dimension of what is outside of the basis. */
  readonly dimension: number;
  product(vector: Float32Array): Promise<Float64Array>;
  /** Steps at the most. */
  readonly limit: number;
  /** Whether the sweep knows enough. */
  isEnough(sweep: Sweep): boolean;
  /** Where an interrupted sweep stood; it continues with the same bits. */
  readonly resume?: SweepState | undefined;
  onStep?(state: SweepState): Promise<void>;
}

/** All that a sweep needs to go on. */
export interface SweepState {
  readonly alphas: readonly number[];
  readonly betas: readonly number[];
  readonly vector: Float32Array;
  readonly before: Float32Array | undefined;
}

/**
 * Lanczos on the matrix restricted to what is orthogonal to a basis, from a random vector, until the extreme eigenvalues there are known well enough.
 * After j steps from a vector that is uniform on the sphere of dimension n, the largest Ritz value xi of a symmetric matrix with eigenvalues
 * mu_1 >= ... >= mu_n satisfies
 *
 *     P[ mu_1 - xi > epsilon (mu_1 - mu_n) ] <= 1.648 sqrt(n) exp(-(2 j - 1) sqrt(epsilon))
 *
 * (Kuczynski and Wozniakowski 1992, "Estimating the largest eigenvalue by the power and Lanczos algorithms with a random start", theorem 4.2, for
 * the matrix shifted to mu_n = 0), and likewise the smallest. Vectors are not kept: copies of a Ritz value, which come for want of
 * reorthogonalization, do no harm to the extreme ones.
 */
export async function sweepOutside(options: SweepOptions): Promise<{ sweep: Sweep; products: number }> {
  const { basis, start, dimension, product, limit, isEnough, resume } = options;
  const alphas = [...(resume?.alphas ?? [])];
  const betas = [...(resume?.betas ?? [])];
  let vector = resume?.vector ?? start;
  let before = resume?.before;
  for (;;) {
    const image = await product(vector);
    const alpha = dot(vector, image);
    addScaled(image, vector, -alpha);
    if (before !== undefined) addScaled(image, before, -betas.at(-1)!);
    basis.orthogonalize(image);
    const length = norm(image);
    alphas.push(alpha);
    betas.push(length);
    const scale = Math.max(...alphas.map(Math.abs), ...betas.slice(0, -1));
    const isComplete = length <= breakdown * scale || alphas.length === dimension;
    const sweep = sweepOf(alphas, betas, isComplete ? 0 : epsilonOf(alphas.length, dimension));
    if (isComplete || alphas.length >= limit || isEnough(sweep)) return { sweep, products: alphas.length };
    before = vector;
    vector = scaled(image, 1 / length);
    await options.onStep?.({ alphas, betas, vector, before });
  }
}

/** The relative error that the probability of failure, half of it at each end, leaves after `steps` steps. */
function epsilonOf(steps: number, dimension: number): number {
  return (Math.log((1.648 * Math.sqrt(dimension)) / (failure / 2)) / (2 * steps - 1)) ** 2;
}

function sweepOf(alphas: readonly number[], betas: readonly number[], epsilon: number): Sweep {
  const { values } = tridiagonalEigen(alphas, betas, []);
  const largest = Math.max(...values);
  const smallest = Math.min(...values);
  // mu_1 - mu_n <= (xi_1 - xi_n) / (1 - 2 epsilon), by both errors.
  const error =
    epsilon < 0.5 ? (epsilon * (largest - smallest)) / (1 - 2 * epsilon) : Number.POSITIVE_INFINITY;
  return { largest, smallest, above: largest + error, below: smallest - error };
}

export interface Inside {
  /** Tridiagonal matrix of the basis; its last entry beside the diagonal couples to what lies outside. */
  readonly alphas: readonly number[];
  readonly betas: readonly number[];
  /** Root of the sum of squares of couplings that were left out of the matrix. */
  readonly ignored: number;
  /** k */
  readonly top: number;
  readonly order: EigenvalueOrder;
}

/**
 * The smallest x of at most `highest` for which it is certain that at most `top` eigenvalues of the whole matrix come before x, where the part
 * outside of the basis has eigenvalues between `below` and `above`; Infinity if there is none. For x > above the eigenvalues before x are, by the
 * inertia of the Schur complement, at most as many as those of T + C (x - above)^-1 C^T, where C couples the basis to what lies outside: beta_m in
 * its last row, and what was ignored, of at most that norm, anywhere.
 */
export function boundOutside(inside: Inside, { above, below }: Sweep, highest: number): number {
  const { betas, ignored, top, order } = inside;
  const coupling = betas.at(-1)!;
  const lowest = order === 'magnitude' ? Math.max(above, -below) : above;
  const isCertain = (x: number): boolean => {
    const room = x - lowest;
    if (room < 0 || (room === 0 && (coupling > 0 || ignored > 0))) return false;
    // (a + b)^2 <= 2 a^2 + 2 b^2, where there are both.
    const share = ignored > 0 ? 2 : 1;
    const shift = coupling === 0 ? 0 : (share * coupling ** 2) / room;
    const moved = ignored === 0 ? 0 : ignored + (2 * ignored ** 2) / room;
    const before = countAbove(inside, x - moved, shift);
    const mirrored = order === 'magnitude' ? countAbove(negated(inside), x - moved, shift) : 0;
    return before + mirrored <= top;
  };
  if (!isCertain(highest)) return Number.POSITIVE_INFINITY;
  let [low, high] = [Math.min(lowest, highest), highest];
  for (let halving = 0; halving < 60 && low < high; halving++) {
    const middle = (low + high) / 2;
    if (isCertain(middle)) high = middle;
    else low = middle;
  }
  return high;
}

function negated({ alphas, ...rest }: Inside): Inside {
  return { ...rest, alphas: alphas.map((alpha) => -alpha) };
}

/** How many eigenvalues of the tridiagonal matrix, with `shift` added to its last diagonal entry, are larger than x: the positive pivots (Sylvester). */
function countAbove({ alphas, betas }: Inside, x: number, shift: number): number {
  let count = 0;
  let pivot = 1;
  for (const [i, alpha] of alphas.entries()) {
    const own = i === alphas.length - 1 ? alpha + shift : alpha;
    const beside = i === 0 ? 0 : betas[i - 1]!;
    pivot = own - x - (beside === 0 ? 0 : beside ** 2 / (pivot || Number.EPSILON * (Math.abs(x) + beside)));
    if (pivot > 0) count++;
  }
  return count;
}

/** The probability of failure of one sweep that did not see everything. */
export const sweepFailure: number = failure;
