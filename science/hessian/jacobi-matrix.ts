/** A symmetric tridiagonal matrix of size n. */
export interface JacobiMatrix {
  readonly diagonal: Float64Array;
  /** n - 1 entries, not negative. */
  readonly beside: Float64Array;
}

/**
 * The tridiagonal matrix whose eigenvalues are `nodes` and whose unit eigenvectors have first components of square `weights` (which sum to 1): what
 * Lanczos on diag(nodes) gives from the square roots of the weights. By the algorithm RKPW of Gragg and Harwood 1984, "The numerically stable
 * reconstruction of Jacobi matrices from spectral data", which adds one node after another by rotations: O(n^2), where Lanczos with
 * reorthogonalization takes O(n^3).
 */
export function jacobiMatrix(nodes: ArrayLike<number>, weights: ArrayLike<number>): JacobiMatrix {
  const n = nodes.length;
  const diagonal = Float64Array.from(nodes);
  const squares = new Float64Array(n);
  squares[0] = weights[0]!;
  for (let added = 1; added < n; added++) {
    const node = nodes[added]!;
    let rest = weights[added]!;
    let [cosine, sine, shift] = [1, 0, 0];
    for (let k = 0; k <= added; k++) {
      const sum = squares[k]! + rest;
      const square = cosine * sum;
      const before = sine;
      [cosine, sine] = sum <= 0 ? [1, 0] : [squares[k]! / sum, rest / sum];
      const next = sine * (diagonal[k]! - node) - cosine * shift;
      diagonal[k]! -= next - shift;
      shift = next;
      rest = sine <= 0 ? before * squares[k]! : (shift * shift) / sine;
      squares[k] = square;
    }
  }
  // The first is the sum of the weights.
  return { diagonal, beside: squares.subarray(1).map(Math.sqrt) };
}
