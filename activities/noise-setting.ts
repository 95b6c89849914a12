import { InputError } from '../artifacts/errors.ts';
import type { ArrowTable } from '../artifacts/table.ts';
import type { TrainingContext } from '../artifacts/training-context.ts';
import type { NoiseWith } from '../schemas/types.ts';
import { createModel, type Model } from '../science/models/index.ts';
import type { SgdState } from '../science/sgd.ts';
import type { StageContext } from './stage.ts';
import {
  type DataDigests,
  findExamples,
  type LabelledExamples,
  readExamples,
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
  /** L */
  readonly lags: number;
  /** One for each repetition. */
  readonly seeds: readonly number[];
  /** The state that the repetition with this seed starts from. */
  start(seed: number): SgdState;
}

/** Takes data, model and training from the state `from`, or from the settings beside `data`. Throws {@link InputError}. */
export async function noiseSetting(context: StageContext<NoiseWith>): Promise<NoiseSetting> {
  const { with: settings, store } = context;
  if ((settings.from === undefined) === (settings.data === undefined)) {
    throw new InputError(
      'A noise stage takes either `from`, a trained state, or `data` and `model`, for fresh weights.',
      'Give one of the two.',
    );
  }
  const from = settings.from === undefined ? undefined : await store.open(settings.from);
  const trained = from === undefined ? undefined : trainingOf(from);
  const data = trained?.data ?? { train: settings.data!.sha256, test: null };
  const examples =
    trained === undefined
      ? await readExamples(store, settings.data!)
      : await findExamples(store, trained.data.train);
  const model = modelOf(settings, trained?.training, examples);
  const training = trainingFor(settings, trained?.training, model, examples);
  checkTraining(training, model, settings);
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
    firstEpoch: from?.numbers('epoch')[0] ?? 0,
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
  if (trained !== undefined) return createModel(trained.model, trained.imageShape, trained.classes);
  if (settings.model === undefined)
    throw new InputError('A noise stage with `data` needs a `model`.', 'Add `model: { name: ... }`.');
  return createModel(settings.model as TrainingContext['model'], shape, classes);
}

function trainingFor(
  settings: NoiseWith,
  trained: TrainingContext | undefined,
  model: Model,
  { shape, classes, examples }: LabelledExamples,
): TrainingContext {
  const batchSize = settings.batchSize ?? trained?.batchSize;
  if (batchSize === undefined)
    throw new InputError('A noise stage with `data` needs a `batchSize`.', 'Add `batchSize: ...`.');
  const { optimizer } = settings;
  return {
    model: model.spec,
    imageShape: shape,
    classes,
    standardize: settings.standardize ?? trained?.standardize ?? 'per-image',
    loss: settings.loss ?? trained?.loss ?? 'cross-entropy',
    l2: settings.l2 ?? trained?.l2 ?? 0,
    examples,
    batchSize,
    batchesPerEpoch: Math.floor(examples / batchSize),
    sampling: settings.sampling ?? trained?.sampling ?? 'without-replacement',
    learningRate: optimizer?.learningRate ?? trained?.learningRate ?? 0,
    momentum: optimizer?.momentum ?? trained?.momentum ?? 0,
    seed: settings.seed ?? trained?.seed ?? 0,
  };
}

function checkTraining(training: TrainingContext, model: Model, settings: NoiseWith): void {
  const { batchSize, examples, learningRate } = training;
  if (batchSize > examples / 2) {
    throw new InputError(
      `batchSize is ${batchSize} and there are ${examples} examples: an epoch of one batch has no noise.`,
      'Choose a batch size of at most half the examples.',
    );
  }
  if (model.normalizations.length > 0) {
    throw new InputError(
      "The network has batch normalization: a batch's gradient is then not the mean of its examples' gradients, and equation (2) does not hold.",
      'Measure the noise of a network without it, such as lenet.',
    );
  }
  if (settings.weights === 'moving' && learningRate === 0)
    throw new InputError(
      'Moving weights need a learning rate.',
      'Add `optimizer: { name: sgd, learningRate: ... }`.',
    );
  if (settings.weights === 'moving' && settings.basis !== undefined) {
    throw new InputError(
      'A `basis` belongs to fixed weights: along moving ones the eigenvectors would change from step to step.',
      'Leave `basis` out, or take `weights: fixed`.',
    );
  }
  if (settings.basis !== undefined && settings.from === undefined)
    throw new InputError('A `basis` needs the state that it belongs to.', 'Give that state as `from`.');
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
