import type { Sampling } from '../sampling.ts';
import { blockAutocovariance, reversalAutocovariance } from './orders.ts';

/** Whether each epoch repeats the batches of the one before, so that at fixed weights the noise has period M and never forgets. */
export function isPeriodic(sampling: Sampling): boolean {
  return sampling === 'shuffle-once' || sampling === 'sequential';
}

/**
 * Whether something of the order is kept for ever, so that one long run does not tell the mean over random orders: in every epoch the same order, or the
 * same blocks.
 */
export function neverForgets(sampling: Sampling): boolean {
  return isPeriodic(sampling) || sampling === 'block-reshuffling';
}

/** Epochs after which the noise is drawn anew as a whole: 2 for a pair of an order and its reverse, else 1. */
export function epochsOfOneDraw(sampling: Sampling): number {
  return sampling === 'paired-reversal' ? 2 : 1;
}

/**
 * Autocovariance of the gradient noise over its variance, cov(dg_k, dg_{k+h}) / C, equation (2):
 *
 * - with replacement: 1 at h = 0, else 0;
 * - without replacement: 1 at h = 0, -(M - |h|) / (M (M - 1)) for 1 <= |h| <= M, else 0. Two batches of the same epoch have
 *   correlation -1 / (M - 1), because the noise of an epoch sums to zero, and steps h apart share an epoch with probability (M - |h|) / M;
 * - shuffle-once and sequential: the noise repeats itself, dg_{k+M} = dg_k, so two steps always hold either the same batch or two
 *   batches of one epoch: 1 if M divides h, else -1 / (M - 1). This is the mean over random orders. One order that is kept for ever has its
 *   own autocovariance, which scatters about it; file order counts as random only if it says nothing about the gradients;
 * - block-reshuffling and paired-reversal: see {@link blockAutocovariance} and {@link reversalAutocovariance}.
 *
 * Without replacement the process is cyclostationary: the covariance of steps k and k + h depends on where in its epoch k lies, and
 * equation (2) is its mean over all M positions. Averages over whole epochs are therefore exact; a window that is not a whole number of
 * epochs long differs by the positions it has more of.
 *
 * With M = 1 every batch holds all examples, so the noise is zero if drawn without replacement; its factor is then taken as 1 at h = 0, else 0.
 */
export function noiseAutocovariance(
  lag: number,
  batchesPerEpoch: number,
  sampling: Sampling,
  batchesPerBlock = 1,
): number {
  const h = Math.abs(lag);
  const m = batchesPerEpoch;
  if (h === 0) return 1;
  if (sampling === 'with-replacement' || m === 1) return 0;
  if (isPeriodic(sampling)) return h % m === 0 ? 1 : -1 / (m - 1);
  if (sampling === 'block-reshuffling') return blockAutocovariance(h, m, batchesPerBlock);
  if (sampling === 'paired-reversal') return reversalAutocovariance(h, m, -1 / (m - 1));
  return h < m ? -(m - h) / (m * (m - 1)) : 0;
}
