import { deserialize, serialize } from 'node:v8';
import { writeMetadata } from '../../artifacts/arrow/metadata.ts';
import type { DataDigests, TrainingContext } from '../../artifacts/arrow/training-context.ts';
import type { ArtifactRef } from '../../artifacts/reference.ts';
import type { Checkpoint } from '../../artifacts/store/store.ts';
import { loadTensorFlow } from '../../compute/tensorflow.ts';
import type { Optimizer, TrainWith } from '../../schemas/types.ts';
import { createEvaluator } from '../../science/evaluate.ts';
import { sharingFor } from '../../science/lanes.ts';
import { learningRateAt, type Schedule } from '../../science/learning-rate.ts';
import { kernelMask, l2Loss } from '../../science/loss.ts';
import type { Model, ModelSpec } from '../../science/models/index.ts';
import { createTrainer, type SgdState } from '../../science/sgd.ts';
import { rowBytes, sgdWork } from '../kinds/prospect.ts';
import type { Stage, StageContext } from '../kinds/stage.ts';
import { buildModel, checkBatchSize, checkNotEmpty, checkOrder } from '../stage-parts/checks.ts';
import { warnIfDead } from '../stage-parts/dead-network.ts';
import { type LabelledExamples, readExamples, statisticsOf } from '../stage-parts/training-data.ts';
import { writeState } from '../stage-parts/write-state.ts';

interface HistoryRow {
  readonly epoch: number;
  readonly learning_rate: number;
  readonly train_loss: number;
  readonly train_accuracy: number;
  readonly test_loss: number;
  readonly test_accuracy: number;
}

/** Everything that training needs to go on after an epoch. */
interface TrainCheckpoint extends SgdState {
  readonly epoch: number;
  readonly history: readonly HistoryRow[];
}

const checkpointName = 'after-epoch';

/** `uses: train`: SGD from fresh weights, checkpointed after each epoch. */
export const stage: Stage<TrainWith> = {
  uses: 'train',
  prospect(settings) {
    const { data, test, model: spec, epochs, batchSize } = settings;
    const { examples, imageShape, classes } = data;
    if (examples === undefined || imageShape === undefined || classes === undefined) return undefined;
    const model = buildModel(spec as ModelSpec, imageShape, classes);
    checkBatchSize(batchSize, examples);
    checkOrder(settings, { examples, batchSize });
    checkNotEmpty(test?.examples, 'test');
    const steps = epochs * Math.floor(examples / batchSize);
    const evaluations = (epochs + 1) * (examples + (test?.examples ?? 0)) * model.multiplyAdds;
    return {
      outputs: { state: { examples, imageShape, classes, model, batchSize }, history: {} },
      bytes: rowBytes('state', model.size) + epochs * rowBytes('history'),
      work: sgdWork(steps, batchSize, model) + evaluations,
      sgdSteps: steps,
      like: model.spec.name,
    };
  },
  async run(context) {
    const settings = context.with;
    const examples = await readExamples(context.store, settings.data as ArtifactRef);
    const test =
      settings.test === undefined
        ? undefined
        : await readExamples(context.store, settings.test as ArtifactRef);
    const { training, model } = describeTraining(context, examples);
    const { tf, lanes } = await loadTensorFlow({ threads: context.threads, sharing: sharingFor(model) });
    const trainer = createTrainer({
      ...{ tf, model, data: examples, standardize: training.standardize },
      training,
      lanes,
    });
    const { standardize, loss, l2 } = training;
    const evaluate = createEvaluator({ tf, model, standardize, loss, l2, population: examples, lanes });

    let state: TrainCheckpoint = (await readCheckpoint(context.checkpoint)) ?? {
      weights: model.initialize(settings.seed),
      velocity: new Float32Array(model.size),
      step: 0,
      epoch: 0,
      history: [],
    };
    const steps = training.batchesPerEpoch;
    const total = settings.epochs * steps;
    for (let epoch = state.epoch; epoch < settings.epochs; epoch++) {
      const rate = rateOf(settings.optimizer, epoch, settings.epochs);
      let last: SgdState = state;
      for await (const chunk of trainer.epoch(state, epoch, rate)) {
        last = chunk.state;
        context.progress({ done: last.step, total, unit: 'steps', message: remark(state.history) });
        await context.breathe();
      }
      const onTrain = await evaluate(last.weights, examples);
      const onTest =
        test === undefined ? { loss: Number.NaN, accuracy: Number.NaN } : await evaluate(last.weights, test);
      const row: HistoryRow = {
        epoch: epoch + 1,
        learning_rate: rate,
        train_loss: onTrain.loss,
        train_accuracy: onTrain.accuracy,
        test_loss: onTest.loss,
        test_accuracy: onTest.accuracy,
      };
      state = { ...last, epoch: epoch + 1, history: [...state.history, row] };
      await context.checkpoint.write(checkpointName, serialize(state));
    }
    trainer.dispose();
    warnIfDead(context, {
      ...{ loss, weights: state.weights, labels: examples.labels },
      losses: state.history.map(({ train_loss }) => train_loss),
      l2Term: l2Loss(state.weights, kernelMask(model), l2),
    });
    return writeOutputs(context, state, training, model, {
      train: settings.data.sha256,
      test: settings.test?.sha256 ?? null,
    });
  },
};

