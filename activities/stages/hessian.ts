import type { HessianContext, OutsideContext } from '../../artifacts/arrow/measurement-contexts.ts';
import { writeMetadata } from '../../artifacts/arrow/metadata.ts';
import type { TrainingContext } from '../../artifacts/arrow/training-context.ts';
import { InputError } from '../../artifacts/errors.ts';
import { loadTensorFlow } from '../../compute/tensorflow.ts';
import type { HessianWith } from '../../schemas/types.ts';
import { type Eigenpairs, lanczos, leastVectors } from '../../science/hessian/lanczos.ts';
import { createHessianProduct, type HessianProductOptions } from '../../science/hessian/product.ts';
import { sharingFor } from '../../science/lanes.ts';
import { describeLoss } from '../../science/loss.ts';
import type { Model } from '../../science/models/index.ts';
import { statisticsAt, statisticsNote } from '../../science/models/statistics.ts';
import { rowBytes } from '../kinds/prospect.ts';
import type { Stage, StageContext } from '../kinds/stage.ts';
import { checkIterations, checkSubset, pairsOf } from '../stage-parts/checks.ts';
import { openLanczosCheckpoint } from '../stage-parts/lanczos-checkpoint.ts';
import { resumable } from '../stage-parts/lanczos-progress.ts';
import { spectrumEstimates } from '../stage-parts/spectrum-estimates.ts';
import { findExamples, firstExamples, trainedModel, trainingOf } from '../stage-parts/training-data.ts';

type Context = StageContext<HessianWith>;

/** Bytes of vectors in one record batch of the result. */
const batchBytes = 2 ** 28;

