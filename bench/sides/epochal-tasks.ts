import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-node';
import { prepareReductionGradients } from '../../compute/gradients/reduction-gradients.ts';
import { captureGraph } from '../../compute/graph/graph.ts';
import type { TensorFlow } from '../../compute/tensorflow.ts';
import { type Examples, standardize } from '../../science/examples.ts';
import { lossAndGradient } from '../../science/gradient.ts';
import { lanczos } from '../../science/hessian/lanczos.ts';
import { createHessianProduct, type HessianProduct } from '../../science/hessian/product.ts';
import { kernelMask } from '../../science/loss.ts';
import { createProjection } from '../../science/projection.ts';
import { createTrainer, type SgdState } from '../../science/sgd.ts';
import { benchExamples, benchModel, type Problem, seed } from '../problem/problem.ts';

/** Runs one round and gives its result, as in peers/protocol.py. */
export type Round = () => Promise<ArrayLike<number>>;

export interface Inputs {
  readonly tf: TensorFlow;
  readonly lanes: number;
  readonly problem: Problem;
  /** An array of the problem by name, flat. */
  load(name: string): Float32Array;
}

/** Each prepares a task. */
export const tasks: Record<string, (inputs: Inputs) => Round | Promise<Round>> = {
  'sgd-50': (inputs) => sgd(inputs, 50),
  'sgd-500': (inputs) => sgd(inputs, 500),
  gradient,
  'hvp-1000': (inputs) => hvp(inputs, 1000),
  'hvp-all': (inputs) => hvp(inputs, inputs.problem.examples),
  'top-1000': (inputs) => top(inputs, 1000),
  top: (inputs) => top(inputs, inputs.problem.topExamples),
  project,
};

const model = benchModel();

function firstExamples(problem: Problem, count: number): Examples {
  const all = benchExamples(problem.examples);
  const images = all.images.subarray(0, count * 3072);
  return { ...all, images, labels: all.labels.subarray(0, count), examples: count };
}

function sgd({ tf, lanes, problem, load }: Inputs, batchSize: number): Round {
  const { momentum, l2, learningRate } = problem;
  const training = {
    batchSize,
    sampling: 'without-replacement',
    seed,
    momentum,
    loss: 'cross-entropy',
    l2,
  } as const;
  const data = benchExamples(problem.examples);
  const trainer = createTrainer({ tf, model, data, standardize: 'per-image', training, lanes });
  const weights = load('weights');
  return async () => {
    const losses: number[] = [];
    let state: SgdState = { weights, velocity: new Float32Array(model.size), step: 0 };
    for await (const chunk of trainer.epoch(state, 0, learningRate)) {
      losses.push(...chunk.losses);
      state = chunk.state;
    }
    return [...losses, ...state.weights.map((weight, i) => weight - weights[i]!)];
  };
}

/** The gradient over all examples, L2 term included. */
function gradient({ tf, lanes, problem, load }: Inputs): Round {
  prepareReductionGradients(tf);
  const { chunk, examples, l2 } = problem;
  const values = standardize(benchExamples(examples), 'per-image');
  const { labels } = benchExamples(examples);
  const weights = load('weights');
  const theta = tf.tensor1d(weights);
  const batches = Array.from({ length: examples / chunk }, (_, batch) => [
    tf.tensor4d(values.subarray(batch * chunk * 3072, (batch + 1) * chunk * 3072), [chunk, 32, 32, 3]),
    tf.tensor1d(labels.subarray(batch * chunk, (batch + 1) * chunk), 'int32'),
  ]);
  const fn = ([at, images, classes]: Tensor[]) => [
    lossAndGradient(
      tf,
      { model, loss: 'cross-entropy' },
      at as Tensor1D,
      images as Tensor4D,
      classes as Tensor1D,
      lanes,
    ).gradient,
  ];
  const graph = captureGraph(tf, fn, [theta, ...batches[0]!]);
  const mask = kernelMask(model);
  return async () => {
    const total = Float64Array.from(weights, (weight, i) => 2 * l2 * mask[i]! * weight);
    for (const batch of batches) {
      const [output] = graph.run([theta, ...batch]);
      const part = output!.dataSync() as Float32Array;
      output!.dispose();
      for (let i = 0; i < part.length; i++) total[i]! += (part[i]! * chunk) / examples;
    }
    return total;
  };
}

function productOf({ tf, lanes, problem, load }: Inputs, examples: number): HessianProduct {
  const data = firstExamples(problem, examples);
  const weights = load('weights');
  return createHessianProduct({
    tf,
    model,
    data,
    standardize: 'per-image',
    loss: 'cross-entropy',
    l2: problem.l2,
    weights,
    lanes,
  });
}

function hvp(inputs: Inputs, examples: number): Round {
  const hessian = productOf(inputs, examples);
  const direction = inputs.load('direction');
  return () => hessian.product(direction);
}

/** Eigenvalues and residuals relative to the largest eigenvalue, and the number of products. Warmed up by one product. */
async function top(inputs: Inputs, examples: number): Promise<Round> {
  const { problem, tf, lanes } = inputs;
  const hessian = productOf(inputs, examples);
  await hessian.product(inputs.load('direction'));
  return async () => {
    const pairs = await lanczos({
      tf,
      lanes,
      size: model.size,
      product: (vector) => hessian.product(vector),
      top: problem.top,
      tolerance: problem.tolerance,
      maxProducts: 100_000,
      seed,
    });
    const relative = (value: number) => value / pairs.eigenvalues[0]!;
    return [...pairs.eigenvalues.map(relative), ...pairs.residuals.map(relative), pairs.products];
  };
}

function project({ tf, problem, load }: Inputs): Round {
  const basis = { vectors: load('basis'), count: problem.basis, size: model.size };
  const projection = createProjection(tf, load('reference'), basis);
  const rows = load('rows');
  return async () => {
    const all = new Float32Array(problem.repeat * problem.rows * problem.basis);
    for (let part = 0; part < problem.repeat; part++)
      all.set(projection.project(rows), part * problem.rows * problem.basis);
    return all;
  };
}
