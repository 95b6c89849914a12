import { InputError } from '../../artifacts/errors.ts';
import type { TrainingContext } from '../../artifacts/training-context.ts';
import { loadTensorFlow } from '../../compute/tensorflow.ts';
import type { HessianWith } from '../../schemas/types.ts';
import { type Eigenpairs, lanczos, leastVectors } from '../../science/hessian/lanczos.ts';
import { createHessianProduct, type HessianProductOptions } from '../../science/hessian/product.ts';
import { sharingFor } from '../../science/lanes.ts';
import { describeLoss } from '../../science/loss.ts';
import { createModel, type Model } from '../../science/models/index.ts';
import { statisticsAt, statisticsNote } from '../../science/models/statistics.ts';
import { openLanczosCheckpoint } from '../lanczos-checkpoint.ts';
import { pairBytes } from '../prospect.ts';
import { spectrumEstimates } from '../spectrum-estimates.ts';
import type { Stage, StageContext } from '../stage.ts';
import { findExamples, type LabelledExamples, trainingMetadata, trainingOf } from '../training-data.ts';

type Context = StageContext<HessianWith>;

/** Bytes of vectors in one record batch of the result. */
const batchBytes = 2 ** 28;

/** `uses: hessian`: the first eigenpairs by Lanczos, checkpointed every few steps, and what is known of the rest of the spectrum. */
export const stage: Stage<HessianWith> = {
  uses: 'hessian',
  prospect({ at, top, examples }) {
    const { model } = at;
    if (model === undefined) return undefined;
    const count = examples ?? at.examples;
    const pairs = Math.min(top, model.size);
    return {
      outputs: { eigenpairs: { ...at, pairs } },
      bytes: pairBytes(pairs, model.size),
      // Products grow with the pairs, and so does what keeps each new vector orthogonal to the ones before.
      ...(count === undefined ? {} : { work: pairs * (count * model.multiplyAdds * 6 + pairs * model.size) }),
      like: model.spec.name,
    };
  },
  async run(context) {
    const { with: settings } = context;
    const at = await context.store.open(settings.at);
    const { training, data } = trainingOf(at);
    const all = await findExamples(context.store, data.train);
    const examples = firstExamples(all, settings.examples ?? all.examples);
    const model = createModel(training.model, training.imageShape, training.classes);
    const { size } = model;
    if (settings.top > size)
      context.note(`The network has only ${size} weights: that many eigenpairs were computed.`);
    const top = Math.min(settings.top, size);
    const { maxVectors, cacheBytes } = memoryFor(settings.memory, top, size);

    const sharing = settings.normalization === 'batch' ? sharingFor(model) : 'graphs';
    const { tf, lanes } = await loadTensorFlow({ threads: context.threads, sharing });
    const weights = at.floatVector('weights', 0).slice();
    const { loss, l2, standardize } = training;
    const normalization = normalizationOf(settings, model, training, () =>
      statisticsAt({ tf, model, data: all, standardize }, weights),
    );
    const hessian = createHessianProduct({
      ...{ tf, model, data: examples, standardize, loss, l2, weights },
      ...normalization.options,
      matrix: settings.matrix,
      cacheBytes,
      lanes,
    });
    const product = (vector: Float32Array) => hessian.product(vector, context.breathe);
    const pairs = await firstPairs(context, { tf, size, lanes, product, top, maxVectors });
    noteShortcomings(context, pairs, top, settings.tolerance);
    const estimates = await spectrumEstimates(context, { tf, size, lanes, product }, pairs);
    hessian.dispose();

    const metadata = {
      ...trainingMetadata(training, data),
      'epochal.layout': JSON.stringify(model.layout),
      'epochal.hessian': JSON.stringify({
        matrix: settings.matrix,
        order: settings.order,
        loss: describeLoss(loss),
        ...normalization.metadata,
        examples: examples.examples,
        iterations: pairs.products,
        converged: pairs.converged,
        tolerance: settings.tolerance,
        orthonormality: pairs.orthonormality,
      }),
      ...estimates,
    };
    const eigenpairs = await context.write('eigenpairs', metadata, async (writer) => {
      const rows = Math.max(1, Math.floor(batchBytes / (4 * size)));
      for (let start = 0; start < top; start += rows) {
        const end = Math.min(start + rows, top);
        await writer.append({
          index: Int32Array.from({ length: end - start }, (_, index) => start + index),
          eigenvalue: pairs.eigenvalues.subarray(start, end),
          residual: pairs.residuals.subarray(start, end),
          vector: pairs.vectors.subarray(start * size, end * size),
        });
      }
    });
    return { eigenpairs };
  },
};

