import { serialize } from 'node:v8';
import { writeMetadata } from '../../artifacts/arrow/metadata.ts';
import type { TrainingContext } from '../../artifacts/arrow/training-context.ts';
import { loadTensorFlow } from '../../compute/tensorflow.ts';
import type { RecordWith } from '../../schemas/types.ts';
import { sharingFor } from '../../science/lanes.ts';
import { createTrainer, type SgdState, type Trainer } from '../../science/sgd.ts';
import { batchesOf, type Prospected, rowBytes, sgdWork } from '../kinds/prospect.ts';
import type { Stage, StageContext } from '../kinds/stage.ts';
import { checkOrder, checkProjectable, checkThinned } from '../stage-parts/checks.ts';
import { warnIfDiverged } from '../stage-parts/dead-network.ts';
import {
  checkpointName,
  type RecordCheckpoint,
  restore,
} from '../stage-parts/recording/record-checkpoint.ts';
import { openRecordedSeries, type RecordedSeries } from '../stage-parts/recording/recorded-series.ts';
import {
  partLayout,
  type RecordedSteps,
  thinned,
  writeManifest,
  writeParts,
} from '../stage-parts/recording/trajectory-writer.ts';
import { findExamples, trainedModel, trainingOf } from '../stage-parts/training-data.ts';
import { writeState } from '../stage-parts/write-state.ts';

/** Whether the recorded weights are kept: unless what is recorded of them is. */
function keepsTrajectory({ keep, onto, sketch }: Prospected<RecordWith> | RecordWith): boolean {
  return keep === undefined ? onto === undefined && sketch === undefined : keep === 'trajectory';
}

