import type { TensorFlow } from '../../compute/tensorflow.ts';
import { checkWhole } from '../mismatch.ts';
import { RandomStream } from '../random.ts';
import { OrthonormalBasis } from './basis.ts';
import { certify, type Eigenpairs } from './certify.ts';
import {
  beyond,
  failureProbability,
  type Outside,
  restartedSweep,
  type Sweep,
  sweepFrom,
  type Tridiagonal,
} from './outside.ts';
import { restartOf } from './restart.ts';
import { type EigenvalueOrder, type RitzPairs, rankOf, ritzPairs, ritzValues } from './ritz.ts';
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
  /** Limit on steps, of one product each, and so on pairs; measuring the residuals comes on top. */
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
  readonly sweep: Sweep;
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
  /** The sweep that `next` belongs to. */
  readonly sweep: Sweep;
}

export interface RestartedState extends LanczosState {
  readonly basis: readonly Float32Array[];
}

/** Estimates leave this much of the tolerance to what the pairs kept before a sweep have left of their residuals, and to the rounding of products. */
const margin = 0.5;

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
 * From one vector a Krylov space has one copy of each eigenvalue only. Once the wanted pairs have converged, they alone are kept, and a sweep from
 * a fresh random vector, orthogonal to them, goes on until it shows that no eigenvalue outside comes before the last of them, but with a known small
 * probability (outside.ts), or that one does: then it goes on until that has converged too, and the next sweep follows. By Courant and Fischer, what is
 * orthogonal to k vectors, eigenvectors or not, bounds the (k + 1)-th eigenvalue. After a breakdown (an invariant subspace) the next sweep begins at
 * once. A matrix of size P is solved completely after P steps; `top` is cut to P. Throws `RangeError` for a bound on memory that is too small,
 * {@link NotFiniteError} for a product that is not finite, and `MismatchError` for one of another length.
 *
 * @example
 * const { tf } = await loadTensorFlow({ threads: 1 });
 * const product = async ([a, b]) => Float64Array.of(2 * a + b, a + 2 * b);
 * const found = await lanczos({ tf, size: 2, product, top: 1, tolerance: 1e-5, maxProducts: 10, seed: 0 });
 * found.eigenvalues[0]; // ~ 3
 */
