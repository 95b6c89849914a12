import { checkLength } from '../mismatch.ts';
import type { OrthonormalBasis } from './basis.ts';
import { addScaled, dot, scaled } from './vectors.ts';

/** What is left of A v below this share of the largest entry of the tridiagonal matrix is rounding: the basis spans an invariant subspace. */
export const breakdown = 1e-6;

/** Thrown when a product is not finite. It could be because the weights are not, or because the loss overflows at them. */
export class NotFiniteError extends Error {
  override readonly name = 'NotFiniteError';
  readonly cure = 'Look at the weights and the loss of the state: has its training diverged?';
}

export interface LanczosStepResult {
  /** v . A v */
  readonly alpha: number;
  /** What is left of A v, as a unit vector in float32; zero if nothing is left. */
  readonly rest: Float32Array;
  /** Its length before. */
  readonly length: number;
}

/**
 * One Lanczos step: adds the unit vector v to the basis, to which it is orthogonal, and makes A v orthogonal to all of it. `coupling` is the entry
 * of the tridiagonal matrix between v and the vector before it. The two large components go in double precision, by the three-term recurrence;
 * what rounding left of the others goes with them.
 */
export async function lanczosStep(
  basis: OrthonormalBasis,
  vector: Float32Array,
  coupling: number | undefined,
  product: (vector: Float32Array) => Promise<Float64Array>,
): Promise<LanczosStepResult> {
  const image = await product(vector);
  checkLength('product', image, vector.length, 'as many as the vector has');
  const alpha = dot(vector, image);
  if (!Number.isFinite(alpha))
    throw new NotFiniteError(`A product with the matrix is ${alpha} along its vector.`);
  addScaled(image, vector, -alpha);
  if (basis.last !== undefined && coupling !== undefined) addScaled(image, basis.last, -coupling);
  basis.push(vector);
  const length = basis.orthogonalize(image);
  return { alpha, rest: scaled(image, length > 0 ? 1 / length : 0), length };
}
