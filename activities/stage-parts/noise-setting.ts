import type { ArrowTable } from '../../artifacts/arrow/table.ts';
import type { DataDigests, TrainingContext } from '../../artifacts/arrow/training-context.ts';
import { InputError } from '../../artifacts/errors.ts';
import type { NoiseWith } from '../../schemas/types.ts';
import type { Model, ModelSpec } from '../../science/models/index.ts';
import type { Sampling } from '../../science/sampling.ts';
import type { SgdState } from '../../science/sgd.ts';
import { epochsOfOneDraw } from '../../science/theory/noise.ts';
import type { StageContext } from '../kinds/stage.ts';
import { buildModel, checkNoisyBatch, checkOrder } from './checks.ts';
import {
  findExamples,
  type LabelledExamples,
  readExamples,
  trainedModel,
  trainingOf,
} from './training-data.ts';

/** What a `noise` stage measures, with everything that it left out filled in. */
export interface NoiseSetting {
  readonly model: Model;
  readonly examples: LabelledExamples;
  readonly training: TrainingContext;
  readonly data: DataDigests;
  /** Epochs that the weights have been trained for. */
  readonly firstEpoch: number;
  /** The epoch whose order is the first that is drawn: that one, or the next where it would be the second of a pair. */
  readonly firstOrder: number;
  /** L */
  readonly lags: number;
  /** One for each repetition. */
  readonly seeds: readonly number[];
  /** The state that the repetition with this seed starts from. */
  start(seed: number): SgdState;
}

type Given = Pick<NoiseWith, 'along' | 'weights'> & {
  readonly [key in 'from' | 'data' | 'model' | 'batchSize' | 'basis' | 'optimizer']?: unknown;
};

/** What of a noise stage's settings excludes or needs what else. Throws {@link InputError}. */
export function checkNoise(settings: Given): void {
  const { from, data, model, batchSize, basis, along, weights, optimizer } = settings;
  const refuse = (message: string, cure: string, setting?: string) => {
    throw new InputError(message, cure, setting);
  };
  if ((from === undefined) === (data === undefined)) {
    refuse(
      'A noise stage takes either `from`, a trained state, or `data` and `model`, for fresh weights.',
      'Give one of the two.',
    );
  }
  if (data !== undefined && model === undefined)
    refuse('A noise stage with `data` needs a `model`.', 'Add `model: { name: ... }`.', 'data');
  if (data !== undefined && batchSize === undefined)
    refuse('A noise stage with `data` needs a `batchSize`.', 'Add `batchSize: ...`.', 'data');
  if (along.length > 0 && basis === undefined)
    refuse(
      '`along` names eigenvectors, but there is no `basis`.',
      'Give the eigenpairs as `basis`.',
      'along',
    );
  if (weights === 'moving' && from === undefined && optimizer === undefined) {
    const cure = 'Add `optimizer: { name: sgd, learningRate: ... }`.';
    refuse('Moving weights need a learning rate.', cure, 'weights');
  }
  if (weights === 'moving' && basis !== undefined) {
    refuse(
      'A `basis` belongs to fixed weights: along moving ones the eigenvectors would change from step to step.',
      'Leave `basis` out, or take `weights: fixed`.',
      'basis',
    );
  }
  if (basis !== undefined && from === undefined)
    refuse('A `basis` needs the state that it belongs to.', 'Give that state as `from`.', 'basis');
}

/** Epochs that are drawn together are measured together. Throws {@link InputError}. */
export function checkWholeDraws(epochs: number, sampling: Sampling): void {
  const together = epochsOfOneDraw(sampling);
  if (epochs % together === 0) return;
  throw new InputError(
    `epochs is ${epochs}; with ${sampling} the noise is a mean over ${together} epochs that belong together.`,
    `Set \`epochs\` to a multiple of ${together}.`,
    'epochs',
  );
}

/** Throws {@link InputError} for a network whose gradient of a batch is not the mean over its examples. */
export function checkSeparable({ normalizations }: Model): void {
  if (normalizations.length === 0) return;
  throw new InputError(
    "The network has batch normalization: a batch's gradient is then not the mean of its examples' gradients, and equation (2) does not hold.",
    'Measure the noise of a network without it, such as lenet.',
    'model',
  );
}

/** Takes data, model and training from the state `from`, or from the settings beside `data`. Throws {@link InputError}. */
export async function noiseSetting(context: StageContext<NoiseWith>): Promise<NoiseSetting> {
  const { with: settings, store } = context;
  checkNoise(settings);
  const from = settings.from === undefined ? undefined : await store.open(settings.from);
  const trained = from === undefined ? undefined : trainingOf(from);
  const data = trained?.data ?? { train: settings.data!.sha256, test: null };
  const examples =
    trained === undefined
      ? await readExamples(store, settings.data!)
      : await findExamples(store, trained.data.train);
  const model = modelOf(settings, trained?.training, examples);
  const training = trainingFor(settings, trained?.training, model, examples);
  checkNoisyBatch(training.batchSize, training.examples);
  checkSeparable(model);
  checkWholeDraws(settings.epochs, training.sampling);
  const firstEpoch = from?.numbers('epoch')[0] ?? 0;
  const together = epochsOfOneDraw(training.sampling);
  const left = training.examples - training.batchesPerEpoch * training.batchSize;
  if (left > 0)
    context.note(
      `The last short batch of each epoch, ${left} of ${training.examples} examples, is dropped; the theory counts it.`,
    );
  return {
    model,
    examples,
    training,
    data,
    firstEpoch,
    firstOrder: Math.ceil(firstEpoch / together) * together,
    lags: settings.lags ?? 2 * training.batchesPerEpoch,
    seeds: Array.from({ length: settings.repeats }, (_, repeat) => training.seed + repeat),
    start: (seed) => (from === undefined ? freshState(model, seed) : stateIn(from)),
  };
}

function modelOf(
  settings: NoiseWith,
  trained: TrainingContext | undefined,
  { shape, classes }: LabelledExamples,
): Model {
  if (trained !== undefined) return trainedModel(trained);
  return buildModel(settings.model as ModelSpec, shape, classes);
}

/** What is not set is as the state was trained; without one, the schema has filled it in. */
function trainingFor(
  settings: NoiseWith,
  trained: TrainingContext | undefined,
  model: Model,
  { shape, classes, examples }: LabelledExamples,
): TrainingContext {
  const batchSize = settings.batchSize ?? trained!.batchSize;
  const { optimizer } = settings;
  return {
    model: { ...model.spec },
    imageShape: shape,
    classes,
    standardize: settings.standardize ?? trained!.standardize,
    loss: settings.loss ?? trained!.loss,
    l2: settings.l2 ?? trained!.l2,
    examples,
    batchSize,
    batchesPerEpoch: Math.floor(examples / batchSize),
    ...checkOrder(settings, { examples, batchSize }, trained),
    learningRate: optimizer?.learningRate ?? trained?.learningRate ?? 0,
    momentum: optimizer?.momentum ?? trained?.momentum ?? 0,
    seed: settings.seed ?? trained!.seed,
  };
}

function freshState(model: Model, seed: number): SgdState {
  return { weights: model.initialize(seed), velocity: new Float32Array(model.size), step: 0 };
}

function stateIn(table: ArrowTable): SgdState {
  return {
    weights: table.floatVector('weights', 0).slice(),
    velocity: table.floatVector('velocity', 0).slice(),
    step: table.numbers('step')[0]!,
  };
}
