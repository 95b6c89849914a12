import { tridiagonalEigen } from './tridiagonal.ts';
import { tridiagonalVectors } from './tridiagonal-vectors.ts';

/** Which eigenvalues are the first: the largest, or the largest in magnitude. Either way they are listed from largest to smallest. */
export type EigenvalueOrder = 'algebraic' | 'magnitude';

export interface RitzValues {
  /** The wanted ones, largest first. */
  readonly values: number[];
  /** Estimates |beta_m s_m| of |A y - theta y| (Golub and Van Loan, theorem 10.1.2). */
  readonly residuals: number[];
}

export interface RitzPairs {
  /** The wanted ones, largest first. */
  readonly values: number[];
  /** Of each pair, its coordinates in the Lanczos basis. */
  readonly coordinates: Float64Array[];
}

/**
 * The first `top` eigenvalues of the symmetric tridiagonal matrix with diagonal `alphas`, and `betas` beside it, whose last entry couples to what
 * lies outside. O(m^2).
 */
export function ritzValues(
  alphas: readonly number[],
  betas: readonly number[],
  top: number,
  order: EigenvalueOrder,
): RitzValues {
  const m = alphas.length;
  const { values, components } = tridiagonalEigen(alphas, betas, [m - 1]);
  const chosen = firstOf(values, top, order);
  return {
    values: chosen.map((i) => values[i]!),
    residuals: chosen.map((i) => Math.abs(betas[m - 1]! * components[i]!)),
  };
}

/** The same eigenvalues with their eigenvectors: O(m^2), and as much again for those that are close to one another (tridiagonal-vectors.ts). */
export function ritzPairs(
  alphas: readonly number[],
  betas: readonly number[],
  top: number,
  order: EigenvalueOrder,
): RitzPairs {
  const m = alphas.length;
  const blocks = unreducedBlocks(betas, m);
  const all = blocks.flatMap(({ start, end }) =>
    Array.from(tridiagonalEigen(alphas.slice(start, end), betas.slice(start, end), []).values, (value) => ({
      value,
      start,
    })),
  );
  const chosen = firstOf(
    Float64Array.from(all, ({ value }) => value),
    top,
    order,
  ).map((i) => all[i]!);
  const vectors = new Map(
    blocks.map(({ start, end }) => {
      const values = chosen.filter((pair) => pair.start === start).map(({ value }) => value);
      return [start, tridiagonalVectors(alphas.slice(start, end), betas.slice(start, end), values)] as const;
    }),
  );
  const coordinates = chosen.map(({ start }) => {
    const whole = new Float64Array(m);
    whole.set(vectors.get(start)!.shift()!, start);
    return whole;
  });
  return { values: chosen.map(({ value }) => value), coordinates };
}

/** The matrix falls apart where an entry beside the diagonal is zero, which happens after a breakdown. */
function unreducedBlocks(betas: readonly number[], m: number): { start: number; end: number }[] {
  const blocks: { start: number; end: number }[] = [];
  let start = 0;
  for (let i = 0; i < m; i++) {
    if (i + 1 < m && betas[i] !== 0) continue;
    blocks.push({ start, end: i + 1 });
    start = i + 1;
  }
  return blocks;
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
