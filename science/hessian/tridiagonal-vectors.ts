import { RandomStream } from '../random.ts';
import { addScaled, dot, normalize } from './vectors.ts';

/** Eigenvalues closer than this share of the largest have vectors that rounding can mix by more than about 1e-9. */
const closeShare = 1e-6;
const mostIterations = 8;

/**
 * Unit eigenvectors of an unreduced symmetric tridiagonal matrix of size m (no zero beside the diagonal) at some of its eigenvalues, which are
 * given in descending order and to full precision, by inverse iteration (Peters and Wilkinson 1979, "Inverse iteration, ill-conditioned
 * equations and Newton's method"; the safeguards are those of LAPACK's dstein). O(m) for each, and for each pair of close ones as much again for
 * making them orthogonal: for thousands of them far less than the O(m^3) of carrying vectors through QL. Orthogonal to about 1e-9. The component
 * of largest magnitude is positive.
 */
export function tridiagonalVectors(
  diagonal: ArrayLike<number>,
  beside: ArrayLike<number>,
  values: readonly number[],
): Float64Array[] {
  const m = diagonal.length;
  if (m === 1) return values.map(() => Float64Array.of(1));
  let scale = 0;
  for (let i = 0; i < m; i++) scale = Math.max(scale, Math.abs(diagonal[i]!), Math.abs(beside[i] ?? 0));
  const rounding = Number.EPSILON * scale;
  const vectors: Float64Array[] = [];
  let first = 0;
  let shift = Number.POSITIVE_INFINITY;
  for (const [index, value] of values.entries()) {
    // Equal to working precision, as in Wilkinson's matrix: another shift leads to the other vector.
    shift = Math.min(value, shift - 10 * rounding);
    while (values[first]! - value > closeShare * scale) first++;
    const close = vectors.slice(first);
    const factors = factorize(diagonal, beside, m, shift, rounding);
    const random = new RandomStream(0, 'inverse-iteration', index);
    const vector = Float64Array.from({ length: m }, () => random.uniform() - 0.5);
    normalize(vector);
    const least = close.length === 0 ? 2 : 3;
    for (let iteration = 1; iteration <= mostIterations; iteration++) {
      solve(factors, vector);
      // (T - shift) x = b with |b| = 1 leaves a residual of 1 / |x|.
      const residual = 1 / normalize(vector);
      for (const other of close) addScaled(vector, other, -dot(other, vector));
      normalize(vector);
      if (iteration >= least && residual <= 4 * Math.sqrt(m) * rounding) break;
    }
    makeLargestPositive(vector);
    vectors.push(vector);
  }
  return vectors;
}

/** P (T - shift) = L U with partial pivoting: U has two superdiagonals. */
interface Factors {
  readonly multipliers: Float64Array;
  readonly pivots: Float64Array;
  readonly above: Float64Array;
  readonly aboveNext: Float64Array;
  /** 1 where rows i and i + 1 were swapped. */
  readonly swapped: Uint8Array;
}

function factorize(
  diagonal: ArrayLike<number>,
  beside: ArrayLike<number>,
  m: number,
  shift: number,
  smallest: number,
): Factors {
  const pivots = Float64Array.from(diagonal, (entry) => entry - shift);
  const above = Float64Array.from({ length: m }, (_, i) => (i + 1 < m ? beside[i]! : 0));
  const aboveNext = new Float64Array(m);
  const multipliers = new Float64Array(m);
  const swapped = new Uint8Array(m);
  for (let i = 0; i + 1 < m; i++) {
    const below = beside[i]!;
    if (Math.abs(pivots[i]!) >= Math.abs(below)) {
      multipliers[i] = below / pivots[i]!;
      pivots[i + 1]! -= multipliers[i]! * above[i]!;
      continue;
    }
    const multiplier = pivots[i]! / below;
    const next = pivots[i + 1]!;
    pivots[i + 1] = above[i]! - multiplier * next;
    pivots[i] = below;
    above[i] = next;
    aboveNext[i] = above[i + 1]!;
    above[i + 1] = -multiplier * aboveNext[i]!;
    multipliers[i] = multiplier;
    swapped[i] = 1;
  }
  // Singular to working precision, as it should be: the smallest perturbation that can be divided by.
  for (let i = 0; i < m; i++) if (Math.abs(pivots[i]!) < smallest) pivots[i] = smallest;
  return { multipliers, pivots, above, aboveNext, swapped };
}

/** Solves (T - shift) x = b in place. */
function solve({ multipliers, pivots, above, aboveNext, swapped }: Factors, b: Float64Array): void {
  const last = b.length - 1;
  for (let i = 0; i < last; i++) {
    if (swapped[i] === 1) {
      const upper = b[i]!;
      b[i] = b[i + 1]!;
      b[i + 1] = upper - multipliers[i]! * b[i]!;
    } else b[i + 1]! -= multipliers[i]! * b[i]!;
  }
  b[last]! /= pivots[last]!;
  b[last - 1] = (b[last - 1]! - above[last - 1]! * b[last]!) / pivots[last - 1]!;
  for (let i = last - 2; i >= 0; i--)
    b[i] = (b[i]! - above[i]! * b[i + 1]! - aboveNext[i]! * b[i + 2]!) / pivots[i]!;
}

function makeLargestPositive(vector: Float64Array): void {
  let largest = 0;
  for (let i = 0; i < vector.length; i++) if (Math.abs(vector[i]!) > Math.abs(vector[largest]!)) largest = i;
  if (vector[largest]! < 0) for (let i = 0; i < vector.length; i++) vector[i] = -vector[i]!;
}
