/** A loss of few weights, in double precision. */
export interface ToyLoss {
  /** Number of weights. */
  readonly dimension: number;
  value(theta: Float64Array): number;
  /** Writes grad L(theta) into `gradient`. */
  gradient(theta: Float64Array, gradient: Float64Array): void;
  /** Trace of the Hessian at theta. */
  hessianTrace(theta: Float64Array): number;
}

/** L(theta) = sum_i lambda_i theta_i^2 / 2, equation (3) in the eigenbasis of H. */
export function quadraticLoss(eigenvalues: readonly number[]): ToyLoss {
  const trace = eigenvalues.reduce((sum, eigenvalue) => sum + eigenvalue, 0);
  return {
    dimension: eigenvalues.length,
    value: (theta) => eigenvalues.reduce((sum, eigenvalue, i) => sum + (eigenvalue * theta[i]! ** 2) / 2, 0),
    gradient(theta, gradient) {
      for (let i = 0; i < theta.length; i++) gradient[i] = eigenvalues[i]! * theta[i]!;
    },
    hessianTrace: () => trace,
  };
}

/**
 * The widening valley L(u, v) = v^2 |u|^2 / 2 with u in R^d and v in R (Orvieto et al. 2022, section 3). Every point with u = 0 or v = 0 is a
 * minimum. Tr H = d v^2 + |u|^2, so that along the valley u = 0 the minimum is the flatter the smaller |v| is. theta = (u_1 ... u_d, v).
 */
export function wideningValley(width: number): ToyLoss {
  const squaresOf = (theta: Float64Array) => {
    let squares = 0;
    for (let i = 0; i < width; i++) squares += theta[i]! ** 2;
    return squares;
  };
  return {
    dimension: width + 1,
    value: (theta) => (theta[width]! ** 2 * squaresOf(theta)) / 2,
    gradient(theta, gradient) {
      const v = theta[width]!;
      for (let i = 0; i < width; i++) gradient[i] = v * v * theta[i]!;
      gradient[width] = v * squaresOf(theta);
    },
    hessianTrace: (theta) => width * theta[width]! ** 2 + squaresOf(theta),
  };
}

/** `count` eigenvalues from `from` to `to` at equal ratios. */
export function logRange(from: number, to: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) =>
    count === 1 ? from : from * (to / from) ** (i / (count - 1)),
  );
}
