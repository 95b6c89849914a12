import { deserialize, serialize } from 'node:v8';
import type { TrainingContext } from '../../../artifacts/arrow/training-context.ts';
import type { TensorFlow } from '../../../compute/tensorflow.ts';
import type { CurvatureWith } from '../../../schemas/types.ts';
import {
  type BatchCurvature,
  type BatchMean,
  meanOverBatches,
} from '../../../science/hessian/batch-sharpness.ts';
import { type Eigenpairs, lanczos, leastVectors } from '../../../science/hessian/lanczos.ts';
import { createHessianProduct } from '../../../science/hessian/product.ts';
import type { Model } from '../../../science/models/index.ts';
import { epochBatches } from '../../../science/sampling.ts';
import { isPeriodic } from '../../../science/theory/noise.ts';
import type { StageContext } from '../../kinds/stage.ts';
import { openLanczosCheckpoint } from '../lanczos-checkpoint.ts';
import { resumable } from '../lanczos-progress.ts';
import { traceOf } from '../spectrum-estimates.ts';
import type { LabelledExamples } from '../training-data.ts';
import type { TrainedState } from './starting-state.ts';

type Context = StageContext<CurvatureWith>;

/** What is the same at all states of a training. */
export interface CurvatureProblem {
  readonly tf: TensorFlow;
  readonly model: Model;
  /** Those in the Hessian. */
  readonly examples: LabelledExamples;
  readonly training: TrainingContext;
  readonly lanes: number;
  /** Eigenvalues wanted. */
  readonly top: number;
}

export interface FullCurvature {
  /** From the largest down; NaN where one has not converged. */
  readonly eigenvalues: readonly number[];
  readonly trace: number;
  readonly traceError: number;
}

/** Bytes that Lanczos vectors may take, as in a `hessian` stage. */
const vectorBytes = 2e9;

/** The first eigenvalues and the trace of the Hessian at these weights; with batch normalization, of the loss that SGD descends: by the moments of each batch. */
export async function fullCurvature(
  context: Context,
  { tf, model, examples, training, lanes, top }: CurvatureProblem,
  weights: Float32Array,
): Promise<FullCurvature> {
  const { size } = model;
  const { loss, l2, standardize, batchSize } = training;
  const { tolerance, seed, maxIterations, probes } = context.with;
  const hessian = createHessianProduct({
    ...{ tf, model, data: examples, standardize, loss, l2, weights, lanes },
    ...(model.normalizations.length === 0 ? {} : { statistics: 'batch', batchSize }),
  });
  const product = (vector: Float32Array) => hessian.product(vector, context.breathe);
  const maxVectors = Math.max(Math.floor(vectorBytes / (4 * size)), Math.ceil(1.5 * leastVectors(top)));
  const saved = await openLanczosCheckpoint(context.checkpoint);
  const pairs = await lanczos({
    ...{ tf, size, lanes, product, top, maxVectors },
    ...{ tolerance, seed, maxProducts: maxIterations },
    ...resumable(context, saved, top),
  });
  const { trace, standardError } = await traceOf(context, { tf, size, lanes, product }, pairs, probes);
  hessian.dispose();
  return {
    eigenvalues: converged(context, pairs, top),
    trace: trace ?? Number.NaN,
    traceError: standardError ?? Number.NaN,
  };
}

function converged({ note, with: settings }: Context, pairs: Eigenpairs, top: number): number[] {
  const { eigenvalues, residuals, products, outside } = pairs;
  const allowed = settings.tolerance * Math.max(...eigenvalues.map(Math.abs));
  const values = Array.from({ length: top }, (_, i) =>
    residuals[i] !== undefined && residuals[i] <= allowed ? eigenvalues[i]! : Number.NaN,
  );
  const missing = values.filter(Number.isNaN).length;
  if (missing > 0)
    note(
      `${missing} of ${top} eigenvalues have not converged after ${products} products and are NaN: raise \`maxIterations\` or \`tolerance\`.`,
    );
  else if (outside.bound === Number.POSITIVE_INFINITY)
    note(`Whether larger eigenvalues than these ${top} are missing is not known: raise \`maxIterations\`.`);
  return values;
}

/** Batches between two checkpoints. */
const batchesAtOnce = 50;

/** The curvature along their own gradients of the batches that SGD takes next, and its mean. */
export async function batchQuotients(
  context: Pick<Context, 'with' | 'checkpoint' | 'progress' | 'breathe'>,
  { training }: CurvatureProblem,
  batches: BatchCurvature,
  { weights, epoch }: Pick<TrainedState, 'weights' | 'epoch'>,
): Promise<BatchMean> {
  const { examples, batchSize, batchesPerEpoch, sampling, seed } = training;
  const wanted = batchesOf(training, context.with.batches);
  const saved = await context.checkpoint.read('quotients');
  const quotients = saved === undefined ? [] : (deserialize(saved) as number[]);
  let order: Int32Array | undefined;
  while (quotients.length < wanted) {
    const position = quotients.length % batchesPerEpoch;
    if (order === undefined || position === 0) {
      const passed = Math.floor(quotients.length / batchesPerEpoch);
      order = epochBatches(sampling, { examples, batchSize, seed }, epoch + passed);
    }
    const batch = order.subarray(position * batchSize, (position + 1) * batchSize);
    quotients.push(batches.along(weights, batch));
    const done = quotients.length;
    context.progress({ done, total: wanted, unit: 'batches' });
    if (done % batchesAtOnce === 0) await context.checkpoint.write('quotients', serialize(quotients));
    await context.breathe();
  }
  return meanOverBatches(quotients);
}

/** Batches that are drawn: an epoch's unless so many are asked for; no more where each epoch has the same. */
export function batchesOf(
  { batchesPerEpoch, sampling }: Pick<TrainingContext, 'batchesPerEpoch' | 'sampling'>,
  wanted = batchesPerEpoch,
): number {
  return isPeriodic(sampling) ? Math.min(wanted, batchesPerEpoch) : wanted;
}
