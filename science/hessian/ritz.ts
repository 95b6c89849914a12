import { tridiagonalEigen } from './tridiagonal.ts';
import { tridiagonalVectors } from './tridiagonal-vectors.ts';

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
 * lies outside. O(m^2), and with coordinates as much again for those that are close to one another (tridiagonal-vectors.ts).
 */
export function ritzPairs(
  alphas: readonly number[],
  betas: readonly number[],
  top: number,
  order: EigenvalueOrder,
  withCoordinates: boolean,
): RitzPairs {
  const m = alphas.length;
  if (!withCoordinates) {
    const { values, components } = tridiagonalEigen(alphas, betas, [m - 1]);
    const chosen = firstOf(values, top, order);
    return {
      values: chosen.map((i) => values[i]!),
      coordinates: [],
      residuals: chosen.map((i) => Math.abs(betas[m - 1]! * components[i]!)),
    };
  }
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
  return {
    values: chosen.map(({ value }) => value),
    coordinates,
    residuals: coordinates.map((y) => Math.abs(betas[m - 1]! * y[m - 1]!)),
  };
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
