import { RandomStream } from './random.ts';

export type Sampling = 'without-replacement' | 'shuffle-once' | 'with-replacement' | 'sequential';

export interface SamplingOptions {
  /** N */
  readonly examples: number;
  /** S */
  readonly batchSize: number;
  readonly seed: number;
}

/**
 * The examples of each batch of one epoch, M x S indices, batch after batch, with M = floor(N / S): the rest of the epoch is dropped.
 *
 * - `without-replacement`: a new random permutation each epoch;
 * - `shuffle-once`: the same random permutation in every epoch;
 * - `with-replacement`: independent draws;
 * - `sequential`: the order of the file.
 *
 * Depends on (seed, epoch) alone, not on earlier epochs. Throws `RangeError` for a batch size outside 1 ... N.
 */
export function epochBatches(
  sampling: Sampling,
  { examples, batchSize, seed }: SamplingOptions,
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
  }
}
