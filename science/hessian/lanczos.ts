import { RandomStream } from '../random.ts';
import { ritzPairs } from './ritz.ts';
import { addScaled, dotRows, normalize, rounded } from './vectors.ts';

export interface LanczosOptions {
  /** P */
  readonly size: number;
  /** The symmetric matrix times a vector of length P. */
  product(vector: Float32Array): Promise<Float64Array>;
  /** k, how many of the algebraically largest eigenpairs are wanted. */
  readonly top: number;
  /** Residual |A v - lambda v| allowed, relative to the largest |eigenvalue| seen. */
  readonly tolerance: number;
  readonly maxIterations: number;
  readonly seed: number;
  /** Where an interrupted run stood; it continues with the same bits. */
  readonly resume?: LanczosState;
  /** Called after each step with what it added to the state, so that a checkpoint need only append. */
  onStep?(step: LanczosStep): Promise<void>;
}

/** What one step adds. */
export interface LanczosStep {
  /** Steps done, this one included. */
  readonly iterations: number;
  /** Basis vector that the product was taken of, length P. */
  readonly vector: Float32Array;
  /** Next basis vector, length P. */
  readonly next: Float32Array;
  /** Diagonal entry of the tridiagonal matrix, and the entry beside it. */
  readonly alpha: number;
  readonly beta: number;
  /** Wanted pairs whose residual estimate is within the tolerance, at the last check. */
  readonly converged: number;
}

/** All that Lanczos needs to go on after a step. */
export interface LanczosState {
  /** Basis vectors whose product was taken, in order. */
  readonly basis: readonly Float32Array[];
  readonly next: Float32Array;
  readonly alphas: readonly number[];
  readonly betas: readonly number[];
}

export interface Eigenpairs {
  /** Largest first. */
  readonly eigenvalues: Float64Array;
  /** k x P, row-major; unit vectors. */
  readonly vectors: Float32Array;
  /** |A v - lambda v| of each pair, from a fresh product with the vector as it is stored. */
  readonly residuals: Float64Array;
  /** Largest |v_i . v_j - delta_ij| of the stored vectors. */
  readonly orthonormality: number;
  readonly iterations: number;
  /** Pairs whose residual is within the tolerance. */
  readonly converged: number;
}

/** Whether the residual estimates are looked at after `m` steps: every 10, then 10 % apart, since a look solves an m x m problem. */
function isCheck(m: number): boolean {
  let check = 10;
  while (check < m) check += Math.max(10, Math.floor(check / 10));
  return check === m;
}

/**
 * The algebraically largest eigenpairs of a symmetric matrix that is known by its products, by Lanczos with full reorthogonalization
 * (Golub and Van Loan, Matrix Computations, section 10.1 and 10.3.5): each new vector is made orthogonal to all before it, twice, so that no
 * eigenvalue appears as a ghost copy. Basis vectors are float32, every sum is in double precision.
 *
 * After an exact breakdown (an invariant subspace) it goes on with a new random vector, so that multiple eigenvalues are found too. A matrix of
 * size P is solved completely after P steps; `top` is cut to P.
 */
export async function lanczos(options: LanczosOptions): Promise<Eigenpairs> {
  const { size, tolerance, seed, product } = options;
  const top = Math.min(options.top, size);
  const limit = Math.min(options.maxIterations, size);
  const basis = [...(options.resume?.basis ?? [])];
  const alphas = [...(options.resume?.alphas ?? [])];
  const betas = [...(options.resume?.betas ?? [])];
  let vector = options.resume?.next ?? randomUnitVector(size, seed, 0, []);
  let { converged, finished } = lookAt(alphas, betas, top, limit, tolerance);
  while (!finished) {
    const image = await product(vector);
    basis.push(vector);
    const [alpha] = dotRows([vector], image) as [number];
    for (let pass = 0; pass < 2; pass++) addScaled(image, basis, dotRows(basis, image), -1);
    let beta = normalize(image);
    const scale = Math.max(Math.abs(alpha), ...alphas.map(Math.abs), ...betas);
    const brokeDown = beta <= scale * Math.sqrt(size) * 1e-7;
    if (brokeDown) beta = 0;
    const next = brokeDown ? randomUnitVector(size, seed, basis.length, basis) : rounded(image);
    alphas.push(alpha);
    betas.push(beta);
    if (isCheck(basis.length) || basis.length === limit) {
      ({ converged, finished } = lookAt(alphas, betas, top, limit, tolerance));
    }
    await options.onStep?.({ iterations: basis.length, vector, next, alpha, beta, converged });
    vector = next;
  }
  return certify(options, basis, alphas, betas, top);
}

/**
 * How many of the wanted pairs have a residual estimate within the tolerance, and whether to stop. Looks at nothing but the state and its number
 * of steps, so a resumed run stops where the undisturbed one does.
 */
function lookAt(
  alphas: readonly number[],
  betas: readonly number[],
  top: number,
  limit: number,
  tolerance: number,
): { converged: number; finished: boolean } {
  const m = alphas.length;
  if (m < top || !(isCheck(m) || m === limit)) return { converged: 0, finished: m >= limit };
  const { values, residuals } = ritzPairs(alphas, betas, top);
  const allowed = tolerance * Math.max(...values.map(Math.abs));
  const converged = residuals.filter((residual) => residual <= allowed).length;
  // An invariant subspace has converged, but may lack further copies of its eigenvalues: only a step without breakdown may be the last.
  return { converged, finished: m === limit || (converged === top && betas[m - 1] !== 0) };
}

/** Ritz vectors as float32, with residuals from fresh products and their deviation from orthonormality. */
async function certify(
  { size, product, tolerance }: LanczosOptions,
  basis: readonly Float32Array[],
  alphas: readonly number[],
  betas: readonly number[],
  top: number,
): Promise<Eigenpairs> {
  const { values, coordinates } = ritzPairs(alphas, betas, top);
  const vectors = new Float32Array(top * size);
  const residuals = new Float64Array(top);
  const stored: Float32Array[] = [];
  for (const [index, value] of values.entries()) {
    const sum = new Float64Array(size);
    addScaled(sum, basis, coordinates[index]!, 1);
    normalize(sum);
    const vector = vectors.subarray(index * size, (index + 1) * size);
    vector.set(sum);
    stored.push(vector);
    const image = await product(vector);
    addScaled(image, [vector], [value], -1);
    residuals[index] = normalize(image);
  }
  let orthonormality = 0;
  for (const [i, vector] of stored.entries()) {
    const overlaps = dotRows(stored.slice(0, i + 1), Float64Array.from(vector));
    for (const [j, overlap] of overlaps.entries())
      orthonormality = Math.max(orthonormality, Math.abs(overlap - (i === j ? 1 : 0)));
  }
  const allowed = tolerance * Math.max(...values.map(Math.abs));
  return {
    eigenvalues: Float64Array.from(values),
    vectors,
    residuals,
    orthonormality,
    iterations: basis.length,
    converged: residuals.filter((residual) => residual <= allowed).length,
  };
}

/** A random unit vector orthogonal to `basis`. */
function randomUnitVector(
  size: number,
  seed: number,
  index: number,
  basis: readonly Float32Array[],
): Float32Array {
  const random = new RandomStream(seed, 'lanczos', index);
  const vector = Float64Array.from({ length: size }, () => random.normal());
  for (let pass = 0; pass < 2; pass++) addScaled(vector, basis, dotRows(basis, vector), -1);
  normalize(vector);
  return rounded(vector);
}