function describeTraining(
  context: StageContext<TrainWith>,
  data: LabelledExamples,
): { training: TrainingContext; model: Model } {
  const { with: settings } = context;
  const model = buildModel(settings.model as ModelSpec, data.shape, data.classes);
  const { batchSize, epochs, optimizer } = settings;
  checkBatchSize(batchSize, data.examples);
  const batchesPerEpoch = Math.floor(data.examples / batchSize);
  const left = data.examples - batchesPerEpoch * batchSize;
  if (left > 0)
    context.note(`The last short batch of each epoch, ${left} of ${data.examples} examples, is dropped.`);
  const training: TrainingContext = {
    model: { ...model.spec },
    imageShape: data.shape,
    classes: data.classes,
    standardize: settings.standardize,
    loss: settings.loss,
    l2: settings.l2,
    examples: data.examples,
    batchSize,
    batchesPerEpoch,
    ...checkOrder(settings, { examples: data.examples, batchSize }),
    learningRate: rateOf(optimizer, Math.max(epochs - 1, 0), epochs),
    momentum: optimizer.momentum,
    seed: settings.seed,
  };
  return { training, model };
}

/** eta of an epoch, counted from 0. */
function rateOf({ learningRate, decay, schedule }: Optimizer, epoch: number, epochs: number): number {
  const chosen = (schedule as Schedule | undefined) ?? { name: 'exponential', decay };
  return learningRateAt(chosen, learningRate, { epoch, epochs });
}

async function readCheckpoint(checkpoint: Checkpoint): Promise<TrainCheckpoint | undefined> {
  const bytes = await checkpoint.read(checkpointName);
  return bytes === undefined ? undefined : (deserialize(bytes) as TrainCheckpoint);
}

function remark(history: readonly HistoryRow[]): string {
  const last = history.at(-1);
  if (last === undefined) return 'first epoch';
  const accuracy = Number.isNaN(last.test_accuracy)
    ? `train accuracy ${last.train_accuracy.toFixed(3)}`
    : `test accuracy ${last.test_accuracy.toFixed(3)}`;
  return `loss ${last.train_loss.toFixed(4)}, ${accuracy}`;
}

async function writeOutputs(
  context: StageContext<TrainWith>,
  state: TrainCheckpoint,
  training: TrainingContext,
  model: Model,
  data: DataDigests,
): Promise<Record<string, ArtifactRef>> {
  const { history } = state;
  const column = (name: keyof HistoryRow) => history.map((row) => row[name]);
  const historyMetadata = writeMetadata({ training, data, statistics: statisticsOf(model) });
  return {
    state: await writeState(context, { ...state, epoch: state.epoch }, training, model, data),
    history: await context.write('history', historyMetadata, (writer) =>
      writer.append({
        epoch: column('epoch'),
        learning_rate: column('learning_rate'),
        train_loss: column('train_loss'),
        train_accuracy: column('train_accuracy'),
        test_loss: column('test_loss'),
        test_accuracy: column('test_accuracy'),
      }),
    ),
  };
}
