import { deserialize, serialize } from 'node:v8';
import { writeMetadata } from '../../artifacts/arrow/metadata.ts';
import type { ArrowTable } from '../../artifacts/arrow/table.ts';
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
import { type KeptStates, keptEpochs, keptStates } from '../stage-parts/states/kept-states.ts';
import { checkSameLayout, startingState, type TrainedState } from '../stage-parts/states/starting-state.ts';
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
interface TrainCheckpoint extends TrainedState {
  readonly history: readonly HistoryRow[];
}

const checkpointName = 'after-epoch';

/** `uses: train`: SGD from fresh weights or from a state, checkpointed after each epoch. */
export const stage: Stage<TrainWith> = {
  uses: 'train',
  prospect(settings) {
    const { data, test, model: spec, from, epochs, keep, batchSize } = settings;
    const { examples, imageShape, classes } = data;
    if (examples === undefined || imageShape === undefined || classes === undefined) return undefined;
    const model = buildModel(spec as ModelSpec, imageShape, classes);
    checkBatchSize(batchSize, examples);
    checkOrder(settings, { examples, batchSize });
    checkNotEmpty(test?.examples, 'test');
    if (from?.model !== undefined) checkSameLayout(from.model.layout, model.layout);
    // How far a state has come is not known before it is made.
    const kept = from === undefined ? keptEpochs(keep, 0, epochs).length : undefined;
    const known = { examples, imageShape, classes, model, batchSize };
    const steps = epochs * Math.floor(examples / batchSize);
    const evaluations = (epochs + 1) * (examples + (test?.examples ?? 0)) * model.multiplyAdds;
    return {
      outputs: {
        ...{ state: known, history: {} },
        states: kept === undefined ? known : { ...known, states: kept },
      },
      bytes:
        rowBytes('state', model.size) +
        epochs * rowBytes('history') +
        (kept ?? 0) * rowBytes('states', model.size),
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
    const from = settings.from === undefined ? undefined : await context.store.open(settings.from);
    const { training, model, start, last } = describeTraining(context, examples, from);
    const kept = keptStates(context, keptEpochs(settings.keep, start.epoch, last));
    const { tf, lanes } = await loadTensorFlow({ threads: context.threads, sharing: sharingFor(model) });
    const trainer = createTrainer({
      ...{ tf, model, data: examples, standardize: training.standardize },
      training,
      lanes,
    });
    const { standardize, loss, l2 } = training;
    const evaluate = createEvaluator({ tf, model, standardize, loss, l2, population: examples, lanes });

    let state = await readCheckpoint(context.checkpoint, kept);
    if (state === undefined) {
      state = { ...start, history: [] };
      await kept.add(state, rateOf(settings.optimizer, start.epoch, last));
    }
    const total = settings.epochs * training.batchesPerEpoch;
    for (let epoch = state.epoch; epoch < last; epoch++) {
      const rate = rateOf(settings.optimizer, epoch, last);
      let now: SgdState = state;
      for await (const chunk of trainer.epoch(state, epoch, rate)) {
        now = chunk.state;
        const done = now.step - start.step;
        context.progress({ done, total, unit: 'steps', message: remark(state.history) });
        await context.breathe();
      }
      const onTrain = await evaluate(now.weights, examples);
      const onTest =
        test === undefined ? { loss: Number.NaN, accuracy: Number.NaN } : await evaluate(now.weights, test);
      const row: HistoryRow = {
        epoch: epoch + 1,
        learning_rate: rate,
        train_loss: onTrain.loss,
        train_accuracy: onTrain.accuracy,
        test_loss: onTest.loss,
        test_accuracy: onTest.accuracy,
      };
      state = { ...now, epoch: epoch + 1, history: [...state.history, row] };
      await kept.add(state, rate);
      await context.checkpoint.write(checkpointName, serialize(state));
    }
    trainer.dispose();
    warnIfDead(context, {
      ...{ loss, weights: state.weights, labels: examples.labels },
      losses: state.history.map(({ train_loss }) => train_loss),
      l2Term: l2Loss(state.weights, kernelMask(model), l2),
    });
    const data = { train: settings.data.sha256, test: settings.test?.sha256 ?? null };
    return {
      ...(await writeOutputs(context, state, training, model, data)),
      ...(settings.keep === undefined ? {} : { states: await kept.write(training, model, data) }),
    };
  },
};

function describeTraining(
  context: StageContext<TrainWith>,
  data: LabelledExamples,
  from: ArrowTable | undefined,
): {
  readonly training: TrainingContext;
  readonly model: Model;
  readonly start: TrainedState;
  /** The epoch that it ends with, counted like those of the state that it starts from. */
  readonly last: number;
} {
  const { with: settings } = context;
  const model = buildModel(settings.model as ModelSpec, data.shape, data.classes);
  const { batchSize, optimizer, seed } = settings;
  checkBatchSize(batchSize, data.examples);
  const start = startingState(model, seed, from);
  const last = start.epoch + settings.epochs;
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
    learningRate: rateOf(optimizer, Math.max(last - 1, 0), last),
    momentum: optimizer.momentum,
    seed,
  };
  return { training, model, start, last };
}

/** eta of an epoch, counted from 0. */
function rateOf({ learningRate, decay, schedule }: Optimizer, epoch: number, epochs: number): number {
  const chosen = (schedule as Schedule | undefined) ?? { name: 'exponential', decay };
  return learningRateAt(chosen, learningRate, { epoch, epochs });
}

/** The last checkpoint; undefined if there is none, or a state is gone that was kept before it. */
async function readCheckpoint(
  checkpoint: Checkpoint,
  kept: KeptStates,
): Promise<TrainCheckpoint | undefined> {
  const bytes = await checkpoint.read(checkpointName);
  const state = bytes === undefined ? undefined : (deserialize(bytes) as TrainCheckpoint);
  return state !== undefined && (await kept.has(state.epoch)) ? state : undefined;
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
