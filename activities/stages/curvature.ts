import { deserialize, serialize } from 'node:v8';
import { writeMetadata } from '../../artifacts/arrow/metadata.ts';
import type { ArrowTable } from '../../artifacts/arrow/table.ts';
import type { TrainingContext } from '../../artifacts/arrow/training-context.ts';
import { loadTensorFlow } from '../../compute/tensorflow.ts';
import type { CurvatureWith } from '../../schemas/types.ts';
import { createBatchCurvature, stabilityThresholds } from '../../science/hessian/batch-sharpness.ts';
import { sharingFor } from '../../science/lanes.ts';
import { describeLoss } from '../../science/loss.ts';
import { rowBytes, sgdWork } from '../kinds/prospect.ts';
import type { Stage, StageContext } from '../kinds/stage.ts';
import { checkIterations, checkSubset, pairsOf } from '../stage-parts/checks.ts';
import {
  batchesOf,
  batchQuotients,
  type CurvatureProblem,
  fullCurvature,
} from '../stage-parts/states/curvature-at.ts';
import { scopedCheckpoint } from '../stage-parts/states/scoped-checkpoint.ts';
import { trainedStateIn } from '../stage-parts/states/starting-state.ts';
import { findExamples, firstExamples, trainedModel, trainingOf } from '../stage-parts/training-data.ts';

/** What is measured at one state, by column. */
type CurvatureRow = Readonly<Record<string, number>>;

const checkpointName = 'rows';

/** `uses: curvature`: eigenvalues, trace and batch sharpness at each state of a training, checkpointed within a state and after each. */
export const stage: Stage<CurvatureWith> = {
  uses: 'curvature',
  prospect({ at: from, top, batches, examples, probes, maxIterations }) {
    const { model, batchSize, states = 1 } = from;
    checkSubset(examples, from.examples);
    if (model === undefined || batchSize === undefined || from.examples === undefined) return undefined;
    const pairs = pairsOf(top, model.size, 'refuse');
    checkIterations(maxIterations, pairs, 'refuse');
    const drawn = batches ?? Math.floor(from.examples / batchSize);
    // As a hessian stage: a product costs about two gradients, and so does one along the gradient of a batch, with that gradient.
    const products = (20 + 3.5 * pairs + probes) * (examples ?? from.examples) * model.multiplyAdds * 6;
    return {
      outputs: { curvature: {} },
      bytes: states * rowBytes('curvature', 0, pairs - 1),
      work: states * (products + 3 * sgdWork(drawn, batchSize, model)),
      like: model.spec.name,
    };
  },
  async run(context) {
    const { with: settings, checkpoint } = context;
    const table = await context.store.open(settings.at);
    const { training, data } = trainingOf(table);
    const all = await findExamples(context.store, data.train);
    const examples = firstExamples(all, settings.examples ?? all.examples);
    const model = trainedModel(training);
    const top = pairsOf(settings.top, model.size, 'refuse');
    checkIterations(settings.maxIterations, top, 'refuse');
    noteFewBatches(context, training);
    const { tf, lanes } = await loadTensorFlow({ threads: context.threads, sharing: sharingFor(model) });
    const { loss, l2, standardize } = training;
    const batches = createBatchCurvature({ tf, model, data: all, standardize, loss, l2 });
    const problem: CurvatureProblem = { tf, model, examples, training, lanes, top };

    const saved = await checkpoint.read(checkpointName);
    const rows: CurvatureRow[] = saved === undefined ? [] : (deserialize(saved) as CurvatureRow[]);
    for (let row = rows.length; row < table.rows; row++) {
      const state = trainedStateIn(table, row);
      const rate = rateAt(table, row, training.learningRate);
      const own = at(context, state.epoch, row, table.rows);
      const full = await fullCurvature(own, problem, state.weights);
      const sharpness = await batchQuotients(own, problem, batches, state);
      await own.checkpoint.clear();
      const { smallBatch, fullBatch } = stabilityThresholds(rate, training.momentum);
      rows.push({
        ...{ epoch: state.epoch, step: state.step, batches: sharpness.batches, learning_rate: rate },
        ...Object.fromEntries(full.eigenvalues.map((value, index) => [`eigenvalue_${index}`, value])),
        ...{ trace: full.trace, trace_standard_error: full.traceError },
        ...{ batch_sharpness: sharpness.mean, batch_sharpness_standard_error: sharpness.standardError },
        ...{ threshold_small_batch: smallBatch, threshold_full_batch: fullBatch },
      });
      await checkpoint.write(checkpointName, serialize(rows));
    }
    batches.dispose();

    const { tolerance, probes } = settings;
    const curvature = { loss: describeLoss(loss), examples: examples.examples, top, tolerance, probes };
    const metadata = writeMetadata({ training, data, curvature });
    const columns = Object.keys(rows[0]!);
    return {
      curvature: await context.write('curvature', metadata, (writer) =>
        writer.append(Object.fromEntries(columns.map((column) => [column, rows.map((row) => row[column]!)]))),
      ),
    };
  },
};

/** The context for the work at one state, which has files of its own in the checkpoint. */
function at(context: StageContext<CurvatureWith>, epoch: number, row: number, rows: number): typeof context {
  return {
    ...context,
    checkpoint: scopedCheckpoint(context.checkpoint, `state-${row}`),
    progress: ({ done, total, unit, message = '' }) =>
      context.progress({
        ...{ done: row, total: rows, unit: 'states' },
        message: `epoch ${epoch}: ${done} of ${total} ${unit}${message === '' ? '' : `, ${message}`}`,
      }),
    note: (text, kind) => context.note(`Epoch ${epoch}: ${text}`, kind),
  };
}

/** eta of the epoch that ended in this state; `states` have one each. */
function rateAt(table: ArrowTable, row: number, learningRate: number): number {
  return table.columns.includes('learning_rate') ? table.numbers('learning_rate')[row]! : learningRate;
}

function noteFewBatches(
  { note, with: { batches } }: StageContext<CurvatureWith>,
  training: TrainingContext,
): void {
  const drawn = batchesOf(training, batches);
  if (batches !== undefined && drawn < batches)
    note(`With this sampling each epoch has the same ${drawn} batches: no more than these are taken.`);
}
