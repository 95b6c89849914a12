import { deserialize, serialize } from 'node:v8';
import { writeMetadata } from '../../artifacts/arrow/metadata.ts';
import type { TrainingContext } from '../../artifacts/arrow/training-context.ts';
import type { ArtifactRef } from '../../artifacts/reference.ts';
import { loadTensorFlow } from '../../compute/tensorflow.ts';
import type { RecordWith } from '../../schemas/types.ts';
import { sharingFor } from '../../science/lanes.ts';
import { createTrainer, type SgdState, type Trainer } from '../../science/sgd.ts';
import { batchesOf, rowBytes, sgdWork } from '../kinds/prospect.ts';
import type { Stage, StageContext } from '../kinds/stage.ts';
import { warnIfDiverged } from '../stage-parts/dead-network.ts';
import { findExamples, trainedModel, trainingOf } from '../stage-parts/training-data.ts';
import {
  partLayout,
  type RecordedSteps,
  type TrajectoryPart,
  writeManifest,
  writeParts,
} from '../stage-parts/trajectory-writer.ts';
import { writeState } from '../stage-parts/write-state.ts';

/** Everything that recording needs to go on after an epoch, apart from the rows that are not in a part yet. */
interface RecordCheckpoint {
  readonly state: SgdState;
  /** Epochs done by this stage, warm-up included. */
  readonly epochsDone: number;
  readonly parts: readonly TrajectoryPart[];
  /** Checkpoint files with the rows that are not in a part yet. */
  readonly pending: readonly string[];
  /** Sum of the recorded weights in double precision, for their mean. */
  readonly sum: Float64Array;
  readonly rows: number;
}

const checkpointName = 'after-epoch';

/** `uses: record`: goes on from a state and keeps the weights after every step, checkpointed after each epoch. */
export const stage: Stage<RecordWith> = {
  uses: 'record',
  prospect({ from, warmup, epochs }) {
    const { model, batchSize } = from;
    const batches = batchesOf(from);
    if (model === undefined || batchSize === undefined || batches === undefined) return undefined;
    const steps = epochs * batches;
    const sgdSteps = warmup * batches + steps;
    return {
      outputs: { trajectory: { ...from, steps }, mean: from, state: from },
      bytes: steps * rowBytes('trajectory-part', model.size) + 2 * rowBytes('state', model.size),
      // Recording a step reads and writes each weight.
      work: sgdWork(sgdSteps, batchSize, model) + steps * model.size,
      sgdSteps,
      like: model.spec.name,
    };
  },
  async run(context) {
    const settings = context.with;
    const from = await context.store.open(settings.from);
    const { training: trained, data } = trainingOf(from);
    const training: TrainingContext = {
      ...trained,
      learningRate: settings.learningRate ?? trained.learningRate,
      sampling: settings.sampling ?? trained.sampling,
    };
    const examples = await findExamples(context.store, data.train);
    const model = trainedModel(training);
    const { tf, lanes } = await loadTensorFlow({ threads: context.threads, sharing: sharingFor(model) });
    const trainer = createTrainer({
      tf,
      model,
      data: examples,
      standardize: training.standardize,
      training,
      recordWeights: true,
      lanes,
    });

    const firstEpoch = from.numbers('epoch')[0]!;
    const startStep = from.numbers('step')[0]!;
    const metadata = writeMetadata({ training, data, layout: model.layout });
    const { epochsPerPart, rowsPerPart } = partLayout(training.batchesPerEpoch, model.size);
    const total = (settings.warmup + settings.epochs) * training.batchesPerEpoch;

    const restored = await restore(context);
    let done: RecordCheckpoint = restored?.checkpoint ?? {
      state: {
        weights: from.floatVector('weights', 0).slice(),
        velocity: from.floatVector('velocity', 0).slice(),
        step: startStep,
      },
      epochsDone: 0,
      parts: [],
      pending: [],
      sum: new Float64Array(model.size),
      rows: 0,
    };
    let rows: RecordedSteps[] = restored?.rows ?? [];

    while (done.epochsDone < settings.warmup + settings.epochs) {
      const epoch = firstEpoch + done.epochsDone;
      const recording = done.epochsDone >= settings.warmup;
      const sum = done.sum.slice();
      const pass = await onePass(context, trainer, done.state, epoch, training.learningRate, {
        startStep,
        total,
        recording,
        sum,
      });
      const recorded = recording ? pass.recorded : [];
      const recordedEpochs = done.epochsDone + 1 - settings.warmup;
      const last = done.epochsDone + 1 === settings.warmup + settings.epochs;
      rows.push(...recorded);

      const stale = done.pending;
      let next: RecordCheckpoint = {
        state: pass.state,
        epochsDone: done.epochsDone + 1,
        parts: done.parts,
        pending: done.pending,
        sum,
        rows: done.rows + recorded.reduce((count, steps) => count + steps.losses.length, 0),
      };
      if (recording && (last || recordedEpochs % epochsPerPart === 0)) {
        next = {
          ...next,
          parts: [...done.parts, ...(await writeParts(context, rows, rowsPerPart, metadata))],
          pending: [],
        };
        rows = [];
      } else if (recording) {
        const name = `rows-${String(next.epochsDone).padStart(6, '0')}`;
        await context.checkpoint.write(name, serialize(recorded));
        next = { ...next, pending: [...done.pending, name] };
      }
      await context.checkpoint.write(checkpointName, serialize(next));
      if (next.pending.length === 0) for (const name of stale) await context.checkpoint.remove(name);
      done = next;
    }
    trainer.dispose();

    const mean = Float32Array.from(done.sum, (value) => value / done.rows);
    warnIfDiverged(context, mean, [], 'The recorded training');
    const epoch = firstEpoch + done.epochsDone;
    const { step, velocity } = done.state;
    return {
      trajectory: await writeManifest(context, done.parts, metadata),
      mean: await writeState(
        context,
        { weights: mean, velocity: new Float32Array(velocity.length), step, epoch },
        training,
        model,
        data,
      ),
      state: await writeState(context, { ...done.state, epoch }, training, model, data),
    };
  },
};