export async function lanczos(options: LanczosOptions): Promise<Eigenpairs> {
  const { tf, size, tolerance, seed, product, resume, order = 'algebraic', maxVectors = Infinity } = options;
  checkWhole('top', options.top, [1, Number.POSITIVE_INFINITY]);
  const top = Math.min(options.top, size);
  const longest = Math.min(size, maxVectors >= 2 * size ? size : longestBasis(maxVectors, top));
  let products = resume?.products ?? 0;
  let alphas = [...(resume?.alphas ?? [])];
  let betas = [...(resume?.betas ?? [])];
  const basis = new OrthonormalBasis(tf, size, options.lanes);
  for await (const row of resume?.basis ?? []) basis.push(row);
  let sweep = resume?.sweep ?? sweepFrom(0);
  let vector = resume?.next ?? randomUnitVector(size, seed, sweep.index, basis);
  let converged = 0;

  /** Goes on with these Ritz vectors in place of the basis; beta is what couples them to the next vector. */
  const restart = async (pairs: RitzPairs, beta: number, next: (length: number, alone: number) => Sweep) => {
    const kept = restartOf(tf, pairs, beta);
    const rows = rowsOf(basis.combine(kept.coefficients, kept.alphas.length), size);
    const before = sweep.index;
    sweep = next(rows.length, kept.alone);
    basis.replace(rows);
    ({ alphas, betas } = kept);
    if (sweep.index > before) vector = randomUnitVector(size, seed, sweep.index, basis);
    await options.onRestart?.({ products, basis: rows, next: vector, alphas, betas, sweep });
  };

  /** What the sweep says of eigenvalues that would come before the last wanted one. */
  const look = () => {
    const { values, residuals } = ritzValues(alphas, betas, Math.min(top, basis.length), order);
    // Negative ones may yet give way to others, and with them the scale: the largest stays.
    const scale = Math.max(...values.map(Math.abs));
    const lasting = order === 'magnitude' ? scale : Math.max(values[0]!, 0);
    const allowed = margin * Math.max(tolerance * lasting, Math.min(tolerance, breakdown) * scale);
    const limit = limitOf(values, tolerance, order);
    return {
      limit,
      converged: residuals.filter((residual) => residual <= allowed).length,
      found: beyond({ alphas, betas }, sweep, limit, size - sweep.start, order),
    };
  };

  let outside: Outside | undefined;
  while (outside === undefined) {
    const m = basis.length;
    const isSpent = products >= options.maxProducts;
    const hasEnded = betas.at(-1) === 0 && sweep.start < m;
    if (m > 0 && (m === size || isSpent || hasEnded || m === longest || isLook(m))) {
      const { limit, found, ...looked } = look();
      ({ converged } = looked);
      const next = m === size ? rankAfter({ alphas, betas }, top, sweep, order) : Infinity;
      const isWhole = next <= limit;
      const isSure = isWhole || (converged === top && found === 'none');
      if (isSure || isSpent) {
        outside = {
          // Courant and Fischer count from one end: with both, couplings that are neglected could still add what the tolerance allows.
          bound:
            isWhole && (order === 'algebraic' || sweep.firstDone === undefined)
              ? next
              : isSure
                ? (sweep.limit ?? limit)
                : Infinity,
          failureProbability: isWhole ? 0 : isSure ? failureProbability(sweep.index + 1, order) : 1,
          products: sweep.firstDone === undefined ? 0 : products - sweep.firstDone,
        };
        break;
      }
      if (m === size || (converged === top && found === 'there')) {
        await restart(ritzPairs(alphas, betas, top, order), 0, (length) => ({
          firstDone: products,
          ...sweepFrom(length, sweep),
        }));
        continue;
      }
      if (m === longest) {
        const pairs = ritzPairs(alphas, betas, keptOf(longest, top), order);
        await restart(pairs, betas.at(-1)!, (length, start) =>
          restartedSweep({ alphas, betas }, sweep, limit, order, { start, length }),
        );
        continue;
      }
    }
    const { alpha, rest, length } = await lanczosStep(basis, vector, betas.at(-1), product);
    products++;
    alphas.push(alpha);
    betas.push(length);
    const scale = betas
      .slice(0, -1)
      .reduce((most, beta) => Math.max(most, beta), Math.max(...alphas.map(Math.abs)));
    const isNegligible = length <= breakdown * scale;
    const done = vector;
    // As long as the sweep may have something to say, what is left is not given up, small as it is: it could be all there is of an eigenvector.
    if (isNegligible && (m + 1 < top || look().found === 'there')) {
      betas[m] = 0;
      // Pairs that were kept before this sweep are kept anew with what it found.
      if (sweep.firstDone === undefined) {
        sweep = sweepFrom(m + 1, sweep);
        vector = randomUnitVector(size, seed, sweep.index, basis);
      }
    } else vector = rest;
    await options.onStep?.({
      ...{ products, vector: done, next: vector, alpha, beta: betas[m]!, converged, sweep },
    });
  }
  const pairs = ritzPairs(alphas, betas, top, order);
  const coefficients = new Float32Array(pairs.values.length * basis.length);
  for (const [i, y] of pairs.coordinates.entries()) coefficients.set(y, i * basis.length);
  const vectors = basis.combine(coefficients, pairs.values.length);
  basis.dispose();
  return { ...(await certify({ ...options, values: pairs.values, vectors, products })), outside };
}

/**
 * The eigenvalue (in magnitude, for that order) that nothing outside may exceed: the last of the wanted ones, with what the tolerance leaves open, or
 * products in float32.
 */
function limitOf(values: readonly number[], tolerance: number, order: EigenvalueOrder): number {
  const last = Math.min(...values.map((value) => rankOf(value, order)));
  return last + Math.max(tolerance, breakdown) * Math.max(...values.map(Math.abs));
}

/**
 * Where the basis spans everything: what comes after the first `top` eigenvalues; -Infinity if nothing does. Pairs that were kept before a sweep are
 * coupled to it by what the tolerance leaves of their residuals, which the tridiagonal matrix does not have: then the first eigenvalue of all that is
 * orthogonal to them.
 */
function rankAfter(
  { alphas, betas }: Tridiagonal,
  top: number,
  sweep: Sweep,
  order: EigenvalueOrder,
): number {
  const from = sweep.firstDone === undefined ? 0 : top;
  const { values } = ritzValues(alphas.slice(from), betas.slice(from), alphas.length, order);
  const ranks = values.map((value) => rankOf(value, order)).sort((a, b) => b - a);
  return ranks[top - from] ?? Number.NEGATIVE_INFINITY;
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
