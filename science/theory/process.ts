import type { Sampling } from '../sampling.ts';

/** SGD with momentum, equation (1), on the quadratic loss lambda theta^2 / 2 of one Hessian direction (slides, assumptions 1 to 3). */
export interface SgdProcess {
  /** eta > 0 */
  readonly learningRate: number;
  /** beta in [0, 1) */
  readonly momentum: number;
  /** lambda: the curvature of the loss in this direction. */
  readonly eigenvalue: number;
  /** M, a positive integer. */
  readonly batchesPerEpoch: number;
  readonly sampling: Sampling;
  /** k, batches in a block of block-reshuffling; divides M. Default 1. */
  readonly batchesPerBlock?: number | undefined;
}

/** What drives the stationary fluctuations of theta, per unit variance of u_k = -eta dg_k. */
export interface Response {
  /** Gamma(0) = var(theta_k). */
  readonly variance: number;
  /** c(h) = cov(u_{k+h}, theta_k) for h >= 1: how much a weight knows about the noise yet to come. Zero with replacement. */
  readonly foresight: (lag: number) => number;
}

/**
 * Whether theta fluctuates about the minimum with a finite stationary variance: both eigenvalues of D, equation (17), lie inside
 * the unit circle exactly if 0 < eta lambda < 2 (1 + beta). Outside, theory's stationary values are NaN.
 *
 * Throws RangeError if eta, beta, M or k cannot be hyperparameters at all.
 */
export function isStable(process: SgdProcess): boolean {
  const { learningRate, momentum, eigenvalue, batchesPerEpoch } = process;
  if (!(learningRate > 0 && Number.isFinite(learningRate))) {
    throw new RangeError(`The learning rate must be a positive number, got ${learningRate}.`);
  }
  if (!(momentum >= 0 && momentum < 1)) {
    throw new RangeError(`The momentum must be at least 0 and below 1, got ${momentum}.`);
  }
  if (!(Number.isInteger(batchesPerEpoch) && batchesPerEpoch >= 1)) {
    throw new RangeError(
      `The number of batches per epoch must be a positive integer, got ${batchesPerEpoch}.`,
    );
  }
  const { batchesPerBlock = 1 } = process;
  if (!(batchesPerBlock >= 1 && batchesPerEpoch % batchesPerBlock === 0)) {
    throw new RangeError(
      `The batches per block must divide the ${batchesPerEpoch} of an epoch, got ${batchesPerBlock}.`,
    );
  }
  const curvature = learningRate * eigenvalue;
  return curvature > 0 && curvature < 2 * (1 + momentum);
}
