import type { TensorFlow } from '../../compute/tensorflow.ts';
import { RandomStream } from '../random.ts';
import { OrthonormalBasis } from './basis.ts';
import { certify, type Eigenpairs } from './certify.ts';
import { restartOf } from './restart.ts';
import { type EigenvalueOrder, rankOf, ritzPairs, ritzValues } from './ritz.ts';
import { breakdown, lanczosStep } from './step.ts';
import { normalize, rounded } from './vectors.ts';

export type { Eigenpairs } from './certify.ts';

export interface LanczosOptions {
  readonly tf: TensorFlow;
  /** P */
  readonly size: number;
  /** The symmetric matrix times a vector of length P. */
  product(vector: Float32Array): Promise<Float64Array>;
  /** k, how many eigenpairs are wanted. */
  readonly top: number;
  /** Which ones; default: the algebraically largest. */
  readonly order?: EigenvalueOrder;
  /** Residual |A v - lambda v| allowed, relative to the largest |eigenvalue| among the wanted. */
  readonly tolerance: number;
  /** Limit on steps, of one product each; measuring the residuals comes on top. */
  readonly maxProducts: number;
  /** Parts of each product with the basis that are computed side by side (basis.ts); last bits depend on it. Default 1. */
  readonly lanes?: number;
  /** Vectors of length P that may be held at once, at least {@link leastVectors}; default: no bound. */
  readonly maxVectors?: number;
  readonly seed: number;
  /** Where an interrupted run stood; it continues with the same bits. */
  readonly resume?: LanczosState | undefined;
  /** Residuals of the result that it had measured. */
  readonly residuals?: readonly number[];
  /** Called after each step with what it added to the state, so that a checkpoint need only append. */
  onStep?(step: LanczosStep): Promise<void>;
  /** Called when a restart put another state in the place of what was there. */
  onRestart?(state: RestartedState): Promise<void>;
  /** Called for each residual of the result that was measured, in order. */
  onResidual?(residual: number): Promise<void>;
}

/** What one step adds. */
export interface LanczosStep {
  /** Steps done, this one included. */
  readonly products: number;
  /** Basis vector that the product was taken of, length P. */
  readonly vector: Float32Array;
  /** Next basis vector, length P. */
  readonly next: Float32Array;
  /** Diagonal entry of the tridiagonal matrix, and the entry beside it. */
  readonly alpha: number;
  readonly beta: number;
  /** Wanted pairs whose residual estimate is within the tolerance, at the last look. */
  readonly converged: number;
}

/** All that Lanczos needs to go on. */
export interface LanczosState {
  /** Steps done; more than there are basis vectors once it was restarted. */
  readonly products: number;
  /** Basis vectors, in order. */
  readonly basis: Iterable<Float32Array> | AsyncIterable<Float32Array>;
  readonly next: Float32Array;
  readonly alphas: readonly number[];
  readonly betas: readonly number[];
}

export interface RestartedState extends LanczosState {
  readonly basis: readonly Float32Array[];
}

/** Estimates leave this much of the tolerance to the rounding of products. */
const margin = 0.9;

/** Vectors that a restart keeps, of a basis of `length` for `top` wanted pairs. */
function keptOf(length: number, top: number): number {
  return top + Math.floor((length - top) / 3);
}

/** The smallest bound on vectors with which `top` pairs can be found. */
export function leastVectors(top: number): number {
  return top + 12 + keptOf(top + 12, top);
}

/** The longest basis for which it and what a restart, or the result, keeps of it are at most `maxVectors` vectors. */
function longestBasis(maxVectors: number, top: number): number {
  if (maxVectors < leastVectors(top)) {
    throw new RangeError(
      `${top} eigenpairs need room for at least ${leastVectors(top)} vectors; there is room for ${maxVectors}.`,
    );
  }
  let length = top + 12;
  while (length + 1 + keptOf(length + 1, top) <= maxVectors) length++;
  return length;
}

/**
 * The first eigenpairs of a symmetric matrix that is known by its products, by Lanczos with full reorthogonalization (Golub and Van Loan, Matrix
 * Computations, section 10.1 and 10.3.5), restarted within a bound on memory (thick restart, Wu and Simon 2000). Each new vector is made
 * orthogonal to all before it, so that no eigenvalue appears as a ghost copy. Basis vectors are float32, the tridiagonal matrix is double.
 *
 * After an exact breakdown (an invariant subspace) it goes on with a new random vector, so that further copies of multiple eigenvalues are found
 * too; where there is none, as for any Krylov method from one vector, an exactly multiple eigenvalue may come with one copy only. A matrix of size
 * P is solved completely after P steps; `top` is cut to P. Throws `RangeError` for a bound that is too small.
 */