/** `uses: hessian`: the first eigenpairs by Lanczos, checkpointed every few steps, and what is known of the rest of the spectrum. */
export const stage: Stage<HessianWith> = {
  uses: 'hessian',
  prospect({ at, top, examples, partial, memory, maxIterations, trace, density }) {
    const { model } = at;
    checkSubset(examples, at.examples);
    if (model === undefined) return undefined;
    const { size } = model;
    const count = examples ?? at.examples;
    const pairs = pairsOf(top, size, partial);
    memoryFor(memory, pairs, size);
    checkIterations(maxIterations, pairs, partial);
    const search = productsOf(pairs);
    const products =
      search + (trace?.probes ?? 0) + (density === undefined ? 0 : density.probes * density.steps);
    return {
      outputs: { eigenpairs: { ...at, pairs } },
      bytes: pairs * rowBytes('eigenpairs', size),
      // A product costs about two gradients; each vector of the search is made orthogonal to those before.
      ...(count === undefined
        ? {}
        : { work: products * count * model.multiplyAdds * 6 + search ** 2 * size }),
      like: model.spec.name,
    };
  },
  async run(context) {
    const { with: settings } = context;
    const at = await context.store.open(settings.at);
    const { training, data } = trainingOf(at);
    const all = await findExamples(context.store, data.train);
    const examples = firstExamples(all, settings.examples ?? all.examples);
    const model = trainedModel(training);
    const { size } = model;
    const top = pairsOf(settings.top, size, settings.partial);
    if (settings.top > size)
      context.note(`The network has only ${size} weights: that many eigenpairs were computed.`);
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
    const found = await firstPairs(context, { tf, size, lanes, product, top, maxVectors });
    const pairs = wanted(context, found, top, size);
    const estimates = await spectrumEstimates(context, { tf, size, lanes, product }, pairs);
    hessian.dispose();

    const metadata = writeMetadata({
      ...{ training, data, layout: model.layout },
      hessian: {
        matrix: settings.matrix,
        order: settings.order,
        loss: describeLoss(loss),
        ...normalization.metadata,
        examples: examples.examples,
        iterations: pairs.products,
        asked: top,
        converged: pairs.converged,
        tolerance: settings.tolerance,
        orthonormality: pairs.orthonormality,
        outside: describeOutside(pairs),
      },
      ...estimates,
    });
    const eigenpairs = await context.write('eigenpairs', metadata, async (writer) => {
      const rows = Math.max(1, Math.floor(batchBytes / (4 * size)));
      const count = pairs.eigenvalues.length;
      for (let start = 0; start < count; start += rows) {
        const end = Math.min(start + rows, count);
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
): {
  readonly options: Partial<HessianProductOptions>;
  readonly metadata: Pick<HessianContext, 'statistics'>;
} {
  if (model.normalizations.length === 0) return { options: {}, metadata: {} };
  if (normalization === 'fixed')
    return { options: { statistics: statistics() }, metadata: { statistics: statisticsNote } };
  const note = `Batch normalization uses the means and variances of each batch of ${batchSize} consecutive examples.`;
  return { options: { statistics: 'batch', batchSize }, metadata: { statistics: note } };
}

type Problem = Pick<Parameters<typeof lanczos>[0], 'tf' | 'size' | 'lanes' | 'product' | 'top'> & {
  readonly maxVectors: number;
};

async function firstPairs(context: Context, problem: Problem): Promise<Eigenpairs> {
  const { top } = problem;
  const { order, tolerance, seed, maxIterations } = context.with;
  const checkpoint = await openLanczosCheckpoint(context.checkpoint);
  return lanczos({
    ...problem,
    ...{ order, tolerance, seed, maxProducts: maxIterations },
    ...resumable(context, checkpoint, top),
  });
}

/** Products that so many pairs take, about, with those for their residuals and for what lies outside. */
function productsOf(pairs: number): number {
  return 20 + 3.5 * pairs;
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
      'memory',
    );
  }
  return { maxVectors, cacheBytes: bytes / 2 };
}

/**
 * The pairs that go into the artifact: all, or with `partial: allow` those that have converged. Throws {@link UnconvergedError} if there are fewer
 * than were asked for, or if eigenvalues before the last of them may be missing.
 */
function wanted(context: Context, pairs: Eigenpairs, top: number, size: number): Eigenpairs {
  const { tolerance, partial, maxIterations } = context.with;
  if (pairs.orthonormality > 1e-4) {
    const deviation = pairs.orthonormality.toPrecision(2);
    context.note(`The eigenvectors deviate from orthonormality by up to ${deviation}.`);
  }
  const magnitudes = pairs.eigenvalues.map(Math.abs);
  const allowed = tolerance * Math.max(...magnitudes);
  const small = magnitudes.filter((magnitude) => magnitude < allowed).length;
  if (small > 0)
    context.note(
      `${small} of ${top} eigenvalues are smaller than ${allowed.toPrecision(2)}, the residual that the tolerance allows: which of the small ones ` +
        'these are is not known. Lower `tolerance` to tell.',
    );
  const isComplete = pairs.converged === top;
  const isBounded = pairs.outside.bound < Number.POSITIVE_INFINITY;
  if (isComplete && isBounded) return pairs;
  const shortcoming = isComplete
    ? `All ${top} eigenpairs have converged after ${pairs.products} products, but whether eigenvalues before the last are missing is not known`
    : `Only ${pairs.converged} of ${top} eigenpairs have a residual within ${tolerance} of the largest eigenvalue after ${pairs.products} products; ` +
      `the largest residual is ${Math.max(...pairs.residuals).toPrecision(3)}`;
  if (partial === 'refuse' || pairs.converged === 0)
    throw new UnconvergedError(`${shortcoming}.`, isBounded ? undefined : maxIterations);
  context.note(`${shortcoming}. ${isComplete ? 'They are' : 'Those that have are'} in the artifact.`);
  return isComplete ? pairs : convergedOf(pairs, tolerance, size);
}

function convergedOf(pairs: Eigenpairs, tolerance: number, size: number): Eigenpairs {
  const allowed = tolerance * Math.max(...pairs.eigenvalues.map(Math.abs));
  const kept = Array.from(pairs.residuals.keys()).filter((i) => pairs.residuals[i]! <= allowed);
  const vectors = new Float32Array(kept.length * size);
  for (const [row, i] of kept.entries())
    vectors.set(pairs.vectors.subarray(i * size, (i + 1) * size), row * size);
  return {
    ...pairs,
    vectors,
    eigenvalues: Float64Array.from(kept, (i) => pairs.eigenvalues[i]!),
    residuals: Float64Array.from(kept, (i) => pairs.residuals[i]!),
    outside: { ...pairs.outside, bound: Number.POSITIVE_INFINITY },
  };
}

/** What is known of the eigenvalues that are not in the artifact, for its metadata; no bound where nothing is left, or nothing is known. */
function describeOutside({ outside, products }: Eigenpairs): OutsideContext {
  const { bound, failureProbability, products: taken } = outside;
  const known =
    bound === Number.POSITIVE_INFINITY ? 'nothing' : bound === Number.NEGATIVE_INFINITY ? 'none' : 'bound';
  return {
    known,
    ...(known === 'bound' ? { bound, failureProbability } : {}),
    products: taken,
    share: taken / products,
  };
}

/** Thrown when the iterations that were allowed did not give the eigenpairs that were asked for. Trying again would end the same. */
class UnconvergedError extends Error {
  override readonly name = 'UnconvergedError';
  readonly cure: string;
  /** `maxIterations` if it is what ended the search; else it was the rounding of products in float32 that left the residuals. */
  constructor(message: string, maxIterations: number | undefined) {
    super(message);
    const more =
      maxIterations === undefined
        ? ''
        : `Raise \`maxIterations\` (now ${maxIterations}), lower \`top\`, raise`;
    this.cure =
      `${more || 'More products would not help: raise'} \`tolerance\`, or set \`partial: allow\` to go on with those that have converged. ` +
      'With each of these the search starts anew.';
  }
}
