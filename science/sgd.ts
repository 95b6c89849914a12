import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-node';
import { prepareReductionGradients } from '../compute/gradients/reduction-gradients.ts';
import type { CapturedGraph } from '../compute/graph/graph.ts';
import { gatherRows } from '../compute/kernels/gather.ts';
import type { TensorFlow } from '../compute/tensorflow.ts';
import { type Examples, inputsFor, type Standardization } from './examples.ts';
import { lossAndGradient } from './gradient.ts';
import { isSeparable } from './lanes.ts';
import { kernelMask, type Objective } from './loss.ts';
import { checkLength, checkWeights } from './mismatch.ts';
import type { Network } from './models/model.ts';
import { recordable } from './recorded.ts';
import { epochBatches, type Sampling } from './sampling.ts';

/** Where SGD stands after `step` steps. */
export interface SgdState {
  /** theta, length P. */
  readonly weights: Float32Array;
  /** v of equation (1), length P. */
  readonly velocity: Float32Array;
  readonly step: number;
}

export interface SgdSettings {
  /** S */
  readonly batchSize: number;
  readonly sampling: Sampling;
  /** Examples in a block of block-reshuffling. */
  readonly blockSize?: number | undefined;
  readonly seed: number;
  /** beta */
  readonly momentum: number;
  readonly loss: Objective['loss'];
  readonly l2: number;
}

/** Consecutive steps that ran as one graph call. */
export interface StepChunk {
  /** Number of the first of these steps, counted from 1: `state.step` of the state after it. */
  readonly firstStep: number;
  /** Loss of each step's batch, L2 term included, before its update. */
  readonly losses: Float32Array;
  /** Weights after each step, steps x P, if the trainer records them. */
  readonly weights?: Float32Array;
  readonly state: SgdState;
}

export interface Trainer {
  /** M = floor(N / S) */
  readonly batchesPerEpoch: number;
  /** The steps of one epoch (counted from 0). Throws {@link DivergedError}, and `MismatchError` for a state of another network. */
  epoch(from: SgdState, epoch: number, learningRate: number): AsyncGenerator<StepChunk, void, void>;
  dispose(): void;
}

export interface TrainerOptions {
  readonly tf: TensorFlow;
  readonly model: Network;
  readonly data: Examples;
  readonly standardize: Standardization;
  readonly training: SgdSettings;
  readonly recordWeights?: boolean;
  /** Parts of a batch that are computed side by side (gradient.ts); last bits depend on it. Default 1; 1 with batch normalization. */
  readonly lanes?: number;
}

/** Thrown when a batch's loss is not finite. It could be because the learning rate exceeds 2 (1 + beta) / lambda_max, beyond which SGD is unstable. */
export class DivergedError extends Error {
  override readonly name = 'DivergedError';
  readonly cure: string;
  constructor(step: number, epoch: number, loss: number, learningRate: number, momentum: number) {
    super(`Training diverged: the loss is ${loss} at step ${step} of epoch ${epoch + 1}.`);
    this.cure = `Lower the learning rate (${learningRate}): it must stay below 2 (1 + beta) / lambda_max, with beta = ${momentum}.`;
  }
}

/**
 * Steps in one graph. The cuts of an epoch into graph calls follow from its length alone, so that a resumed run makes the same calls.
 * More steps save little and take longer to record: of ten LeNet steps at S = 50 (57 ms on one Zen 4 core), weights and velocity on their way in
 * and out take 1.3 ms. The images go in with every call as a pointer, which takes 3 microseconds for 60 MB.
 */
const stepsPerCall = 10;

/**
 * SGD with momentum exactly as in equation (1):
 *
 *     v_k = -eta g_k + beta v_{k-1},   theta_k = theta_{k-1} + v_k,
 *
 * where g_k is the gradient at theta_{k-1} of the mean loss of batch k plus l2 * (sum of squared kernel weights).
 *
 * @example
 * const { tf } = await loadTensorFlow({ threads: 1 });
 * const problem = lossProblem({ parameters: { w: [] }, loss: (tf, { w }) => tf.square(w) });
 * const training = { ...problem, batchSize: 1, sampling: 'sequential', seed: 1, momentum: 0 };
 * const trainer = createTrainer({ tf, ...problem, training });
 * let state = { weights: Float32Array.of(1), velocity: Float32Array.of(0), step: 0 };
 * for (let epoch = 0; epoch < 2; epoch++)
 *   for await (const chunk of trainer.epoch(state, epoch, 0.25)) state = chunk.state;
 * state.weights[0]; // 0.25
 */
