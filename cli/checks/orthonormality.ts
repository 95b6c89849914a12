import { createHash } from 'node:crypto';

/** How far vectors are from orthonormal. */
export interface Deviation {
  readonly measured: number;
  /** The most that vectors may have whose largest deviation |v_i . v_j - delta_ij| is `largest`. */
  bound(largest: number): number;
  readonly how: string;
}

/** Up to so many vectors every pair is looked at, which takes k^2 P / 2 multiplications. */
const mostPairwise = 500;
const probes = 8;

/**
 * Deviation of k vectors of length P from orthonormality, in double precision. Many vectors V (k x P) are looked at through random signs z: an
 * entry of (V V^T - 1) z is on average over z, in the root mean square, the length of that row of V V^T - 1. 4 k P multiplications for each of 8
 * probes.
 */
export function deviationOf(vectors: readonly Float32Array[]): Deviation {
  const k = vectors.length;
  if (k <= mostPairwise)
    return { measured: largestOf(vectors), bound: (largest) => 2 * largest, how: 'of every pair' };
  const squares = new Float64Array(k);
  for (let probe = 0; probe < probes; probe++) {
    const z = signs(probe, k);
    const sum = new Float64Array(vectors[0]!.length);
    for (const [j, vector] of vectors.entries())
      for (let i = 0; i < sum.length; i++) sum[i]! += z[j]! * vector[i]!;
    for (const [j, vector] of vectors.entries()) squares[j]! += (dot(vector, sum) - z[j]!) ** 2 / probes;
  }
  return {
    measured: Math.sqrt(squares.reduce((most, value) => Math.max(most, value), 0)),
    // A mean over 8 probes stays below three times its expectation.
    bound: (largest) => 3 * Math.sqrt(k) * largest,
    how: `of a row, from ${probes} random combinations`,
  };
}

function largestOf(vectors: readonly Float32Array[]): number {
  let largest = 0;
  for (const [i, a] of vectors.entries())
    for (let j = 0; j <= i; j++)
      largest = Math.max(largest, Math.abs(dot(vectors[j]!, a) - (i === j ? 1 : 0)));
  return largest;
}

function dot(a: Float32Array, b: Float32Array | Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Random signs, the same for everyone. */
function signs(probe: number, count: number): Float64Array {
  const outputLength = Math.ceil(count / 8);
  const bits = createHash('shake256', { outputLength }).update(`orthonormality ${probe}`).digest();
  return Float64Array.from({ length: count }, (_, i) => ((bits[i >> 3]! >> (i & 7)) & 1 ? 1 : -1));
}
