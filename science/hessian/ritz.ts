import { EigenvalueDecomposition, Matrix } from 'ml-matrix';

export interface RitzPairs {
  /** Largest first. */
  readonly values: number[];
  /** Of each pair, its coordinates in the Lanczos basis. */
  readonly coordinates: number[][];
  /** Estimates |beta_m s_m| of |A y - theta y| (Golub and Van Loan, theorem 10.1.2). */
  readonly residuals: number[];
}

/** The `top` largest eigenpairs of the symmetric tridiagonal matrix with this diagonal, and `betas` beside it (the last one is outside). */
export function ritzPairs(alphas: readonly number[], betas: readonly number[], top: number): RitzPairs {
  const m = alphas.length;
  const tridiagonal = Matrix.zeros(m, m);
  for (let i = 0; i < m; i++) {
    tridiagonal.set(i, i, alphas[i]!);
    if (i + 1 < m) {
      tridiagonal.set(i, i + 1, betas[i]!);
      tridiagonal.set(i + 1, i, betas[i]!);
    }
  }
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(tridiagonal, {
    assumeSymmetric: true,
  });
  const order = realEigenvalues
    .map((_, index) => index)
    .sort((a, b) => realEigenvalues[b]! - realEigenvalues[a]!);
  const chosen = order.slice(0, top);
  const coordinates = chosen.map((column) => eigenvectorMatrix.getColumn(column));
  return {
    values: chosen.map((column) => realEigenvalues[column]!),
    coordinates,
    residuals: coordinates.map((vector) => Math.abs(betas[m - 1]! * vector[m - 1]!)),
  };
}
