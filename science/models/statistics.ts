import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-node';
import { type CapturedGraph, captureGraph } from '../../compute/graph/graph.ts';
import { captureRecipe } from '../../compute/graph/recipe.ts';
import type { TensorFlow } from '../../compute/tensorflow.ts';
import { type Examples, inputsOf, type Standardization } from '../examples.ts';
import { unflatten } from '../loss.ts';
import { createModel, descriptionOf, type ModelDescription } from './index.ts';
import type { Model } from './model.ts';
import { type ChannelMoments, type Moments, momentsOfBatch } from './moments.ts';

export interface StatisticsOptions {
  readonly tf: TensorFlow;
  readonly model: Model;
  /** The training examples. */
  readonly data: Examples;
  readonly standardize: Standardization;
}

export interface Statistics {
  /** For each batch normalization its means, then its variances (the layout of `fixedMoments`); empty for a network without. */
  at(weights: Float32Array): Float32Array;
  dispose(): void;
}

/** In words, for the metadata of what was computed with these statistics. */
export const statisticsNote =
  'Batch normalization uses the means and variances of the training set at these weights, from one pass in batches of up to 500 examples ' +
  'that are normalized by their own.';

/** Examples in one graph call; part of the definition of the statistics. */
const batchSize = 500;

/**
 * The fixed moments of batch normalization for evaluation and for the Hessian: mean and variance of each channel over the training set at the
 * given weights. One pass cuts the set, in its order, into the fewest batches of at most 500 examples, all of equal size but for one example;
 * each is normalized by its own moments, as in training. The moments of the batches are put together in double precision by the law of
 * total variance,
 *
 *     mean = sum_b n_b m_b / N,   variance = sum_b n_b (v_b + (m_b - mean)^2) / N.
 *
 * So they are a function of weights and data alone, and hold also for the mean of the weights over many steps, which no running average of
 * training belongs to (as for averaged weights in Izmailov et al. 2018, "Averaging weights leads to wider optima and better generalization").
 */
export function createStatistics({ tf, model, data, standardize }: StatisticsOptions): Statistics {
  const graphs = new Map<number, CapturedGraph>();
  const channels = model.normalizations;
  const description = descriptionOf(model);
  const width = 2 * channels.reduce((sum, own) => sum + own, 0);
  const passes = Math.ceil(data.examples / batchSize);
  const [height, columns, depth] = data.shape;
  const pixels = height * columns * depth;

  const batchMoments = (theta: Tensor1D, start: number, count: number): Float32Array => {
    const values = inputsOf(data, standardize).subarray(start * pixels, (start + count) * pixels);
    const images = tf.tensor4d(values, [count, height, columns, depth]);
    const inputs = [theta, images];
    let graph = graphs.get(count);
    if (graph === undefined) {
      graph =
        description === undefined
          ? captureGraph(tf, (tensors) => [momentsOf(tf, model, tensors)], inputs)
          : captureRecipe(tf, momentsOfDescribed, description, inputs);
      graphs.set(count, graph);
    }
    const [output] = graph.run(inputs) as [Tensor];
    const moments = output.dataSync() as Float32Array;
    tf.dispose([images, output]);
    return moments;
  };

  return {
    at(weights) {
      if (width === 0) return new Float32Array(0);
      const theta = tf.tensor1d(weights);
      const batches = Array.from({ length: passes }, (_, pass) => {
        const [start, end] = [pass, pass + 1].map((at) => Math.floor((at * data.examples) / passes));
        return {
          share: (end! - start!) / data.examples,
          moments: batchMoments(theta, start!, end! - start!),
        };
      });
      theta.dispose();
      return together(batches, channels, width);
    },
    dispose() {
      for (const graph of graphs.values()) graph.dispose();
    },
  };
}

/** The statistics at one weight vector. */
export function statisticsAt(options: StatisticsOptions, weights: Float32Array): Float32Array {
  const statistics = createStatistics(options);
  const result = statistics.at(weights);
  statistics.dispose();
  return result;
}

interface BatchMoments {
  /** n_b / N */
  readonly share: number;
  readonly moments: Float32Array;
}

/** The law of total variance, in double precision. */
function together(
  batches: readonly BatchMoments[],
  channels: readonly number[],
  width: number,
): Float32Array {
  const total = new Float64Array(width);
  let offset = 0;
  for (const own of channels) {
    for (let channel = offset; channel < offset + own; channel++) {
      for (const { share, moments } of batches) total[channel]! += share * moments[channel]!;
      for (const { share, moments } of batches)
        total[channel + own]! +=
          share * (moments[channel + own]! + (moments[channel]! - total[channel]!) ** 2);
    }
    offset += 2 * own;
  }
  return Float32Array.from(total);
}

/** The recorded function, of a network that comes with the program. */
function momentsOfDescribed(
  tf: TensorFlow,
  { spec, imageShape, classes }: ModelDescription,
  inputs: Tensor[],
): Tensor[] {
  return [momentsOf(tf, createModel(spec, imageShape, classes), inputs)];
}

/** The recorded function: the moments of one batch at all normalizations, in the layout of `fixedMoments`. */
function momentsOf(tf: TensorFlow, model: Model, inputs: Tensor[]): Tensor {
  const [theta, images] = inputs as [Tensor1D, Tensor4D];
  const seen: ChannelMoments[] = [];
  const watched: Moments = (engine, x, layer) => {
    const moments = momentsOfBatch(engine, x, layer);
    seen.push({ mean: engine.keep(moments.mean), variance: engine.keep(moments.variance) });
    return moments;
  };
  model.logits(tf, unflatten(theta, model), images, watched);
  const kept = seen.flatMap(({ mean, variance }) => [mean, variance]);
  const all = tf.concat(kept);
  tf.dispose(kept);
  return all;
}
