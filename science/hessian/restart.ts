import type { TensorFlow } from '../../compute/tensorflow.ts';
import { jacobiMatrix } from './jacobi-matrix.ts';
import { type RitzPairs, ritzPairs } from './ritz.ts';
import { addScaled, dot, norm, normalize } from './vectors.ts';

/** A shorter Lanczos basis for some of the Ritz pairs. */
export interface Restart {
  /** Its vectors in the old basis, count x m, row-major. */
  readonly coefficients: Float32Array;
  readonly alphas: number[];
  /** The last one couples to the vector that came next in the old basis, and does so in the new one. */
  readonly betas: number[];
  /** The first so many are coupled to nothing. */
  readonly alone: number;
}

/** The new basis in that of the kept Ritz vectors: count rows of length count. */
interface Rotation {
  readonly rows: readonly Float64Array[];
  readonly alphas: number[];
  readonly betas: number[];
}

/** What a row may couple to the next vector beside the last one, relative to the coupling: far below the rounding of the vectors. */
const mostCoupling = 1e-9;

/**
 * Thick restart of Lanczos (Wu and Simon 2000): of the m basis vectors only the span of the kept Ritz vectors y_i stays. There the matrix is
 * diag(theta_i), coupled to the next vector by s_i = beta_m (y_i)_m. Instead of carrying this arrowhead on, the span gets the basis in which the
 * matrix is tridiagonal with its last vector alone coupled: that of Lanczos on diag(theta) from s, numbered backwards. (It is the basis of the
 * implicitly restarted method, Sorensen 1992.) It is found from theta and s without vectors, and its vectors by inverse iteration; where
 * eigenvalues are equal to rounding, which leaves these vectors undetermined, by Lanczos itself.
 */
export function restartOf(tf: TensorFlow, pairs: RitzPairs, beta: number): Restart {
  const m = pairs.coordinates[0]!.length;
  const coupled = (y: Float64Array) => beta * y[m - 1]! !== 0;
  // Pairs from before a breakdown, or that were kept by themselves, stay as they are.
  const alone = pairsWhere(pairs, (y) => !coupled(y));
  const { values, coordinates } = pairsWhere(pairs, coupled);
  const couplings = Float64Array.from(coordinates, (y) => beta * y[m - 1]!);
  const { rows, alphas, betas } =
    rotationBySpectrum(values, couplings) ?? rotationByLanczos(values, couplings);
  const coefficients = new Float32Array(pairs.values.length * m);
  for (const [i, y] of alone.coordinates.entries()) coefficients.set(y, i * m);
  if (rows.length > 0) coefficients.set(multiplied(tf, rows, coordinates, m), alone.values.length * m);
  return {
    coefficients,
    alphas: [...alone.values, ...alphas],
    betas: [...alone.values.map(() => 0), ...betas],
    alone: alone.values.length,
  };
}

function pairsWhere({ values, coordinates }: RitzPairs, isWanted: (y: Float64Array) => boolean): RitzPairs {
  const indices = Array.from(coordinates.keys()).filter((i) => isWanted(coordinates[i]!));
  return { values: indices.map((i) => values[i]!), coordinates: indices.map((i) => coordinates[i]!) };
}

/** O(count^2), and as much again for close eigenvalues; undefined if it does not decouple all rows but the last. */
export function rotationBySpectrum(values: readonly number[], couplings: Float64Array): Rotation | undefined {
  const count = values.length;
  const coupling = norm(couplings);
  if (coupling === 0) return undefined;
  const { diagonal, beside } = jacobiMatrix(
    values,
    couplings.map((entry) => (entry / coupling) ** 2),
  );
  const alphas = Array.from(diagonal).reverse();
  const betas = [...Array.from(beside).reverse(), coupling];
  const vectors = ritzPairs(alphas, betas, count, 'algebraic').coordinates;
  for (const [i, z] of vectors.entries())
    if (z[count - 1]! * couplings[i]! < 0) for (let j = 0; j < count; j++) z[j] = -z[j]!;
  const rows = Array.from({ length: count }, (_, j) => Float64Array.from(vectors, (z) => z[j]!));
  const stray = rows.slice(0, -1).reduce((most, row) => Math.max(most, Math.abs(dot(row, couplings))), 0);
  return stray <= mostCoupling * coupling ? { rows, alphas, betas } : undefined;
}

/** Lanczos on diag(values), in double precision and fully reorthogonalized: O(count^3). */
export function rotationByLanczos(values: readonly number[], couplings: Float64Array): Rotation {
  const count = values.length;
  const theta = Float64Array.from(values);
  const negligible = Number.EPSILON * Math.max(...theta.map(Math.abs)) * 8;
  let vector = Float64Array.from(couplings);
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
  return { rows: rows.reverse(), alphas, betas };
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

/** rows times coordinates, in float32 as the basis itself. */
function multiplied(
  tf: TensorFlow,
  rows: readonly Float64Array[],
  coordinates: readonly Float64Array[],
  m: number,
): Float32Array {
  const flat = (list: readonly Float64Array[], width: number) => {
    const values = new Float32Array(list.length * width);
    for (const [index, row] of list.entries()) values.set(row, index * width);
    return tf.tensor2d(values, [list.length, width]);
  };
  const [left, right] = [flat(rows, rows.length), flat(coordinates, m)];
  const product = tf.matMul(left, right);
  const values = product.dataSync() as Float32Array;
  tf.dispose([left, right, product]);
  return values;
}
