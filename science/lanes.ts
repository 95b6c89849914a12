import type { ThreadSharing } from '../compute/tensorflow.ts';
import type { Network } from './models/model.ts';

/** Fewest examples that are worth a lane of their own: each lane reads and sums all weights. */
const fewestExamples = 8;

/**
 * Cuts `count` examples into at most `lanes` lanes, the parts that a captured graph computes side by side, each on one thread: the size of each, as
 * equal as can be. One lane for fewer than 16 examples.
 */
export function laneSizes(count: number, lanes: number): number[] {
  const parts = Math.max(1, Math.min(lanes, Math.floor(count / fewestExamples)));
  return Array.from(
    { length: parts },
    (_, lane) => Math.floor(((lane + 1) * count) / parts) - Math.floor((lane * count) / parts),
  );
}

/** Whether the loss in training is a mean over examples: not if they depend on one another through the moments of a batch. */
export function isSeparable(model: Network): boolean {
  return model.normalizations.length === 0;
}

/**
 * How threads are best shared in the training of a model: by lanes, if it is separable. A LeNet step at S = 50 takes 3.6 ms with two lanes and 4.5
 * with two threads an operation, whose short operations wait for one another.
 */
export function sharingFor(model: Network): ThreadSharing {
  return isSeparable(model) ? 'graphs' : 'operations';
}
