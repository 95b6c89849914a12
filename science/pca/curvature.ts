/** Curvature of the loss along a unit vector p. */
export interface Curvature {
  /** p^T H p */
  readonly value: number;
  /** |H p - (p^T H p) p|: zero exactly if p is an eigenvector of H. */
  readonly residual: number;
}

/** The Rayleigh quotient of the Hessian along a unit vector, from one Hessian-vector product, with the residual that tells p from an eigenvector. */
export function curvatureAlong(vector: Float32Array, image: Float64Array): Curvature {
  let value = 0;
  for (let i = 0; i < vector.length; i++) value += vector[i]! * image[i]!;
  let squares = 0;
  for (let i = 0; i < vector.length; i++) squares += (image[i]! - value * vector[i]!) ** 2;
  return { value, residual: Math.sqrt(squares) };
}