/** Where batch normalization takes its moments from, as options of the product and in words; nothing for a network without. */
function normalizationOf(
  { normalization }: HessianWith,
  model: Model,
  { batchSize }: TrainingContext,
  statistics: () => Float32Array,
): { readonly options: Partial<HessianProductOptions>; readonly metadata: Record<string, string> } {
  if (model.normalizations.length === 0) return { options: {}, metadata: {} };
  if (normalization === 'fixed')
    return { options: { statistics: statistics() }, metadata: { statistics: statisticsNote } };
  const note = `Batch normalization uses the means and variances of each batch of ${batchSize} consecutive examples.`;
  return { options: { statistics: 'batch', batchSize }, metadata: { statistics: note } };
}

type Problem = Pick<Parameters<typeof lanczos>[0], 'tf' | 'size' | 'lanes' | 'product' | 'top'> & {
  readonly maxVectors: number;
};

/** Progress counts each pair twice: when it has converged, and when its residual was measured. */
async function firstPairs(context: Context, problem: Problem): Promise<Eigenpairs> {
  const { top } = problem;
  const { order, tolerance, seed, maxIterations = 20 * top + 200 } = context.with;
  const checkpoint = await openLanczosCheckpoint(context.checkpoint);
  const report = (converged: number, measured: number, message: string) =>
    context.progress({ done: converged + measured, total: 2 * top, unit: 'checks of eigenpairs', message });
  let measured = checkpoint.residuals.length;
  if (checkpoint.state !== undefined) report(0, 0, `goes on after ${checkpoint.state.products} products`);
  return lanczos({
    ...problem,
    ...{ order, tolerance, seed, maxProducts: maxIterations },
    resume: checkpoint.state,
    residuals: checkpoint.residuals,
    sweep: checkpoint.sweep,
    onSweep: checkpoint.addSweep,
    async onStep(step) {
      const { products, converged } = step;
      report(converged, 0, `${converged} of ${top} pairs converged after ${products} products`);
      await checkpoint.addStep(step);
    },
    onRestart: (state) => checkpoint.restart(state),
    async onResidual(residual) {
      measured++;
      report(top, measured, `residual of ${measured} of ${top} pairs measured`);
      await checkpoint.addResidual(residual);
    },
  });
}

/** How many Lanczos vectors and how many bytes of activations may be held. */
function memoryFor(
  memory: string | undefined,
  top: number,
  size: number,
): { readonly maxVectors: number; readonly cacheBytes: number } {
  const vectorBytes = 4 * size;
  const least = leastVectors(top);
  if (memory === undefined) {
    const vectors = Math.floor(2e9 / vectorBytes);
    return { maxVectors: Math.max(vectors, Math.ceil(1.5 * least)), cacheBytes: 2e9 };
  }
  const bytes = Number.parseFloat(memory) * (memory.endsWith('GB') ? 1e9 : 1e6);
  const maxVectors = Math.floor(bytes / 2 / vectorBytes);
  if (maxVectors < least) {
    throw new InputError(
      `memory is ${memory}: half of it holds ${maxVectors} vectors of ${size} weights, and ${top} eigenpairs take ` +
        `at least ${least}.`,
      `Give at least ${Math.ceil((2 * least * vectorBytes) / 1e6)}MB, or ask for fewer eigenpairs.`,
    );
  }
  return { maxVectors, cacheBytes: bytes / 2 };
}

function firstExamples(all: LabelledExamples, count: number): LabelledExamples {
  if (count > all.examples) {
    throw new InputError(
      `examples is ${count}, but there are only ${all.examples} training examples.`,
      'Choose fewer, or leave `examples` out to take all.',
    );
  }
  const pixels = all.images.length / all.examples;
  return {
    ...all,
    images: all.images.subarray(0, count * pixels),
    labels: all.labels.subarray(0, count),
    examples: count,
  };
}

function noteShortcomings(context: Context, pairs: Eigenpairs, top: number, tolerance: number): void {
  if (pairs.converged < top) {
    context.note(
      `Only ${pairs.converged} of ${top} eigenpairs have a residual within ${tolerance} of the largest eigenvalue after ` +
        `${pairs.products} Lanczos steps; the largest residual is ${Math.max(...pairs.residuals).toPrecision(3)}. ` +
        'Raise maxIterations.',
    );
  }
  if (pairs.orthonormality > 1e-4) {
    context.note(
      `The eigenvectors deviate from orthonormality by up to ${pairs.orthonormality.toPrecision(2)}.`,
    );
  }
}