/** `uses: record`: goes on from a state and keeps the weights after every step, or projections of them, checkpointed after each epoch. */
export const stage: Stage<RecordWith> = {
  uses: 'record',
  prospect(settings) {
    const { from, warmup, epochs, every = 1, onto, sketch, blockSize } = settings;
    const keeps = keepsTrajectory(settings);
    checkThinned(settings.every, keeps);
    const { model, batchSize, examples } = from;
    if (model !== undefined && onto?.model !== undefined)
      checkProjectable(model.size, onto.model.size, 'onto');
    const batches = batchesOf(from);
    if (model === undefined || batchSize === undefined || batches === undefined) return undefined;
    if (examples !== undefined && blockSize !== undefined) checkOrder(settings, { examples, batchSize });
    const steps = epochs * batches;
    const sgdSteps = warmup * batches + steps;
    const kept = keeps ? Math.ceil(steps / every) : 0;
    const pairs = onto === undefined ? 0 : onto.pairs;
    const bytes =
      kept * rowBytes('trajectory-part', model.size) +
      2 * rowBytes('state', model.size) +
      (sketch === undefined ? 0 : steps * rowBytes('series', sketch.size));
    return {
      outputs: {
        trajectory: { ...from, steps: kept, ...(every === 1 ? {} : { every }) },
        mean: from,
        state: from,
        series: { ...from, steps, ...(pairs === undefined ? {} : { pairs }) },
        sketch: { ...from, steps, isSketch: true },
      },
      ...(pairs === undefined
        ? {}
        : { bytes: bytes + (onto === undefined ? 0 : steps * rowBytes('series', pairs)) }),
      // Recording a step reads and writes each weight, and multiplies it with that of each basis vector.
      work: sgdWork(sgdSteps, batchSize, model) + steps * model.size * (1 + (pairs ?? 0)),
      sgdSteps,
      like: model.spec.name,
    };
  },
  async run(context) {
    const settings = context.with;
    const keeps = keepsTrajectory(settings);
    const { every = 1 } = settings;
    checkThinned(settings.every, keeps);
    const from = await context.store.open(settings.from);
    const { training: trained, data } = trainingOf(from);
    const { blockSize, ...others } = trained;
    const training: TrainingContext = {
      ...others,
      learningRate: settings.learningRate ?? trained.learningRate,
      ...checkOrder(settings, trained, trained),
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
    const metadata = writeMetadata({
      ...{ training, data, layout: model.layout },
      every: every === 1 ? undefined : every,
    });
    const { epochsPerPart, rowsPerPart } = partLayout(
      Math.ceil(training.batchesPerEpoch / every),
      model.size,
    );
    const total = (settings.warmup + settings.epochs) * training.batchesPerEpoch;
    const series = await openRecordedSeries(context, tf, model.size);
    const recordedUntil = (epochs: number) => {
      const count = Math.max(0, epochs - settings.warmup);
      return Array.from({ length: count }, (_, index) => settings.warmup + index + 1);
    };

    const restored = await restore(context, (epochsDone) =>
      series.has(recordedUntil(epochsDone), training.batchesPerEpoch),
    );
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
    series.goOn(done.reference);

    while (done.epochsDone < settings.warmup + settings.epochs) {
      const epoch = firstEpoch + done.epochsDone;
      const recording = done.epochsDone >= settings.warmup;
      const sum = done.sum.slice();
      const pass = await onePass(context, trainer, done.state, epoch, training.learningRate, {
        startStep,
        total,
        recording,
        sum,
        keeps,
        series,
        before: done.rows,
        every,
      });
      const { recorded } = pass;
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
        rows: done.rows + (recording ? pass.state.step - done.state.step : 0),
        ...(series.reference === undefined ? {} : { reference: series.reference }),
      };
      if (recording) await series.endEpoch(next.epochsDone);
      const keepsNow = recording && keeps;
      if (keepsNow && (last || recordedEpochs % epochsPerPart === 0)) {
        next = {
          ...next,
          parts: [...done.parts, ...(await writeParts(context, rows, rowsPerPart, metadata))],
          pending: [],
        };
        rows = [];
      } else if (keepsNow) {
        const name = `rows-${String(next.epochsDone).padStart(6, '0')}`;
        await context.checkpoint.write(name, serialize(recorded));
        next = { ...next, pending: [...done.pending, name] };
      }
      await context.checkpoint.write(checkpointName, serialize(next));
      if (next.pending.length === 0) for (const name of stale) await context.checkpoint.remove(name);
      done = next;
    }
    trainer.dispose();
    series.dispose();

    const mean = Float32Array.from(done.sum, (value) => value / done.rows);
    warnIfDiverged(context, mean, [], 'The recorded training');
    const epoch = firstEpoch + done.epochsDone;
    const { step, velocity } = done.state;
    const ofSeries = writeMetadata({ training, data });
    const firstStep = startStep + settings.warmup * training.batchesPerEpoch + 1;
    return {
      ...(keeps ? { trajectory: await writeManifest(context, done.parts, metadata) } : {}),
      ...(await series.write(recordedUntil(done.epochsDone), firstStep, ofSeries)),
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
  readonly keeps: boolean;
  readonly series: RecordedSeries;
  /** Steps recorded before, of which each `every`-th is kept. */
  readonly before: number;
  readonly every: number;
}

async function onePass(
  context: StageContext<RecordWith>,
  trainer: Trainer,
  from: SgdState,
  epoch: number,
  learningRate: number,
  { startStep, total, recording, sum, keeps, series, before, every }: PassOptions,
): Promise<{ state: SgdState; recorded: RecordedSteps[] }> {
  const recorded: RecordedSteps[] = [];
  const message = recording ? `recording${series.words}` : 'warming up';
  let state = from;
  for await (const chunk of trainer.epoch(from, epoch, learningRate)) {
    const recordedBefore = before + state.step - from.step;
    state = chunk.state;
    if (recording) {
      const weights = chunk.weights!;
      for (let offset = 0; offset < weights.length; offset += sum.length) {
        for (let i = 0; i < sum.length; i++) sum[i]! += weights[offset + i]!;
      }
      series.add(weights);
      const epochs = new Int32Array(chunk.losses.length).fill(epoch);
      const steps = { firstStep: chunk.firstStep, epochs, losses: chunk.losses, weights };
      const kept = every === 1 ? steps : thinned(steps, every, recordedBefore);
      if (keeps && kept !== undefined) recorded.push(kept);
    }
    context.progress({ done: state.step - startStep, total, unit: 'steps', message });
    await context.breathe();
  }
  return { state, recorded };
}
