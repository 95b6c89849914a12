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
 * Depends on (seed, epoch) alone, not on earlier epochs.
 */
export function epochBatches(sampling: Sampling, { examples, batchSize, seed }: SamplingOptions, epoch: number): Int32Array {
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
