import type { TensorFlow } from '../../compute/tensorflow.ts';
import { RandomStream } from '../random.ts';
import { OrthonormalBasis } from './basis.ts';
import { certify, type Eigenpairs } from './certify.ts';
import {
  boundOutside,
  type Outside,
  type Sweep,
  type SweepState,
  sweepFailure,
  sweepOutside,
} from './outside.ts';
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
  /** What the last sweep outside of the basis had come to. */
  readonly sweep?: SweepMemory | undefined;
  /** Called after each step with what it added to the state, so that a checkpoint need only append. */
  onStep?(step: LanczosStep): Promise<void>;
  /** Called when a restart put another state in the place of what was there. */
  onRestart?(state: RestartedState): Promise<void>;
  /** Called after each step of a sweep, and with what it came to. */
  onSweep?(memory: SweepMemory): Promise<void>;
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
  readonly looks: Looks;
}

/** Sweeps that could not say enough, so that the basis had to grow first. */
export interface Looks {
  /** No further sweep before this many steps. */
  readonly next: number;
  /** Products that they took. */
  readonly products: number;
}

/** A sweep, told from others by the steps that were done when it began: where it stands, or what it said. */
export interface SweepMemory {
  readonly after: number;
  readonly state?: SweepState;
  readonly outside?: Outside;
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
  readonly missing?: Missing | undefined;
  readonly looks?: Looks | undefined;
}

