import type { TensorFlow } from '../../compute/tensorflow.ts';
import type { Outside } from './outside.ts';
import { addScaled, norm, normalize } from './vectors.ts';

export interface Eigenpairs {
  /** Largest first. */
  readonly eigenvalues: Float64Array;
  /** k x P, row-major; unit vectors. */
  readonly vectors: Float32Array;
  /** |A v - lambda v| of each pair, from a fresh product with the vector as it is stored. */
  readonly residuals: Float64Array;
  /** Largest |v_i . v_j - delta_ij| of the stored vectors; to about 1e-7. */
  readonly orthonormality: number;
  /** Lanczos steps, of one product each, that it took to find them. */
  readonly products: number;
  /** Pairs whose residual is within the tolerance. */
  readonly converged: number;
  /** What is known of all other eigenvalues. */
  readonly outside: Outside;
}

export interface Candidates {
  readonly tf: TensorFlow;
  readonly size: number;
  product(vector: Float32Array): Promise<Float64Array>;
  /** Residual allowed, relative to the largest |eigenvalue| here. */
  readonly tolerance: number;
  readonly values: readonly number[];
  /** k x P; brought to unit length in place. */
  readonly vectors: Float32Array;
  readonly products: number;
  /** Residuals that were measured before, in order. */
  readonly residuals?: readonly number[];
  onResidual?(residual: number): Promise<void>;
}

/** Measures how good eigenpairs are: one product for each. */
export async function certify(candidates: Candidates): Promise<Omit<Eigenpairs, 'outside'>> {
  const { tf, size, product, tolerance, values, vectors, products, residuals: before = [] } = candidates;
  const rows = values.map((_, index) => vectors.subarray(index * size, (index + 1) * size));
  for (const row of rows) normalize(row);
  const residuals = Float64Array.from(values, (_, index) => before[index] ?? 0);
  for (let index = before.length; index < values.length; index++) {
    const image = await product(rows[index]!);
    addScaled(image, rows[index]!, -values[index]!);
    residuals[index] = norm(image);
    await candidates.onResidual?.(residuals[index]!);
  }
  const allowed = tolerance * Math.max(...values.map(Math.abs));
  return {
    eigenvalues: Float64Array.from(values),
    vectors,
    residuals,
    orthonormality: deviationFromOrthonormality(tf, rows, size),
    products,
    converged: residuals.filter((residual) => residual <= allowed).length,
  };
}

/** Largest |v_i . v_j - delta_ij|: lengths in double precision, other products as float32 sums. */
export function deviationFromOrthonormality(
  tf: TensorFlow,
  rows: readonly Float32Array[],
  size: number,
): number {
  const blockRows = 64;
  let largest = rows.reduce((worst, row) => Math.max(worst, Math.abs(norm(row) ** 2 - 1)), 0);
  const stack = (start: number) => {
    const some = rows.slice(start, start + blockRows);
    const values = new Float32Array(some.length * size);
    for (const [index, row] of some.entries()) values.set(row, index * size);
    return tf.tensor2d(values, [some.length, size]);
  };
  for (let left = 0; left < rows.length; left += blockRows) {
    for (let right = 0; right <= left; right += blockRows) {
      const overlaps = tf.tidy(() => tf.matMul(stack(left), stack(right), false, true));
      const [, columns] = overlaps.shape as [number, number];
      for (const [at, overlap] of (overlaps.dataSync() as Float32Array).entries()) {
        const [i, j] = [left + Math.floor(at / columns), right + (at % columns)];
        if (i !== j) largest = Math.max(largest, Math.abs(overlap));
      }
      overlaps.dispose();
    }
  }
  return largest;
}
