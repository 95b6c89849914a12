import { deserialize, serialize } from 'node:v8';
import { InputError } from '../../artifacts/errors.ts';
import type { Checkpoint } from '../../artifacts/store.ts';
import { loadTensorFlow } from '../../compute/tensorflow.ts';
import type { HessianWith } from '../../schemas/types.ts';
import {
  type Eigenpairs,
  type LanczosState,
  type LanczosStep,
  lanczos,
} from '../../science/hessian/lanczos.ts';
import { createHessianProduct } from '../../science/hessian/product.ts';
import { createModel } from '../../science/models/index.ts';
import type { Stage, StageContext } from '../stage.ts';
import { findExamples, type LabelledExamples, trainingMetadata, trainingOf } from '../training-data.ts';

/** Lanczos steps between two checkpoints. */
const checkpointEvery = 10;

/** The steps since the checkpoint before. */
interface SavedSteps {
  readonly vectors: readonly Float32Array[];
  readonly alphas: readonly number[];
  readonly betas: readonly number[];
  readonly next: Float32Array;
}

/** `uses: hessian`: the largest eigenpairs by Lanczos, checkpointed every few steps. */
export const stage: Stage<HessianWith> = {
  uses: 'hessian',
  async run(context) {
    const { with: settings } = context;
    const at = await context.store.open(settings.at);
    const { training, data } = trainingOf(at);
    const all = await findExamples(context.store, data.train);
    const examples = firstExamples(all, settings.examples ?? all.examples);
    const model = createModel(training.model, training.imageShape, training.classes);
    const { tf } = await loadTensorFlow({ threads: context.threads });
    const weights = at.floatVector('weights', 0).slice();
    const { l2, standardize } = training;
    const hessian = createHessianProduct({ tf, model, data: examples, standardize, l2, weights });

    if (settings.top > model.size)
      context.note(`The network has only ${model.size} weights: that many eigenpairs were computed.`);
    const top = Math.min(settings.top, model.size);
    const maxIterations = settings.maxIterations ?? 20 * top + 200;
    const checkpoint = await openCheckpoint(context.checkpoint);
    let done = checkpoint.state?.basis.length ?? 0;
    const report = (converged: number) =>
      context.progress({
        done,
        total: Math.min(maxIterations, model.size),
        unit: 'Lanczos steps',
        message: `${converged} of ${top} pairs converged`,
      });
    report(0);
    const pairs = await lanczos({
      size: model.size,
      product: (vector) => hessian.product(vector, context.breathe),
      top,
      tolerance: settings.tolerance,
      maxIterations,
      seed: settings.seed,
      ...(checkpoint.state === undefined ? {} : { resume: checkpoint.state }),
      async onStep(step) {
        done = step.iterations;
        report(step.converged);
        await checkpoint.add(step);
      },
    });
    hessian.dispose();
    noteShortcomings(context, pairs, top, settings.tolerance);

    const metadata = {
      ...trainingMetadata(training, data),
      'epochal.layout': JSON.stringify(model.layout),
      'epochal.hessian': JSON.stringify({
        loss: 'mean cross-entropy + l2 * (sum of squared kernel weights)',
        examples: examples.examples,
        iterations: pairs.iterations,
        converged: pairs.converged,
        tolerance: settings.tolerance,
        orthonormality: pairs.orthonormality,
      }),
    };
    const eigenpairs = await context.write('eigenpairs', metadata, (writer) =>
      writer.append({
        index: Int32Array.from({ length: top }, (_, index) => index),
        eigenvalue: pairs.eigenvalues,
        residual: pairs.residuals,
        vector: pairs.vectors,
      }),
    );
    return { eigenpairs };
  },
};

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

function noteShortcomings(
  context: StageContext<HessianWith>,
  pairs: Eigenpairs,
  top: number,
  tolerance: number,
): void {
  if (pairs.converged < top) {
    context.note(
      `Only ${pairs.converged} of ${top} eigenpairs have a residual within ${tolerance} of the largest eigenvalue after ` +
        `${pairs.iterations} Lanczos steps; the largest residual is ${Math.max(...pairs.residuals).toPrecision(3)}. Raise maxIterations.`,
    );
  }
  if (pairs.orthonormality > 1e-4) {
    context.note(
      `The eigenvectors deviate from orthonormality by up to ${pairs.orthonormality.toPrecision(2)}.`,
    );
  }
}

async function openCheckpoint(
  checkpoint: Checkpoint,
): Promise<{ readonly state: LanczosState | undefined; add(step: LanczosStep): Promise<void> }> {
  const saved: SavedSteps[] = [];
  const nameOf = (iterations: number) => `steps-${String(iterations).padStart(7, '0')}`;
  for (;;) {
    const bytes = await checkpoint.read(nameOf((saved.length + 1) * checkpointEvery));
    if (bytes === undefined) break;
    saved.push(deserialize(bytes) as SavedSteps);
  }
  const last = saved.at(-1);
  let pending: LanczosStep[] = [];
  return {
    state:
      last === undefined
        ? undefined
        : {
            basis: saved.flatMap(({ vectors }) => vectors),
            next: last.next,
            alphas: saved.flatMap(({ alphas }) => alphas),
            betas: saved.flatMap(({ betas }) => betas),
          },
    async add(step) {
      pending.push(step);
      if (step.iterations % checkpointEvery !== 0) return;
      const steps: SavedSteps = {
        vectors: pending.map(({ vector }) => vector),
        alphas: pending.map(({ alpha }) => alpha),
        betas: pending.map(({ beta }) => beta),
        next: step.next,
      };
      await checkpoint.write(nameOf(step.iterations), serialize(steps));
      pending = [];
    },
  };
}
