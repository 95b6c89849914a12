import { readBasis } from '../activities/stage-parts/basis.ts';
import { findExamples, trainedModel, trainingOf } from '../activities/stage-parts/training-data.ts';
import { partsOf } from '../artifacts/store/outputs.ts';
import type { Store } from '../artifacts/store/store.ts';
import { loadTensorFlow } from '../compute/tensorflow.ts';
import { formatSignificant } from '../report/numbers.ts';
import type { Study } from '../report/read-study.ts';
import { cellLabel } from '../report/read-tables.ts';
import { driftShares } from '../science/noise/drift-share.ts';
import { createGradients } from '../science/noise/gradients.ts';
import { createProjection } from '../science/projection.ts';
import { RandomStream } from '../science/random.ts';
import { table } from './result-tables.ts';

/** The shares of the noise that is left over of one cell: predicted from the drift of the examples' gradients within an epoch, and found in the recorded weights. */
export interface LeftoverOrigin {
  readonly cell: string;
  readonly learningRate: number;
  /** One entry a direction, steepest first. */
  readonly eigenvalue: readonly number[];
  readonly predicted: readonly number[];
  readonly found: readonly number[];
  readonly overOneEpoch: readonly number[];
}

/** Steps of each epoch that are looked at. */
const stepsApart = 4;
/** Rows of the page's table for each cell. */
const groups = 4;

/** Predicts the shares of a study's cells from their trajectories and data, all of which must be in the store. */
export async function leftoverOrigins(store: Store, study: Study): Promise<LeftoverOrigin[]> {
  const { tf } = await loadTensorFlow({ threads: 1 });
  const origins: LeftoverOrigin[] = [];
  for (const cell of study.plan.cells) {
    const output = (stage: string, name: string) => study.cells.get(cell.id)!.stages[stage]!.outputs[name]!;
    const manifest = await store.open(output('record', 'trajectory'));
    const { training, data } = trainingOf(manifest);
    const examples = await findExamples(store, data.train);
    const model = trainedModel(training);
    const { standardize, loss } = training;
    const gradients = createGradients({ tf, model, data: examples, standardize, loss });
    const basis = readBasis(await store.open(output('hessian', 'eigenpairs')));
    const projection = createProjection(tf, new Float32Array(basis.size), basis);
    const weights: Float32Array[] = [];
    for (const { ref } of await partsOf(store, manifest))
      for (const { rows, size, values } of (await store.open(ref)).floatVectors('weights'))
        for (let row = 0; row < rows; row++) weights.push(values.slice(row * size, (row + 1) * size));
    const { share } = driftShares(epochsOf(weights, training.batchesPerEpoch), {
      ...{ gradients, examples: training.examples, batchSize: training.batchSize },
      project: (vector) => Float64Array.from(projection.project(vector)),
      random: new RandomStream(training.seed, 'drift of the gradients'),
    });
    gradients.dispose();
    projection.dispose();
    const spectrum = await store.open(output('analyze', 'spectrum'));
    origins.push({
      cell: cellLabel(study, cell),
      learningRate: training.learningRate,
      eigenvalue: [...spectrum.numbers('eigenvalue')],
      predicted: [...share],
      found: [...spectrum.numbers('noise_leftover_share')],
      overOneEpoch: [...spectrum.numbers('noise_epoch_share')],
    });
  }
  return origins;
}

/** The weights that some steps of each epoch see, which are those after the step before, and the mean over all of the epoch. */
function* epochsOf(weights: readonly Float32Array[], batches: number) {
  for (let first = batches - 1; first + batches <= weights.length; first += batches) {
    const seen = weights.slice(first, first + batches);
    const mean = new Float64Array(seen[0]!.length);
    for (const at of seen) for (let i = 0; i < mean.length; i++) mean[i]! += at[i]! / batches;
    yield { mean: Float32Array.from(mean), steps: seen.filter((_, step) => step % stepsApart === 0) };
  }
}

/** A table of means over groups of directions that are neighbours in eigenvalue. */
export function originTable(origins: readonly LeftoverOrigin[]): string {
  const rows = origins.flatMap(({ cell, eigenvalue, predicted, found, overOneEpoch }) =>
    Array.from({ length: groups }, (_, group) => {
      const [from, to] = [group, group + 1].map((edge) => Math.round((edge * eigenvalue.length) / groups));
      const mean = (values: readonly number[]) => {
        const own = values.slice(from, to).filter(Number.isFinite);
        return own.reduce((sum, value) => sum + value, 0) / own.length;
      };
      const range = `${formatSignificant(eigenvalue[from!]!)} … ${formatSignificant(eigenvalue[to! - 1]!)}`;
      return [
        cell,
        range,
        ...[predicted, found, overOneEpoch].map((values) => formatSignificant(mean(values))),
      ];
    }),
  );
  return table(['cell', 'λ', 'r predicted', 'r found', 'over single epochs'], rows);
}
