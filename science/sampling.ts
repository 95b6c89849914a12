import { RandomStream } from './random.ts';

export type Sampling =
  | 'without-replacement'
  | 'shuffle-once'
  | 'with-replacement'
  | 'sequential'
  | 'block-reshuffling'
  | 'paired-reversal';

export interface SamplingOptions {
  /** N */
  readonly examples: number;
  /** S */
  readonly batchSize: number;
  readonly seed: number;
  /** Examples in a block of `block-reshuffling`: a multiple of S that divides N. No other order looks at it. */
  readonly blockSize?: number | undefined;
}

/**
 * The examples of each batch of one epoch, M x S indices, batch after batch, with M = floor(N / S): the rest of the epoch is dropped.
 *
 * - `without-replacement`: a new random permutation each epoch;
 * - `shuffle-once`: the same random permutation in every epoch;
 * - `with-replacement`: independent draws;
 * - `sequential`: the order of the file;
 * - `block-reshuffling`: the permutation of shuffle-once is cut into blocks of `blockSize` that stay, each with its inner order; every epoch draws a
 *   new order of the blocks. Blocks of S are fixed batches in a new order each epoch, one block of N is shuffle-once;
 * - `paired-reversal`: epochs 0, 2, 4, ... have a new random permutation each, and the epoch after runs the same one backwards (FlipFlop,
 *   Rajput et al. 2021, arXiv 2102.09718): the same batches in reverse order. What an epoch drops, the next one drops too.
 *
 * Depends on (seed, epoch) alone, not on earlier epochs. Throws `RangeError` for a batch size outside 1 ... N, and for blocks that do not fit.
 */
export function epochBatches(
  sampling: Sampling,
  { examples, batchSize, seed, blockSize }: SamplingOptions,
  epoch: number,
): Int32Array {
  if (!(Number.isInteger(batchSize) && batchSize >= 1 && batchSize <= examples)) {
    throw new RangeError(
      `The batch size must be an integer from 1 to the ${examples} examples, got ${batchSize}.`,
    );
  }
  const drawn = Math.floor(examples / batchSize) * batchSize;
  switch (sampling) {
    case 'without-replacement':
      return new RandomStream(seed, 'permutation', epoch).permutation(examples).subarray(0, drawn);
    case 'shuffle-once':
      return new RandomStream(seed, 'permutation').permutation(examples).subarray(0, drawn);
    case 'with-replacement': {
      const random = new RandomStream(seed, 'draws', epoch);
      return Int32Array.from({ length: drawn }, () => random.below(examples));
    }
    case 'sequential':
      return Int32Array.from({ length: drawn }, (_, index) => index);
    case 'block-reshuffling': {
      const problem = blockProblem({ examples, batchSize, blockSize });
      if (problem !== undefined) throw new RangeError(problem);
      const kept = new RandomStream(seed, 'permutation').permutation(examples);
      const order = new RandomStream(seed, 'block-order', epoch).permutation(examples / blockSize!);
      const epochOrder = new Int32Array(examples);
      for (const [place, block] of order.entries())
        epochOrder.set(kept.subarray(block * blockSize!, (block + 1) * blockSize!), place * blockSize!);
      return epochOrder;
    }
    case 'paired-reversal': {
      const forward = new RandomStream(seed, 'permutation', epoch - (epoch % 2))
        .permutation(examples)
        .subarray(0, drawn);
      return epoch % 2 === 0 ? forward : forward.reverse();
    }
  }
}

/** What is wrong with the blocks of block-reshuffling, in a sentence; undefined if they are whole batches and the examples whole blocks. */
export function blockProblem({
  examples,
  batchSize,
  blockSize,
}: Omit<SamplingOptions, 'seed'>): string | undefined {
  const rule = `a multiple of the batch size ${batchSize} that divides the ${examples} examples`;
  if (blockSize === undefined) return `Sampling block-reshuffling needs a block size, ${rule}.`;
  const fits = blockSize > 0 && blockSize % batchSize === 0 && examples % blockSize === 0;
  return fits ? undefined : `The block size must be ${rule}, got ${blockSize}.`;
}
