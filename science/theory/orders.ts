/**
 * Noise of blocks that stay, whose order is drawn anew each epoch (block-reshuffling), at lag h >= 1: the mean over random arrangements and over all
 * positions. M batches an epoch lie in n = M / k blocks of k.
 *
 * Within an epoch two steps never hold the same batch: -1 / (M - 1), with probability (M - h) / M. In two different epochs they do with probability
 * 1 / n if they have the same place in their blocks, that is if k divides h, and never otherwise: (k - 1) / (M - 1), or -1 / (M - 1). So
 *
 *     rho(h) = (k min(h, M) - M) / (M (M - 1)) if k divides h, else -1 / (M - 1).
 *
 * k = 1 is equation (2), k = M is shuffle-once. What is the same in all blocks never decays: a comb of period k.
 */
export function blockAutocovariance(lag: number, batchesPerEpoch: number, batchesPerBlock: number): number {
  const [m, k] = [batchesPerEpoch, batchesPerBlock];
  return lag % k === 0 ? (k * Math.min(lag, m) - m) / (m * (m - 1)) : -1 / (m - 1);
}

/**
 * Noise of an order and its reverse, pair after pair (paired-reversal), at lag h >= 1: the mean over all 2 M positions of a pair. Places p and q of a
 * pair hold the same batch if p + q = 2 M - 1, so for an odd h < 2 M exactly one of the 2 M - h pairs of steps does; all others are of different batches,
 * which have correlation `different`, -1 / (M - 1) if no example is dropped. Then
 *
 *     rho(h) = -(2 M - h) / (2 M (M - 1)) + [h odd] / (2 (M - 1)) for h < 2 M, else 0.
 */
export function reversalAutocovariance(lag: number, batchesPerEpoch: number, different: number): number {
  const steps = 2 * batchesPerEpoch;
  if (lag >= steps) return 0;
  const same = lag % 2;
  return (same + different * (steps - lag - same)) / steps;
}
