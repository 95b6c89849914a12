import type { Sampling } from '../sampling.ts';
import { noiseAutocovariance } from '../theory/noise.ts';
import { reversalAutocovariance } from '../theory/orders.ts';

/** N examples, from which batches of S are drawn. */
export interface BatchDrawing {
  /** N */
  readonly examples: number;
  /** S */
  readonly batchSize: number;
  readonly sampling: Sampling;
  /** Examples in a block of block-reshuffling, which divides N. */
  readonly blockSize?: number | undefined;
}

/**
 * Variance of the mean of a batch over the variance of one example's value (divided by N, about the mean of all): 1 / S with replacement, and
 * (N - S) / ((N - 1) S) for S different examples, because a batch cannot hold an example twice (Cochran 1977, "Sampling Techniques", theorem 2.2).
 * For noise that repeats itself it is the mean over random orders.
 */
export function batchVarianceFactor({ examples, batchSize, sampling }: BatchDrawing): number {
  if (sampling === 'with-replacement') return 1 / batchSize;
  return examples === 1 ? 0 : (examples - batchSize) / ((examples - 1) * batchSize);
}

/**
 * Equation (2) over its value at lag 0, exact also where S does not divide N: two different batches of one epoch then have correlation
 * -S / (N - S) instead of -1 / (M - 1), because the dropped examples, too, belong to the mean of all. Equal to `noiseAutocovariance` if N = M S.
 */
export function expectedAutocorrelation(lag: number, drawing: BatchDrawing): number {
  const { examples, batchSize, sampling, blockSize = batchSize } = drawing;
  const batches = Math.floor(examples / batchSize);
  const plain = noiseAutocovariance(lag, batches, sampling, blockSize / batchSize);
  if (sampling === 'block-reshuffling') return plain;
  if (sampling === 'paired-reversal')
    return lag === 0
      ? 1
      : reversalAutocovariance(Math.abs(lag), batches, -batchSize / (examples - batchSize));
  const pairs = sampling !== 'with-replacement' && plain < 0;
  return pairs ? plain * (batches - 1) * (batchSize / (examples - batchSize)) : plain;
}
