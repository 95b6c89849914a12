/** Eigenvalues of a symmetric tridiagonal matrix of size m, in no order, and chosen components of its eigenvectors. */
export interface TridiagonalEigen {
  readonly values: Float64Array;
  /** m x (number of components), row-major: row i has those of the i-th unit eigenvector. */
  readonly components: Float64Array;
}

/**
 * Solves the symmetric tridiagonal eigenproblem by the QL algorithm with implicit shifts (Bowdler, Martin, Reinsch and Wilkinson 1968; EISPACK
 * tql2). `beside[i]` couples i and i + 1; what lies beyond m - 1 entries is not read. Of each eigenvector only the `wanted` components are
 * carried along (Golub and Welsch 1969), so a few of them cost O(m^2) and all of them O(m^3).
 */
export function tridiagonalEigen(
  diagonal: ArrayLike<number>,
  beside: ArrayLike<number>,
  wanted: readonly number[],
): TridiagonalEigen {
  const m = diagonal.length;
  const d = Float64Array.from(diagonal);
  const e = new Float64Array(m);
  for (let i = 0; i + 1 < m; i++) e[i] = beside[i]!;
  const width = wanted.length;
  const z = new Float64Array(m * width);
  for (let k = 0; k < width; k++) z[wanted[k]! * width + k] = 1;

  let shift = 0;
  let scale = 0;
  for (let l = 0; l < m; l++) {
    scale = Math.max(scale, Math.abs(d[l]!) + Math.abs(e[l]!));
    const negligible = Number.EPSILON * scale;
    let end = l;
    while (end < m - 1 && Math.abs(e[end]!) > negligible) end++;
    while (end > l) {
      shift += deflateBy(d, e, l);
      sweep(d, e, z, width, l, end);
      if (Math.abs(e[l]!) <= negligible) break;
    }
    d[l]! += shift;
    e[l] = 0;
  }
  return { values: d, components: z };
}

/** Shifts the rest of the diagonal by an eigenvalue of its leading 2 x 2 block, which is returned. */
function deflateBy(d: Float64Array, e: Float64Array, l: number): number {
  const before = d[l]!;
  const ratio = (d[l + 1]! - before) / (2 * e[l]!);
  const root = ratio < 0 ? -hypotenuse(ratio, 1) : hypotenuse(ratio, 1);
  d[l] = e[l]! / (ratio + root);
  d[l + 1] = e[l]! * (ratio + root);
  const shift = before - d[l]!;
  for (let i = l + 2; i < d.length; i++) d[i]! -= shift;
  return shift;
}

/** One implicit QL sweep over the block from l to end; rows of `z` are rotated with it. */
function sweep(
  d: Float64Array,
  e: Float64Array,
  z: Float64Array,
  width: number,
  l: number,
  end: number,
): void {
  const next = d[l + 1]!;
  const besideNext = e[l + 1]!;
  let p = d[end]!;
  let [c, c2, c3] = [1, 1, 1];
  let [s, s2] = [0, 0];
  for (let i = end - 1; i >= l; i--) {
    c3 = c2;
    c2 = c;
    s2 = s;
    const g = c * e[i]!;
    const h = c * p;
    const r = hypotenuse(p, e[i]!);
    e[i + 1] = s * r;
    s = e[i]! / r;
    c = p / r;
    p = c * d[i]! - s * g;
    d[i + 1] = h + s * (c * g + s * d[i]!);
    for (let k = i * width; k < (i + 1) * width; k++) {
      const above = z[k + width]!;
      z[k + width] = s * z[k]! + c * above;
      z[k] = c * z[k]! - s * above;
    }
  }
  p = (-s * s2 * c3 * besideNext * e[l]!) / next;
  e[l] = s * p;
  d[l] = c * p;
}

/** Not Math.hypot, whose last bit depends on the JavaScript engine. */
function hypotenuse(a: number, b: number): number {
  const [large, small] = Math.abs(a) > Math.abs(b) ? [Math.abs(a), Math.abs(b)] : [Math.abs(b), Math.abs(a)];
  if (large === 0) return 0;
  const ratio = small / large;
  return large * Math.sqrt(1 + ratio * ratio);
}
