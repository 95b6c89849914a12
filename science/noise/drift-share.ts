import type { RandomStream } from '../random.ts';
import type { Gradients } from './gradients.ts';

export interface DriftShareOptions {
  readonly gradients: Pick<Gradients, 'batches'>;
  /** N */
  readonly examples: number;
  /** S */
  readonly batchSize: number;
  /** g . p_i of each direction i for a vector of length P. */
  project(vector: Float32Array): Float64Array;
  readonly random: RandomStream;
}

/**
 * Predicts the share r_i of an epoch's noise that is left over in each direction from how the gradients of the examples change while the weights move within an epoch.
 *
 * The noise of step k is that of its examples at the epoch's mean weights, which cancels over the epoch, and what it has changed by at theta_k. Examples that are drawn at
 * random without regard to the weights make the latter independent from step to step, so that it does not cancel:
 *
 *     r_i = mean_k var_B [p_i . (g_B(theta_k) - g_B(theta_mean))] / mean_k var_B [p_i . g_B(theta_k)],
 *
 * to first order tr(Q_i W) / s_i^2 with Q_i the covariance of H_n p_i over the examples n, W that of the weights within an epoch, and s_i^2 the variance of p_i . g_n. Two batches
 * of different examples are drawn for each vector of weights; their difference is free of the gradient over all examples.
 *
 * @param epochs The weights at some steps of each epoch, with those of which they are the mean or near it.
 * @returns One share a direction, and the noise's variance there.
 */
export function driftShares(
  epochs: Iterable<{ readonly mean: Float32Array; readonly steps: readonly Float32Array[] }>,
  { gradients, examples, batchSize, project, random }: DriftShareOptions,
): { readonly share: Float64Array; readonly noiseVariance: Float64Array } {
  let changed: Float64Array | undefined;
  let noise: Float64Array | undefined;
  let samples = 0;
  const differenceAt = (weights: Float32Array, order: Int32Array) => {
    for (const rows of gradients.batches(weights, order, batchSize)) {
      const size = rows.length / 2;
      return rows.subarray(0, size).map((value, i) => value - rows[size + i]!);
    }
    throw new RangeError('No batch was given.');
  };
  for (const { mean, steps } of epochs) {
    for (const weights of steps) {
      const order = Int32Array.from(random.permutation(examples).subarray(0, 2 * batchSize));
      const [here, there] = [differenceAt(weights, order), differenceAt(mean, order)];
      const own = project(here);
      const change = project(here.map((value, i) => value - there[i]!));
      changed ??= new Float64Array(own.length);
      noise ??= new Float64Array(own.length);
      for (let i = 0; i < own.length; i++) {
        changed[i]! += change[i]! ** 2;
        noise[i]! += own[i]! ** 2;
      }
      samples++;
    }
  }
  if (changed === undefined || noise === undefined) throw new RangeError('No weights were given.');
  const levels = noise;
  return {
    share: changed.map((value, i) => value / levels[i]!),
    noiseVariance: levels.map((value) => value / samples / 2),
  };
}
