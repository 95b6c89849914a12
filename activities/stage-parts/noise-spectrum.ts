import type { TensorFlow } from '../../compute/tensorflow.ts';
import type { NoiseWith } from '../../schemas/types.ts';
import { type Alignment, alignment, centre, exampleCovariance } from '../../science/noise/covariance.ts';
import { type DirectionNoise, type DirectionsOptions, noiseAlong } from '../../science/noise/directions.ts';
import { batchVarianceFactor } from '../../science/noise/finite-population.ts';
import { createGradients } from '../../science/noise/gradients.ts';
import { type Basis, createProjection } from '../../science/projection.ts';
import type { StageContext } from '../kinds/stage.ts';
import { readBasis } from './basis.ts';
import { checkNoiseBasis } from './checks.ts';
import type { NoiseSetting } from './noise-setting.ts';

/** Examples whose projected gradients are one checkpoint, and those that are projected at once. */
const examplesPerFile = 1000;
const examplesAtOnce = 100;

/** The noise in the eigenbasis of the Hessian. */
export interface NoiseSpectrum {
  readonly columns: {
    readonly index: Int32Array;
    readonly eigenvalue: Float64Array;
    readonly noise_variance: Float64Array;
    readonly noise_variance_standard_error: Float64Array;
    readonly noise_variance_theory: Float64Array;
  };
  readonly alignment: Alignment;
  /** Along the eigenvectors asked for, by index. */
  readonly along: ReadonlyMap<number, DirectionNoise>;
}

/** C_ii of the batches' noise from all examples' gradients, beside what the drawn batches have, and how nearly C and H commute. */
export async function measureNoiseSpectrum(
  context: StageContext<NoiseWith>,
  setting: NoiseSetting,
  options: DirectionsOptions,
  tf: TensorFlow,
): Promise<NoiseSpectrum> {
  const { along } = context.with;
  const eigenpairs = await context.store.open(context.with.basis!);
  const basis = readBasis(eigenpairs);
  const k = basis.count;
  checkNoiseBasis(basis, setting.model.size, along);
  const eigenvalue = eigenpairs.numbers('eigenvalue');
  const { weights } = setting.start(setting.seeds[0]!);
  const values = centre(await projectedGradients(context, { ...setting, weights }, basis, tf), k);
  const factor = batchVarianceFactor(options);
  const covariance = exampleCovariance(values).map((value) => factor * value);
  const all = Array.from({ length: k }, (_, index) => index);
  const drawn = noiseAlong(values, all, { ...options, lags: 0 });
  const followed = noiseAlong(values, along, options);
  return {
    columns: {
      index: Int32Array.from(all),
      eigenvalue,
      noise_variance: Float64Array.from(drawn, ({ variance }) => variance),
      noise_variance_standard_error: Float64Array.from(drawn, ({ varianceError }) => varianceError),
      noise_variance_theory: Float64Array.from(all, (i) => covariance[i * k + i]!),
    },
    alignment: alignment(covariance, eigenvalue),
    along: new Map(along.map((index, position) => [index, followed[position]!])),
  };
}

/** Gradient of each example, less that over all, on each basis vector: N x k. */
export async function projectedGradients(
  context: Pick<StageContext<unknown>, 'checkpoint' | 'progress' | 'breathe'>,
  {
    model,
    examples: data,
    training,
    weights,
  }: Pick<NoiseSetting, 'model' | 'examples' | 'training'> & { readonly weights: Float32Array },
  basis: Basis,
  tf: TensorFlow,
): Promise<Float32Array> {
  const { standardize, loss } = training;
  const gradients = createGradients({ tf, model, data, standardize, loss });
  const mean = Float32Array.from(await gradients.full(weights, context.breathe));
  const projection = createProjection(tf, mean, basis);
  const projected = new Float32Array(data.examples * basis.count);
  for (let first = 0; first < data.examples; first += examplesPerFile) {
    const count = Math.min(examplesPerFile, data.examples - first);
    const piece = projected.subarray(first * basis.count, (first + count) * basis.count);
    const name = `examples-${String(first).padStart(9, '0')}`;
    const saved = await context.checkpoint.read(name);
    if (saved?.byteLength === piece.byteLength) {
      piece.set(new Float32Array(saved.slice().buffer));
      continue;
    }
    for (let start = 0; start < count; start += examplesAtOnce) {
      const own = Math.min(examplesAtOnce, count - start);
      const rows = new Float32Array(own * basis.size);
      let offset = 0;
      const order = Int32Array.from({ length: own }, (_, n) => first + start + n);
      for (const values of gradients.batches(weights, order, 1)) {
        rows.set(values, offset);
        offset += values.length;
        await context.breathe();
      }
      piece.set(projection.project(rows), start * basis.count);
      const done = first + start + own;
      context.progress({ done, total: data.examples, unit: 'examples', message: 'in the eigenbasis' });
    }
    await context.checkpoint.write(name, new Uint8Array(piece.slice().buffer));
  }
  projection.dispose();
  gradients.dispose();
  return projected;
}
