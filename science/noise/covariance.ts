/** Values of N examples in k directions, N x k, row-major, with mean zero in each direction. */
export interface CentredValues {
  readonly values: Float64Array;
  readonly directions: number;
}

/** Subtracts the mean over all examples in each direction. */
export function centre(values: ArrayLike<number>, directions: number): CentredValues {
  const centred = Float64Array.from(values);
  const examples = centred.length / directions;
  for (let i = 0; i < directions; i++) {
    let sum = 0;
    for (let n = 0; n < examples; n++) sum += centred[n * directions + i]!;
    for (let n = 0; n < examples; n++) centred[n * directions + i]! -= sum / examples;
  }
  return { values: centred, directions };
}

/** Covariance over all examples (divided by N), k x k, row-major. */
export function exampleCovariance({ values, directions: k }: CentredValues): Float64Array {
  const examples = values.length / k;
  const covariance = new Float64Array(k * k);
  for (let n = 0; n < examples; n++) {
    const row = values.subarray(n * k, (n + 1) * k);
    for (let i = 0; i < k; i++) {
      for (let j = 0; j <= i; j++) covariance[i * k + j]! += row[i]! * row[j]!;
    }
  }
  for (let i = 0; i < k; i++) {
    for (let j = 0; j <= i; j++) {
      covariance[i * k + j]! /= examples;
      covariance[j * k + i] = covariance[i * k + j]!;
    }
  }
  return covariance;
}

/** How nearly C and H, both within the span of k Hessian eigenvectors, are one the multiple of the other, and how nearly they commute. */
export interface Alignment {
  /** tr(C H) / (|C| |H|) with Frobenius norms: 1 if C is proportional to H. */
  readonly cosine: number;
  /** |[C, H]| / (2 |C| |H|): 0 if they commute (assumption 3 of the slides), at most 1 / sqrt(2) (Böttcher and Wenzel 2008). */
  readonly commutator: number;
}

/**
 * Within the subspace H is diagonal, so [C, H]_ij = C_ij (lambda_j - lambda_i). What C does between the subspace and the rest is not seen.
 *
 * @param covariance C in the eigenbasis, k x k.
 */
export function alignment(covariance: Float64Array, eigenvalues: ArrayLike<number>): Alignment {
  const k = eigenvalues.length;
  let trace = 0;
  let squaresC = 0;
  let squaresH = 0;
  let squaresCommutator = 0;
  for (let i = 0; i < k; i++) {
    trace += covariance[i * k + i]! * eigenvalues[i]!;
    squaresH += eigenvalues[i]! ** 2;
    for (let j = 0; j < k; j++) {
      const c = covariance[i * k + j]!;
      squaresC += c ** 2;
      squaresCommutator += (c * (eigenvalues[j]! - eigenvalues[i]!)) ** 2;
    }
  }
  const norms = Math.sqrt(squaresC * squaresH);
  return { cosine: trace / norms, commutator: Math.sqrt(squaresCommutator) / (2 * norms) };
}
