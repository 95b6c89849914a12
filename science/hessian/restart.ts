import type { RitzPairs } from './ritz.ts';
import { addScaled, dot, norm, normalize } from './vectors.ts';

/** A shorter Lanczos basis for some of the Ritz pairs. */
export interface Restart {
  /** Its vectors in the old basis, count x m, row-major. */
  readonly coefficients: Float32Array;
  readonly alphas: number[];
  /** The last one couples to the vector that came next in the old basis, and does so in the new one. */
  readonly betas: number[];
}

/**
 * Thick restart of Lanczos (Wu and Simon 2000): of the m basis vectors only the span of the kept Ritz vectors y_i stays. There the matrix is
 * diag(theta_i), coupled to the next vector by s_i = beta_m (y_i)_m. Instead of carrying this arrowhead on, the span gets the basis in which the
 * matrix is tridiagonal with its last vector alone coupled: that of Lanczos on diag(theta) from s, numbered backwards, in double precision and
 * fully reorthogonalized. (It is the basis of the implicitly restarted method, Sorensen 1992.)
 */
export function restartOf({ values, coordinates }: RitzPairs, beta: number): Restart {
  const count = values.length;
  const m = coordinates[0]!.length;
  const theta = Float64Array.from(values);
  const negligible = Number.EPSILON * Math.max(...theta.map(Math.abs)) * 8;
  let vector = Float64Array.from(coordinates, (y) => beta * y[m - 1]!);
  const coupling = norm(vector);
  const rows: Float64Array[] = [];
  const alphas = new Array<number>(count);
  const betas = new Array<number>(count);
  for (let j = count - 1; j >= 0; j--) {
    let length = norm(vector);
    if (length <= negligible) {
      length = 0;
      vector = outside(rows, count);
    }
    betas[j] = j === count - 1 ? coupling : length;
    normalize(vector);
    const image = theta.map((value, i) => value * vector[i]!);
    alphas[j] = dot(vector, image);
    rows.push(vector);
    for (let pass = 0; pass < 2; pass++) for (const row of rows) addScaled(image, row, -dot(row, image));
    vector = image;
  }
  return { coefficients: multiplied(rows.reverse(), coordinates, m), alphas, betas };
}

/** A vector orthogonal to the rows: what is left of the unit vector that lies least in their span. */
function outside(rows: readonly Float64Array[], size: number): Float64Array<ArrayBuffer> {
  const inside = new Float64Array(size);
  for (const row of rows) for (let i = 0; i < size; i++) inside[i]! += row[i]! ** 2;
  const vector = new Float64Array(size);
  vector[inside.indexOf(Math.min(...inside))] = 1;
  for (let pass = 0; pass < 2; pass++) for (const row of rows) addScaled(vector, row, -dot(row, vector));
  return vector;
}

function multiplied(
  rows: readonly Float64Array[],
  coordinates: readonly Float64Array[],
  m: number,
): Float32Array {
  const product = new Float32Array(rows.length * m);
  for (const [j, row] of rows.entries()) {
    const sum = new Float64Array(m);
    for (const [i, y] of coordinates.entries()) addScaled(sum, y, row[i]!);
    product.set(sum, j * m);
  }
  return product;
}
