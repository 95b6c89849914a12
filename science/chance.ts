import type { LossName } from './loss.ts';

/**
 * The least mean loss, without an L2 term, that logits reach which do not depend on the example: with the share p_c of each class c among the
 * labels, the entropy -sum_c p_c ln p_c, or sum_c p_c (1 - p_c) / 2 (see {@link LossName}).
 */
export function chanceLoss(loss: LossName, labels: ArrayLike<number>): number {
  const counts = new Map<number, number>();
  for (let i = 0; i < labels.length; i++) counts.set(labels[i]!, (counts.get(labels[i]!) ?? 0) + 1);
  const ofShare = {
    'cross-entropy': (p: number) => -p * Math.log(p),
    'mean-squared-error': (p: number) => (p * (1 - p)) / 2,
  };
  return [...counts.values()].reduce((sum, count) => sum + ofShare[loss](count / labels.length), 0);
}
