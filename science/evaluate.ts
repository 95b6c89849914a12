import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-node';
import type { CapturedGraph } from '../compute/graph/graph.ts';
import type { TensorFlow } from '../compute/tensorflow.ts';
import { type Examples, inputsOf, type Standardization } from './examples.ts';
import { laneSizes } from './lanes.ts';
import { kernelMask, type LossName, l2Loss, lossOf, type Objective, unflatten } from './loss.ts';
import { checkLength } from './mismatch.ts';
import type { Model } from './models/model.ts';
import { fixedMoments } from './models/moments.ts';
import { createStatistics } from './models/statistics.ts';
import { recordable } from './recorded.ts';

export interface Evaluation {
  /** Mean loss plus the L2 term. */
  readonly loss: number;
  /** Share of examples whose largest logit is the right one. */
  readonly accuracy: number;
}

export interface EvaluatorOptions {
  readonly tf: TensorFlow;
  readonly model: Model;
  readonly standardize: Standardization;
  readonly loss: LossName;
  readonly l2: number;
  /** The training examples, over which a network with batch normalization takes its moments (models/statistics.ts); others need none. */
  readonly population?: Examples | undefined;
  /** Parts of the examples that are computed side by side (lanes.ts). Default 1. */
  readonly lanes?: number;
}

/** Examples in one graph call. */
const batchSize = 500;

/**
 * Mean loss and accuracy over a whole set of examples; sums over batches are in double precision. The array of weights must not change
 * between two calls with it. Throws `TypeError` for a network with batch normalization and no `population`.
 */
export function createEvaluator(
  options: EvaluatorOptions,
): (weights: Float32Array, data: Examples) => Evaluation {
  const { tf, model, loss: name, l2, lanes = 1 } = options;
  const mask = kernelMask(model);
  const graphs = new Map<number, CapturedGraph>();
  const statisticsAt = statisticsOf(options);
  return (weights, data) => {
    checkLength('weights', weights, model.size, 'one for each weight of the network');
    const values = inputsOf(data, options.standardize);
    const [height, width, channels] = data.shape;
    const pixels = height * width * channels;
    const theta = tf.tensor1d(weights);
    const moments = statisticsAt === undefined ? [] : [tf.tensor1d(statisticsAt(weights))];
    let loss = 0;
    let correct = 0;
    for (let start = 0; start < data.examples; start += batchSize) {
      const count = Math.min(batchSize, data.examples - start);
      const images = tf.tensor4d(values.subarray(start * pixels, (start + count) * pixels), [
        count,
        height,
        width,
        channels,
      ]);
      const labels = tf.tensor1d(data.labels.subarray(start, start + count), 'int32');
      const inputs = [theta, images, labels, ...moments];
      let graph = graphs.get(count);
      if (graph === undefined) {
        graph = captureEvaluation(tf, { model, loss: name }, { lanes }, inputs);
        graphs.set(count, graph);
      }
      const outputs = graph.run(inputs);
      loss += outputs[0]!.dataSync()[0]! * count;
      correct += outputs[1]!.dataSync()[0]!;
      tf.dispose([images, labels, ...outputs]);
    }
    tf.dispose([theta, ...moments]);
    return { loss: loss / data.examples + l2Loss(weights, mask, l2), accuracy: correct / data.examples };
  };
}

const captureEvaluation = recordable(evaluateBatch);

/** The recorded function: mean loss of a batch, and how many logits are right. */
function evaluateBatch(
  tf: TensorFlow,
  { model, loss }: Objective,
  { lanes }: { readonly lanes: number },
  inputs: Tensor[],
): Tensor[] {
  const [theta, images, labels, statistics] = inputs as [Tensor1D, Tensor4D, Tensor1D, Tensor1D?];
  const moments = statistics === undefined ? undefined : fixedMoments(statistics, model.normalizations);
  const parameters = unflatten(theta, model);
  const parts = tf.split(images, laneSizes(labels.size, lanes)) as Tensor4D[];
  const logits = tf.concat(parts.map((part) => model.logits(tf, parameters, part, moments))) as Tensor2D;
  const right = tf.equal(tf.argMax(logits, 1), labels);
  return [lossOf(tf, loss, logits, labels), tf.sum(right.toFloat())];
}

/** The moments at given weights, each computed once; undefined for a network without batch normalization. */
function statisticsOf({
  tf,
  model,
  standardize,
  population,
}: EvaluatorOptions): ((weights: Float32Array) => Float32Array) | undefined {
  if (model.normalizations.length === 0) return undefined;
  if (population === undefined)
    throw new TypeError(
      `A ${model.spec.name} has batch normalization, so its evaluation needs the training examples (population).`,
    );
  const statistics = createStatistics({ tf, model, data: population, standardize });
  const known = new WeakMap<Float32Array, Float32Array>();
  return (weights) => {
    const moments = known.get(weights) ?? statistics.at(weights);
    known.set(weights, moments);
    return moments;
  };
}
