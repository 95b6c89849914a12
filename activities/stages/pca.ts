import { findMetadata, writeMetadata } from '../../artifacts/arrow/metadata.ts';
import type { ArrowTable } from '../../artifacts/arrow/table.ts';
import { loadTensorFlow } from '../../compute/tensorflow.ts';
import type { PcaWith } from '../../schemas/types.ts';
import { analyzeSeries } from '../../science/analysis/analyze-series.ts';
import { type Eigenpairs, lanczos } from '../../science/hessian/lanczos.ts';
import { createHessianProduct } from '../../science/hessian/product.ts';
import { statisticsAt } from '../../science/models/statistics.ts';
import { type Covariance, createCovariance } from '../../science/pca/covariance.ts';
import { type Curvature, curvatureAlong } from '../../science/pca/curvature.ts';
import { randomWalkComponents, shareExplained } from '../../science/pca/random-walk.ts';
import { rowBytes, spectrumBytes } from '../kinds/prospect.ts';
import type { Stage, StageContext } from '../kinds/stage.ts';
import { checkComponents, checkConsecutive } from '../stage-parts/checks.ts';
import { openLanczosCheckpoint } from '../stage-parts/lanczos-checkpoint.ts';
import { resumable } from '../stage-parts/lanczos-progress.ts';
import {
  findExamples,
  type LabelledExamples,
  theoryOf,
  trainedModel,
  trainingOf,
} from '../stage-parts/training-data.ts';
import { trajectoryRows } from '../stage-parts/trajectory-reader.ts';

type Context = StageContext<PcaWith>;

/** `uses: pca`: principal components of the recorded weights, and the curvature of the loss along each. */
export const stage: Stage<PcaWith> = {
  uses: 'pca',
  prospect({ trajectory, components }) {
    checkConsecutive(trajectory.every, 'trajectory');
    const { steps, model } = trajectory;
    if (steps === undefined || model === undefined) return undefined;
    const { size } = model;
    checkComponents(components, steps, size);
    return {
      outputs: {
        components: { ...trajectory, pairs: components },
        basis: { ...trajectory, pairs: components },
        spectrum: { ...trajectory, pairs: components },
      },
      bytes: components * (2 * rowBytes('eigenpairs', size) + 4 * 8) + spectrumBytes(components),
      work: components * steps * size,
      like: model.spec.name,
    };
  },
  async run(context) {
    const { components: top, drift, blocks } = context.with;
    const manifest = await context.store.open(context.with.trajectory);
    checkConsecutive(findMetadata(manifest, 'every'), 'trajectory');
    const at = await context.store.open(context.with.at);
    const { training, data } = trainingOf(manifest);
    const model = trainedModel(training);
    const rows = await trajectoryRows(context.store, manifest, model.size, context.breathe);
    checkComponents(top, rows.steps, model.size);
    const covariance = createCovariance(rows, drift);
    const pairs = await principalComponents(context, covariance, top);
    const vectors = Array.from({ length: top }, (_, i) =>
      pairs.vectors.subarray(i * model.size, (i + 1) * model.size),
    );
    const series = await covariance.series(vectors);
    const total = await covariance.total();
    const examples = await findExamples(context.store, data.train);
    const curvatures = await curvaturesAlong(context, vectors, at, examples);

    const spectrum = analyzeSeries({
      theta: Float64Array.from(
        { length: rows.steps * top },
        (_, at) => series[at % top]![Math.floor(at / top)]!,
      ),
      steps: rows.steps,
      directions: top,
      eigenvalues: Float64Array.from(curvatures, ({ value }) => value),
      ...{ ...theoryOf(training), drift, blocks },
    });
    const walk = randomWalkComponents(top, rows.steps, drift);
    const { steps } = rows;
    const shared = { training, data, pca: { drift, steps, totalVariance: total } };
    const ofBasis = writeMetadata({ ...shared, layout: model.layout });
    const ofSpectrum = writeMetadata({ ...shared, analysis: { drift, blocks, steps } });
    const descending = curvatures
      .map((_, i) => i)
      .sort((a, b) => curvatures[b]!.value - curvatures[a]!.value);
    const index = Int32Array.from({ length: top }, (_, i) => i);
    return {
      components: await context.write('eigenpairs', ofBasis, (writer) =>
        writer.append({
          index,
          eigenvalue: pairs.eigenvalues,
          residual: pairs.residuals,
          vector: pairs.vectors,
        }),
      ),
      basis: await context.write('eigenpairs', ofBasis, (writer) =>
        writer.append({
          index,
          eigenvalue: descending.map((i) => curvatures[i]!.value),
          residual: descending.map((i) => curvatures[i]!.residual),
          vector: inOrder(vectors, descending),
        }),
      ),
      spectrum: await context.write('spectrum', ofSpectrum, (writer) =>
        writer.append({
          ...spectrum.columns,
          curvature_residual: curvatures.map(({ residual }) => residual),
          variance_share: [...pairs.eigenvalues].map((value) => value / total),
          random_walk_share: walk.map(({ share }) => share),
          sinusoid_share: walk.map(({ course }, i) => shareExplained(series[i]!, course)),
        }),
      ),
    };
  },
};

async function principalComponents(
  context: Context,
  covariance: Covariance,
  top: number,
): Promise<Eigenpairs> {
  const { tf } = await loadTensorFlow({ threads: context.threads });
  const maxProducts = 20 * top + 200;
  const { tolerance, seed } = context.with;
  const checkpoint = await openLanczosCheckpoint(context.checkpoint);
  const pairs = await lanczos({
    ...{ tf, size: covariance.size, product: covariance.product, top, tolerance, maxProducts, seed },
    ...resumable(context, checkpoint, top),
  });
  if (pairs.converged < top) {
    context.note(
      `Only ${pairs.converged} of ${top} components have a residual within ${tolerance} of the largest variance; the largest ` +
        `residual is ${Math.max(...pairs.residuals).toPrecision(3)}. Ask for fewer components.`,
    );
  }
  return pairs;
}

async function curvaturesAlong(
  context: Context,
  vectors: readonly Float32Array[],
  at: ArrowTable,
  data: LabelledExamples,
): Promise<Curvature[]> {
  const { training } = trainingOf(at);
  const model = trainedModel(training);
  const { tf } = await loadTensorFlow({ threads: context.threads });
  const weights = at.floatVector('weights', 0).slice();
  const { standardize, loss, l2 } = training;
  const statistics = statisticsAt({ tf, model, data, standardize }, weights);
  const hessian = createHessianProduct({ tf, model, data, standardize, loss, l2, statistics, weights });
  const curvatures: Curvature[] = [];
  for (const vector of vectors) {
    curvatures.push(curvatureAlong(vector, await hessian.product(vector, context.breathe)));
    context.progress({ done: curvatures.length, total: vectors.length, unit: 'curvatures' });
  }
  hessian.dispose();
  return curvatures;
}

function inOrder(vectors: readonly Float32Array[], order: readonly number[]): Float32Array {
  const size = vectors[0]!.length;
  const result = new Float32Array(order.length * size);
  for (const [row, index] of order.entries()) result.set(vectors[index]!, row * size);
  return result;
}
