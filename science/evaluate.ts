import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-node';
import { type CompiledFunction, compile } from '../compute/graph.ts';
import type { TensorFlow } from '../compute/tensorflow.ts';
import { type Examples, type Standardization, standardize } from './examples.ts';
import { crossEntropy, kernelMask, l2Loss, unflatten } from './loss.ts';
import type { Model } from './models/model.ts';

export interface Evaluation {
  /** Mean cross-entropy plus the L2 term. */
  readonly loss: number;
  /** Share of examples whose largest logit is the right one. */
  readonly accuracy: number;
}

export interface EvaluatorOptions {
  readonly tf: TensorFlow;
  readonly model: Model;
  readonly standardize: Standardization;
  readonly l2: number;
}

/** Examples in one graph call. */
const batchSize = 500;

/** Mean loss and accuracy over a whole set of examples; sums over batches are in double precision. */
export function createEvaluator(
  options: EvaluatorOptions,
): (weights: Float32Array, data: Examples) => Evaluation {
  const { tf, model, l2 } = options;
  const mask = kernelMask(model);
  const graphs = new Map<number, CompiledFunction>();
  const inputsOf = new WeakMap<Examples, Float32Array>();
  return (weights, data) => {
    let values = inputsOf.get(data);
    if (values === undefined) {
      values = standardize(data, options.standardize);
      inputsOf.set(data, values);
    }
    const [height, width, channels] = data.shape;
    const pixels = height * width * channels;
    const theta = tf.tensor1d(weights);
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
      const inputs = [theta, images, labels];
      let graph = graphs.get(count);
      if (graph === undefined) {
        graph = compile(tf, (tensors) => evaluateBatch(options, tensors), inputs);
        graphs.set(count, graph);
      }
      const outputs = graph.run(inputs);
      loss += outputs[0]!.dataSync()[0]! * count;
      correct += outputs[1]!.dataSync()[0]!;
      tf.dispose([images, labels, ...outputs]);
    }
    theta.dispose();
    return { loss: loss / data.examples + l2Loss(weights, mask, l2), accuracy: correct / data.examples };
  };
}

function evaluateBatch({ tf, model }: EvaluatorOptions, inputs: Tensor[]): Tensor[] {
  const [theta, images, labels] = inputs as [Tensor1D, Tensor4D, Tensor1D];
  const logits = model.logits(tf, unflatten(theta, model), images) as Tensor2D;
  const right = tf.equal(tf.argMax(logits, 1), labels);
  return [crossEntropy(tf, logits, labels), tf.sum(right.toFloat())];
}
