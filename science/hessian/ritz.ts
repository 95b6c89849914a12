import { tridiagonalEigen } from './tridiagonal.ts';

/** Which eigenvalues are the first: the largest, or the largest in magnitude. Either way they are listed from largest to smallest. */
export type EigenvalueOrder = 'algebraic' | 'magnitude';

export interface RitzPairs {
  /** The wanted ones, largest first. */
  readonly values: number[];
  /** Of each pair, its coordinates in the Lanczos basis; empty unless they were asked for. */
  readonly coordinates: Float64Array[];
  /** Estimates |beta_m s_m| of |A y - theta y| (Golub and Van Loan, theorem 10.1.2). */
  readonly residuals: number[];
}

/**
 * The first `top` eigenpairs of the symmetric tridiagonal matrix with diagonal `alphas`, and `betas` beside it, whose last entry couples to what
 * lies outside. O(m^2) without coordinates, O(m^3) with them.
 */
export function ritzPairs(
  alphas: readonly number[],
  betas: readonly number[],
  top: number,
  order: EigenvalueOrder,
  withCoordinates: boolean,
): RitzPairs {
  const m = alphas.length;
  const { values, components } = tridiagonalEigen(alphas, betas, withCoordinates ? 'all' : [m - 1]);
  const chosen = firstOf(values, top, order);
  const width = withCoordinates ? m : 1;
  const last = (i: number) => components[i * width + width - 1]!;
  return {
    values: chosen.map((i) => values[i]!),
    coordinates: withCoordinates ? chosen.map((i) => components.subarray(i * m, (i + 1) * m)) : [],
    residuals: chosen.map((i) => Math.abs(betas[m - 1]! * last(i))),
  };
}

/** How far to the front an eigenvalue comes. */
export function rankOf(value: number, order: EigenvalueOrder): number {
  return order === 'magnitude' ? Math.abs(value) : value;
}

/** Indices of the first `top` values, largest value first. */
function firstOf(values: Float64Array, top: number, order: EigenvalueOrder): number[] {
  return Array.from(values.keys())
    .sort((a, b) => rankOf(values[b]!, order) - rankOf(values[a]!, order) || a - b)
    .slice(0, top)
    .sort((a, b) => values[b]! - values[a]! || a - b);
}