export function createTrainer(options: TrainerOptions): Trainer {
  const { tf, model, data, training, recordWeights = false, lanes = 1 } = options;
  const { batchSize, sampling, seed, blockSize, momentum, loss } = training;
  prepareReductionGradients(tf);
  const [height, width, channels] = data.shape;
  const batchesPerEpoch = Math.floor(data.examples / batchSize);
  const images = tf.tensor4d(inputsFor(data, options.standardize), [data.examples, height, width, channels]);
  const labels = tf.tensor1d(data.labels, 'int32');
  const penalty = tf.tensor1d(kernelMask(model).map((kernel) => kernel * training.l2));
  const graphs = new Map<number, CapturedGraph>();
  const graphOf = (steps: number, inputs: Tensor[]): CapturedGraph => {
    let graph = graphs.get(steps);
    if (graph === undefined) {
      graph = captureSteps(tf, { model, loss }, { steps, batchSize, momentum, recordWeights, lanes }, inputs);
      graphs.set(steps, graph);
    }
    return graph;
  };

  async function* epochSteps(
    from: SgdState,
    epoch: number,
    learningRate: number,
  ): AsyncGenerator<StepChunk, void, void> {
    checkWeights(from.weights, model.size);
    checkLength('velocity', from.velocity, model.size, 'one for each weight of the network');
    const order = epochBatches(sampling, { examples: data.examples, batchSize, seed, blockSize }, epoch);
    let state = from;
    for (let batch = 0; batch < batchesPerEpoch; ) {
      const steps = Math.min(stepsPerCall, batchesPerEpoch - batch);
      const own = [
        tf.tensor1d(state.weights),
        tf.tensor1d(state.velocity),
        tf.scalar(learningRate),
        tf.tensor1d(order.subarray(batch * batchSize, (batch + steps) * batchSize), 'int32'),
      ];
      const inputs = [...own, images, labels, penalty];
      const outputs = graphOf(steps, inputs).run(inputs);
      const [weights, velocity, losses, recorded] = outputs.map(
        (tensor) => tensor.dataSync() as Float32Array,
      );
      for (const tensor of [...own, ...outputs]) tensor.dispose();
      const bad = losses!.findIndex((loss) => !Number.isFinite(loss));
      if (bad >= 0)
        throw new DivergedError(state.step + bad + 1, epoch, losses![bad]!, learningRate, training.momentum);
      const firstStep = state.step + 1;
      state = { weights: weights!, velocity: velocity!, step: state.step + steps };
      batch += steps;
      yield { firstStep, losses: losses!, ...(recorded === undefined ? {} : { weights: recorded }), state };
    }
  }

  return {
    batchesPerEpoch,
    epoch: epochSteps,
    dispose() {
      for (const graph of graphs.values()) graph.dispose();
      tf.dispose([images, labels, penalty]);
    },
  };
}

interface StepsSettings {
  readonly steps: number;
  readonly batchSize: number;
  readonly momentum: number;
  readonly recordWeights: boolean;
  readonly lanes: number;
}

const captureSteps = recordable(sgdSteps);

/** The recorded function: `steps` updates; gives weights, velocity, losses and, if asked for, the weights after each step. */
function sgdSteps(
  tf: TensorFlow,
  objective: Objective,
  { steps, batchSize, momentum, recordWeights, lanes }: StepsSettings,
  inputs: Tensor[],
): Tensor[] {
  const parts = isSeparable(objective.model) ? lanes : 1;
  let [weights, velocity] = inputs as [Tensor1D, Tensor1D];
  const [, , learningRate, order, images, labels, penalty] = inputs as [
    Tensor,
    Tensor,
    Tensor,
    Tensor1D,
    Tensor4D,
    Tensor1D,
    Tensor1D,
  ];
  const losses: Tensor[] = [];
  const recorded: Tensor[] = [];
  for (let step = 0; step < steps; step++) {
    const batch = order.slice([step * batchSize], [batchSize]);
    const x = gatherRows(tf, images, batch);
    const y = gatherRows(tf, labels, batch);
    const at = weights;
    const { value, gradient } = lossAndGradient(tf, objective, at, x, y, parts);
    const decay = tf.mul(penalty, at);
    const slope = tf.add(gradient, tf.mul(decay, 2));
    velocity = tf.sub(tf.mul(velocity, momentum), tf.mul(slope, learningRate));
    weights = tf.add(at, velocity);
    losses.push(tf.add(value, tf.sum(tf.mul(decay, at))));
    if (recordWeights) recorded.push(weights);
  }
  const outputs: Tensor[] = [weights, velocity, tf.stack(losses) as Tensor2D];
  return recordWeights ? [...outputs, tf.stack(recorded)] : outputs;
}