interface PassOptions {
  readonly startStep: number;
  readonly total: number;
  readonly recording: boolean;
  /** Gets every recorded weight vector added. */
  readonly sum: Float64Array;
}

async function onePass(
  context: StageContext<RecordWith>,
  trainer: Trainer,
  from: SgdState,
  epoch: number,
  learningRate: number,
  { startStep, total, recording, sum }: PassOptions,
): Promise<{ state: SgdState; recorded: RecordedSteps[] }> {
  const recorded: RecordedSteps[] = [];
  let state = from;
  for await (const chunk of trainer.epoch(from, epoch, learningRate)) {
    state = chunk.state;
    if (recording) {
      const weights = chunk.weights!;
      for (let offset = 0; offset < weights.length; offset += sum.length) {
        for (let i = 0; i < sum.length; i++) sum[i]! += weights[offset + i]!;
      }
      recorded.push({
        firstStep: chunk.firstStep,
        epochs: new Int32Array(chunk.losses.length).fill(epoch),
        losses: chunk.losses,
        weights,
      });
    }
    const message = recording ? 'recording' : 'warming up';
    context.progress({ done: state.step - startStep, total, unit: 'steps', message });
    await context.breathe();
  }
  return { state, recorded };
}

/** The last checkpoint with all it needs; undefined if there is none, or any of its files or parts is gone. */
async function restore(
  context: StageContext<RecordWith>,
): Promise<{ checkpoint: RecordCheckpoint; rows: RecordedSteps[] } | undefined> {
  const bytes = await context.checkpoint.read(checkpointName);
  if (bytes === undefined) return undefined;
  const checkpoint = deserialize(bytes) as RecordCheckpoint;
  const rows: RecordedSteps[] = [];
  for (const name of checkpoint.pending) {
    const saved = await context.checkpoint.read(name);
    if (saved === undefined) return undefined;
    rows.push(...(deserialize(saved) as RecordedSteps[]));
  }
  for (const { ref } of checkpoint.parts as readonly { ref: ArtifactRef }[]) {
    if (!(await context.store.verify(ref))) return undefined;
  }
  return { checkpoint, rows };
}
