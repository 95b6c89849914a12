import type { TensorFlow } from '../../compute/tensorflow.ts';
import { type Eigenpairs, lanczos } from '../hessian/lanczos.ts';
import { type CurvatureMatrix, createHessianProduct } from '../hessian/product.ts';
import type { EigenvalueOrder } from '../hessian/ritz.ts';
import { checkWeights, checkWhole, MismatchError } from '../mismatch.ts';
import { checkIsMean } from './mean.ts';
import type { Problem } from './problem.ts';

export interface EigenpairsOptions {
  readonly tf: TensorFlow;
  readonly problem: Problem;
  /** theta, length P, in the order of `problem.model.layout`. */
  readonly weights: Float32Array;
  /** k, from 1 to P. */
  readonly top: number;
  /** Which are the first: the algebraically largest (default), or the largest in magnitude. */
  readonly order?: EigenvalueOrder;
  /** Default: the Hessian. */
  readonly matrix?: CurvatureMatrix;
  /** Largest residual |H v - lambda v| allowed, relative to the largest |eigenvalue| found; default 1e-4. Products are float32: not below 1e-6. */
  readonly tolerance?: number;
  /** Limit on Lanczos steps, of one product each; default 20 top + 200. */
  readonly maxProducts?: number;
  /** Of the random start vectors; default 0. */
  readonly seed?: number;
  /** As `loadTensorFlow` gave it; last bits depend on it. Default 1. */
  readonly lanes?: number;
}

/** Thrown when the products that were allowed did not give all eigenpairs with the certificate that was asked for. */
export class UnconvergedError extends Error {
  override readonly name = 'UnconvergedError';
  readonly cure = 'Raise `maxProducts` or `tolerance`, or ask for fewer eigenpairs.';
  /** What was found, with the residual of each pair. */
  readonly pairs: Eigenpairs;
  constructor(pairs: Eigenpairs) {
    const { converged, eigenvalues, products, residuals } = pairs;
    const found =
      converged === eigenvalues.length
        ? `All ${converged} eigenpairs have converged, but whether others lie between them is not known,`
        : `Expected ${eigenvalues.length} eigenpairs within the tolerance, got ${converged} (the largest residual is ${Math.max(...residuals).toPrecision(3)})`;
    super(`${found} after ${products} products.`);
    this.pairs = pairs;
  }
}

/**
 * The first k eigenpairs of the Hessian of a loss at given weights, matrix-free: exact products by differentiating twice (Pearlmutter 1994), and
 * Lanczos with full reorthogonalization. Each pair comes with its certificate, the residual |H v - lambda v| of a fresh product: an eigenvalue of H lies
 * within that distance. `outside` bounds all other eigenvalues, and states the probability that the bound is wrong.
 *
 * Eigenvalues have the units of loss / weight^2, largest first; `vectors` is k x P, row-major, in the order of `problem.model.layout`. Equal
 * arguments and threads give equal bits on one kind of processor.
 *
 * Throws {@link UnconvergedError}; {@link MismatchError} for what does not fit together, or a loss that is no mean over its examples; and
 * {@link import('../../compute/gradients/second-derivatives.ts').SecondDerivativeError} for an operation whose second derivative is not verified.
 *
 * @example
 * const { tf } = await loadTensorFlow({ threads: 1 });
 * const problem = lossProblem({
 *   parameters: { w: [3] },
 *   loss: (tf, { w }) => tf.sum(tf.mul(tf.square(w), [3, 0.5, 1])),
 * });
 * const { eigenvalues } = await hessianEigenpairs({ tf, problem, weights: new Float32Array(3), top: 2 });
 * eigenvalues[0]; // ~ 6
 * eigenvalues[1]; // ~ 2
 */
export async function hessianEigenpairs(options: EigenpairsOptions): Promise<Eigenpairs> {
  const { tf, problem, weights, top, order = 'algebraic', matrix = 'hessian', lanes = 1 } = options;
  const { tolerance = 1e-4, seed = 0, maxProducts = 20 * top + 200 } = options;
  const { size } = problem.model;
  checkWhole('top', top, [1, size], `there are ${size} weights`);
  checkWhole('maxProducts', maxProducts, [1, Number.POSITIVE_INFINITY]);
  if (!(tolerance > 0))
    throw new MismatchError('tolerance', 'a positive number', `${tolerance}`, 'Take 1e-4.');
  checkWeights(weights, size);
  checkIsMean(tf, problem, weights);
  const hessian = createHessianProduct({ tf, ...problem, weights, matrix, lanes });
  try {
    const product = (vector: Float32Array) => hessian.product(vector);
    const pairs = await lanczos({ tf, size, product, top, order, tolerance, seed, maxProducts, lanes });
    if (pairs.converged < top || pairs.outside.bound === Number.POSITIVE_INFINITY)
      throw new UnconvergedError(pairs);
    return pairs;
  } finally {
    hessian.dispose();
  }
}