export async function lanczos(options: LanczosOptions): Promise<Eigenpairs> {
  const { tf, size, tolerance, seed, product, resume, order = 'algebraic', maxVectors = Infinity } = options;
  const top = Math.min(options.top, size);
  const longest = Math.min(size, maxVectors >= 2 * size ? size : longestBasis(maxVectors, top));
  let products = resume?.products ?? 0;
  let alphas = [...(resume?.alphas ?? [])];
  let betas = [...(resume?.betas ?? [])];
  const basis = new OrthonormalBasis(tf, size, options.lanes);
  for await (const row of resume?.basis ?? []) basis.push(row);
  let vector = resume?.next ?? randomUnitVector(size, seed, 0, basis);
  let converged = 0;

  const isFinished = (): boolean => {
    const m = basis.length;
    const isLast = m === size || products >= options.maxProducts;
    if (m === 0 || !(isLast || m === longest || isLook(m))) return false;
    const { values, residuals } = ritzValues(alphas, betas, Math.min(top, m), order);
    const allowed = margin * tolerance * Math.max(...values.map(Math.abs));
    converged = residuals.filter((residual) => residual <= allowed).length;
    if (isLast) return m >= top;
    if (converged < top) return false;
    // An invariant subspace has converged, but may lack further copies of its eigenvalues. If a random vector outside is an eigenvector, so is
    // every other, and the copies do not come before the wanted ones.
    if (betas[m - 1] !== 0) return true;
    const isAlone = m > 1 && betas[m - 2] === 0;
    return (
      isAlone && rankOf(alphas[m - 1]!, order) <= Math.min(...values.map((value) => rankOf(value, order)))
    );
  };

  while (!isFinished()) {
    if (basis.length === longest) {
      const pairs = ritzPairs(alphas, betas, keptOf(longest, top), order);
      const kept = restartOf(tf, pairs, betas.at(-1)!);
      const rows = rowsOf(basis.combine(kept.coefficients, kept.alphas.length), size);
      basis.replace(rows);
      ({ alphas, betas } = kept);
      await options.onRestart?.({ products, basis: rows, next: vector, alphas, betas });
    }
    const { alpha, rest, length } = await lanczosStep(basis, vector, betas.at(-1), product);
    products++;
    const scale = alphas.reduce((largest, entry) => Math.max(largest, Math.abs(entry)), Math.abs(alpha));
    const brokeDown = length <= breakdown * betas.reduce((largest, entry) => Math.max(largest, entry), scale);
    const beta = brokeDown ? 0 : length;
    const next = brokeDown ? randomUnitVector(size, seed, products, basis) : rest;
    alphas.push(alpha);
    betas.push(beta);
    await options.onStep?.({ products, vector, next, alpha, beta, converged });
    vector = next;
  }
  const pairs = ritzPairs(alphas, betas, top, order);
  const coefficients = new Float32Array(top * basis.length);
  for (const [i, y] of pairs.coordinates.entries()) coefficients.set(y, i * basis.length);
  const vectors = basis.combine(coefficients, top);
  basis.dispose();
  return certify({ ...options, values: pairs.values, vectors, products });
}

/** Whether the residual estimates are looked at when the basis has `m` vectors: at most about a hundred times as it doubles, since a look is O(m^2). */
function isLook(m: number): boolean {
  return m % (1 + Math.floor(m / 100)) === 0;
}

function rowsOf(values: Float32Array, size: number): Float32Array[] {
  return Array.from({ length: values.length / size }, (_, i) => values.subarray(i * size, (i + 1) * size));
}

/** A random unit vector orthogonal to `basis`. */
function randomUnitVector(size: number, seed: number, index: number, basis: OrthonormalBasis): Float32Array {
  const random = new RandomStream(seed, 'lanczos', index);
  const vector = Float64Array.from({ length: size }, () => random.normal());
  basis.orthogonalize(vector);
  normalize(vector);
  return rounded(vector);
}