/** Further copies of eigenvalues that a sweep has seen outside of the basis, and that are being looked for. */
export interface Missing {
  /** It is done when this many Ritz values come to at least `rank` (the value, or its magnitude for that order). */
  readonly count: number;
  readonly rank: number;
  /** Root of the sum of squares of the couplings of the pairs that were found before, which are left out from then on. */
  readonly ignored: number;
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
 * From one vector a Krylov space has one copy of each eigenvalue only. Once the wanted pairs have converged, a sweep from a fresh random vector
 * looks at what lies outside of the basis (outside.ts): if an eigenvalue there comes before the last wanted one, the pairs that were found are kept
 * and the search goes on from that vector; if none can, but with a known small probability, the result says so. A matrix of size P is solved
 * completely after P steps; `top` is cut to P. Throws `RangeError` for a bound on memory that is too small.
 */
export async function lanczos(options: LanczosOptions): Promise<Eigenpairs> {
  const { tf, size, tolerance, seed, product, resume, order = 'algebraic', maxVectors = Infinity } = options;
  const ranked = (values: readonly number[]) => values.map((value) => rankOf(value, order));
  const top = Math.min(options.top, size);
  const longest = Math.min(size, maxVectors >= 2 * size ? size : longestBasis(maxVectors, top));
  let products = resume?.products ?? 0;
  let alphas = [...(resume?.alphas ?? [])];
  let betas = [...(resume?.betas ?? [])];
  const basis = new OrthonormalBasis(tf, size, options.lanes);
  for await (const row of resume?.basis ?? []) basis.push(row);
  let vector = resume?.next ?? randomUnitVector(size, seed, 0, basis);
  let converged = 0;
  let missing = resume?.missing;
  let looks: Looks = resume?.looks ?? { next: 0, products: 0 };

  const isFinished = (): boolean => {
    const m = basis.length;
    const isLast = m === size || products >= options.maxProducts;
    if (m === 0 || !(isLast || m === longest || isLook(m))) return false;
    const { values, residuals } = ritzValues(alphas, betas, Math.min(top, m), order);
    const allowed = margin * tolerance * Math.max(...values.map(Math.abs));
    converged = residuals.filter((residual) => residual <= allowed).length;
    if (isLast) return m >= top;
    const { count, rank } = missing ?? { count: 0, rank: 0 };
    return (
      products >= looks.next &&
      converged === top &&
      ranked(values).filter((value) => value >= rank).length >= count
    );
  };

  /** Looks outside of a basis in which the wanted pairs have converged. */
  const lookOutside = async (): Promise<Outside | 'more'> => {
    const dimension = size - basis.length;
    const after = products;
    const remembered = options.sweep?.after === after ? options.sweep : undefined;
    if (remembered?.outside !== undefined) return remembered.outside;
    if (dimension === 0) {
      const [next = Number.NEGATIVE_INFINITY] = ranked(ritzValues(alphas, betas, size, order).values)
        .sort((a, b) => b - a)
        .slice(top);
      return { bound: next, failureProbability: 0, products: looks.products };
    }
    const { values, residuals } = ritzValues(alphas, betas, top, order);
    const ranks = ranked(values);
    const ignored = missing?.ignored ?? 0;
    const slack = tolerance * Math.max(...values.map(Math.abs)) + 2 * ignored;
    const highest = Math.min(...ranks) + slack;
    const inside = { alphas, betas, ignored, top, order };
    const seen = ({ largest, smallest }: Sweep) =>
      order === 'magnitude' ? Math.max(largest, -smallest) : largest;
    const isBounded = (sweep: Sweep) => Number.isFinite(boundOutside(inside, sweep, highest));
    const start = randomUnitVector(size, seed, products, basis);
    const { sweep, products: taken } = await sweepOutside({
      ...{ basis, start, dimension, product },
      limit: Math.max(1, options.maxProducts - products),
      isEnough: (so) => seen(so) > highest || isBounded(so),
      resume: remembered?.state,
      onStep: async (state) => options.onSweep?.({ after, state }),
    });
    const isSpent = products + taken >= options.maxProducts;
    const bound = boundOutside(inside, sweep, highest);
    if (seen(sweep) <= highest && !Number.isFinite(bound) && !isSpent) {
      // What is outside is known, but a Ritz value that has not converged could still come from it.
      const { length } = basis;
      looks = { next: products + Math.max(4, Math.ceil(length / 8)), products: looks.products + taken };
      return 'more';
    }
    if (seen(sweep) <= highest || isSpent) {
      const result = { bound, failureProbability: sweepFailure, products: looks.products + taken };
      await options.onSweep?.({ after, outside: result });
      return result;
    }
    // What was found stays, by itself; from the sweep's vector the new basis comes to what the sweep has seen.
    products += looks.products + taken;
    looks = { next: 0, products: 0 };
    const found = ritzPairs(alphas, betas, top, order);
    const coefficients = coefficientsOf(found.coordinates, basis.length);
    const rows = rowsOf(basis.combine(coefficients, top), size);
    for (const row of rows) normalize(row);
    basis.replace(rows);
    alphas = [...found.values];
    betas = found.values.map(() => 0);
    const square = (total: number, residual: number) => total + residual ** 2;
    const rank = seen(sweep) - 0.5 * slack;
    missing = {
      rank,
      count: ranks.filter((value) => value >= rank).length + 1,
      ignored: Math.sqrt(residuals.reduce(square, ignored ** 2)),
    };
    vector = orthogonal(start, basis);
    await options.onRestart?.({ products, basis: rows, next: vector, alphas, betas, missing, looks });
    return 'more';
  };

  let outside: Outside | undefined;
  while (outside === undefined) {
    if (isFinished()) {
      const isComplete = converged === top || basis.length === size;
      const looked = isComplete ? await lookOutside() : unknownOutside;
      if (looked !== 'more') outside = looked;
      continue;
    }
    if (basis.length === longest) {
      const pairs = ritzPairs(alphas, betas, keptOf(longest, top), order);
      const kept = restartOf(tf, pairs, betas.at(-1)!);
      const rows = rowsOf(basis.combine(kept.coefficients, kept.alphas.length), size);
      basis.replace(rows);
      ({ alphas, betas } = kept);
      await options.onRestart?.({ products, basis: rows, next: vector, alphas, betas, missing, looks });
    }
    const { alpha, rest, length } = await lanczosStep(basis, vector, betas.at(-1), product);
    products++;
    const scale = alphas.reduce((largest, entry) => Math.max(largest, Math.abs(entry)), Math.abs(alpha));
    const brokeDown = length <= breakdown * betas.reduce((largest, entry) => Math.max(largest, entry), scale);
    const beta = brokeDown ? 0 : length;
    const next = brokeDown ? randomUnitVector(size, seed, products, basis) : rest;
    alphas.push(alpha);
    betas.push(beta);
    await options.onStep?.({ products, vector, next, alpha, beta, converged, looks });
    vector = next;
  }
  const pairs = ritzPairs(alphas, betas, top, order);
  const vectors = basis.combine(coefficientsOf(pairs.coordinates, basis.length), top);
  basis.dispose();
  return { ...(await certify({ ...options, values: pairs.values, vectors, products })), outside };
}

/** After the last step that was allowed, nothing is known of what lies outside. */
const unknownOutside: Outside = { bound: Number.POSITIVE_INFINITY, failureProbability: 0, products: 0 };

/** Coordinates in a basis of this length, one vector a row. */
function coefficientsOf(coordinates: readonly Float64Array[], length: number): Float32Array {
  const coefficients = new Float32Array(coordinates.length * length);
  for (const [i, y] of coordinates.entries()) coefficients.set(y, i * length);
  return coefficients;
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
  return orthogonal(
    Float64Array.from({ length: size }, () => random.normal()),
    basis,
  );
}

/** The part of a vector that is orthogonal to `basis`, as a unit vector. */
function orthogonal(vector: Float32Array | Float64Array, basis: OrthonormalBasis): Float32Array {
  const rest = Float64Array.from(vector);
  basis.orthogonalize(rest);
  normalize(rest);
  return rounded(rest);
}
