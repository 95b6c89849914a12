import { chanceLoss } from '../../science/chance.ts';
import type { LossName } from '../../science/loss.ts';
import type { StageContext } from '../kinds/stage.ts';

/** A training that ends above this share of the loss of guessing has learned nothing. */
const learnedNothing = 0.99;

/** Warns if the weights are not finite any more. Says whether they are not. */
export function warnIfDiverged(
  context: Pick<StageContext<unknown>, 'note'>,
  weights: Float32Array,
  losses: ArrayLike<number>,
  where: string,
): boolean {
  const diverged = !(weights.every(Number.isFinite) && Array.from(losses).every(Number.isFinite));
  if (diverged)
    context.note(
      `${where} diverged: weights or losses are infinite or NaN. Lower the learning rate.`,
      'warning',
    );
  return diverged;
}

/** Warns if a training has come to nothing: it diverged, or its loss is that of guessing. */
export function warnIfDead(
  context: Pick<StageContext<unknown>, 'note'>,
  trained: {
    readonly weights: Float32Array;
    /** Mean training loss with its L2 term after each epoch. */
    readonly losses: readonly number[];
    /** The L2 term of the last of them. */
    readonly l2Term: number;
    readonly loss: LossName;
    readonly labels: ArrayLike<number>;
  },
): void {
  const { weights, losses, l2Term, loss, labels } = trained;
  const last = losses.at(-1);
  if (warnIfDiverged(context, weights, losses, 'The training') || last === undefined) return;
  const chance = chanceLoss(loss, labels);
  if (chance === 0 || last - l2Term < learnedNothing * chance) return;
  context.note(
    `The network has learned nothing: its training loss, ${(last - l2Term).toPrecision(4)} without the L2 term, is no better than ` +
      `that of guessing, ${chance.toPrecision(4)}. Choose another learning rate, initialization or activation, or train for longer.`,
    'warning',
  );
}
