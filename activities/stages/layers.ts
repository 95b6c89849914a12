import { deserialize, serialize } from 'node:v8';
import { writeMetadata } from '../../artifacts/arrow/metadata.ts';
import { InputError } from '../../artifacts/errors.ts';
import { loadTensorFlow, type TensorFlow } from '../../compute/tensorflow.ts';
import type { LayersWith } from '../../schemas/types.ts';
import { lanczos, leastVectors } from '../../science/hessian/lanczos.ts';
import { createHessianProduct } from '../../science/hessian/product.ts';
import type { Model } from '../../science/models/index.ts';
import { batchVarianceFactor } from '../../science/noise/finite-population.ts';
import { blockOf, type Layer, layerNoise, layersOf, noiseExponent } from '../../science/noise/layers.ts';
import type { Basis } from '../../science/projection.ts';
import { rowBytes } from '../kinds/prospect.ts';
import type { Stage, StageContext } from '../kinds/stage.ts';
import { checkIterations, checkNoisyBatch, checkSubset } from '../stage-parts/checks.ts';
import { openLanczosCheckpoint } from '../stage-parts/lanczos-checkpoint.ts';
import { resumable } from '../stage-parts/lanczos-progress.ts';
import { checkSeparable } from '../stage-parts/noise-setting.ts';
import { projectedGradients } from '../stage-parts/noise-spectrum.ts';
import { scopedCheckpoint } from '../stage-parts/states/scoped-checkpoint.ts';
import { findExamples, firstExamples, trainedModel, trainingOf } from '../stage-parts/training-data.ts';

type Context = StageContext<LayersWith>;

/** Eigenpairs of a layer's block of H; vectors of the layer's own length. */
interface LayerPairs {
  readonly eigenvalues: Float64Array;
  readonly residuals: Float64Array;
  readonly vectors: Float32Array;
}

/** Bytes that Lanczos vectors may take, as in a `hessian` stage. */
const vectorBytes = 2e9;

/** `uses: layers`: C against H within each layer, checkpointed within a layer's eigenvectors, and every so many examples. */
export const stage: Stage<LayersWith> = {
  uses: 'layers',
  prospect({ at, top, layers: names, examples, maxIterations }) {
    checkSubset(examples, at.examples);
    const { model, batchSize } = at;
    if (model === undefined || batchSize === undefined || at.examples === undefined) return undefined;
    checkSeparable(model);
    checkNoisyBatch(batchSize, at.examples);
    const pairs = chosen(model, names).map(({ size }) => Math.min(top, size));
    for (const count of pairs) checkIterations(maxIterations, count, 'refuse');
    const products = pairs.reduce((sum, count) => sum + 20 + 3.5 * count, 0);
    const all = pairs.reduce((sum, count) => sum + count, 0);
    return {
      outputs: { spectrum: { pairs: all } },
      bytes: all * rowBytes('layer-spectrum'),
      // A product costs about two gradients, and every example's own gradient is taken once and projected.
      work: (examples ?? at.examples) * (model.multiplyAdds * (6 * products + 3) + all * model.size),
      like: model.spec.name,
    };
  },
  async run(context) {
    const { with: settings } = context;
    const table = await context.store.open(settings.at);
    const { training, data } = trainingOf(table);
    const all = await findExamples(context.store, data.train);
    const examples = firstExamples(all, settings.examples ?? all.examples);
    const model = trainedModel(training);
    checkSeparable(model);
    checkNoisyBatch(training.batchSize, training.examples);
    const layers = chosen(model, settings.layers);
    const { tf } = await loadTensorFlow({ threads: context.threads });
    const weights = table.floatVector('weights', 0).slice();
    const { standardize, loss } = training;
    // The L2 term is the same for every batch, so it is in neither of both.
    const problem = { tf, model, data: examples, standardize, loss, l2: 0, weights };
    const pairs = await pairsOfLayers(context, problem, layers);
    const basis = embedded(pairs, layers, model.size);
    const values = await projectedGradients(context, { model, examples, training, weights }, basis, tf);

    const factor = batchVarianceFactor(training);
    let first = 0;
    const found = layers.map((layer, index) => {
      const { eigenvalues, residuals } = pairs[index]!;
      const own = columnsOf(values, basis.count, first, eigenvalues.length);
      first += eigenvalues.length;
      const noise = layerNoise(own, eigenvalues, factor);
      const least = settings.tolerance * Math.max(...eigenvalues.map(Math.abs));
      const fit = noiseExponent(eigenvalues, noise, least);
      return { layer, index, eigenvalues, residuals, noise, fit };
    });
    const rows = found.flatMap(({ index, eigenvalues, residuals, noise }) =>
      Array.from(eigenvalues, (eigenvalue, i) => ({
        ...{ layer: index, index: i, eigenvalue, residual: residuals[i]! },
        noise_variance: noise.variance[i]!,
        noise_variance_standard_error: noise.standardError[i]!,
      })),
    );
    const column = (name: keyof (typeof rows)[number]) => rows.map((row) => row[name]);
    const { tolerance, top } = settings;
    const metadata = writeMetadata({
      ...{ training, data },
      layers: {
        ...{ examples: examples.examples, top, tolerance },
        layers: found.map(({ layer, noise, fit }) => ({
          ...{ name: layer.name, weights: layer.size },
          ...fit,
          ...noise.alignment,
        })),
      },
    });
    return {
      spectrum: await context.write('layer-spectrum', metadata, (writer) =>
        writer.append({
          ...{ layer: column('layer'), index: column('index'), eigenvalue: column('eigenvalue') },
          ...{ residual: column('residual'), noise_variance: column('noise_variance') },
          noise_variance_standard_error: column('noise_variance_standard_error'),
        }),
      ),
    };
  },
};

/** The layers of these names, or all. Throws `InputError` for one that there is not. */
function chosen({ layout }: Model, names: readonly string[] | undefined): Layer[] {
  const all = layersOf(layout);
  const unknown = names?.find((name) => !all.some((layer) => layer.name === name));
  if (unknown !== undefined) {
    throw new InputError(
      `The network has no layer ${JSON.stringify(unknown)}; it has ${all.map(({ name }) => name).join(', ')}.`,
      'Name some of these, or leave `layers` out to take all.',
      'layers',
    );
  }
  return names === undefined ? all : all.filter(({ name }) => names.includes(name));
}

/** The first eigenpairs of each layer's block of H, each kept in the checkpoint once it is done. */
async function pairsOfLayers(
  context: Context,
  problem: Parameters<typeof createHessianProduct>[0],
  layers: readonly Layer[],
): Promise<LayerPairs[]> {
  const hessian = createHessianProduct(problem);
  const product = (vector: Float32Array) => hessian.product(vector, context.breathe);
  const done: LayerPairs[] = [];
  for (const [index, layer] of layers.entries()) {
    const name = `pairs-${index}`;
    const saved = await context.checkpoint.read(name);
    const pairs =
      saved === undefined
        ? await pairsOf(context, problem.tf, blockOf(product, problem.model.size, layer), layer, index)
        : (deserialize(saved) as LayerPairs);
    if (saved === undefined) {
      await context.checkpoint.write(name, serialize(pairs));
      await scopedCheckpoint(context.checkpoint, `layer-${index}`).clear();
    }
    done.push(pairs);
  }
  hessian.dispose();
  return done;
}

async function pairsOf(
  { checkpoint, note, progress, with: settings }: Context,
  tf: TensorFlow,
  product: (vector: Float32Array) => Promise<Float64Array>,
  { name, size }: Layer,
  index: number,
): Promise<LayerPairs> {
  const top = Math.min(settings.top, size);
  const { tolerance, seed, maxIterations: maxProducts } = settings;
  const saved = await openLanczosCheckpoint(scopedCheckpoint(checkpoint, `layer-${index}`));
  const told: Pick<Context, 'progress'> = {
    progress: (own) => progress({ ...own, message: `${name}: ${own.message ?? ''}` }),
  };
  const maxVectors = Math.max(Math.floor(vectorBytes / (4 * size)), Math.ceil(1.5 * leastVectors(top)));
  const { eigenvalues, residuals, vectors, products } = await lanczos({
    ...{ tf, size, product, top, tolerance, seed, maxProducts, maxVectors },
    ...resumable(told, saved, top),
  });
  const allowed = tolerance * Math.max(...eigenvalues.map(Math.abs));
  const kept = Array.from(residuals.keys()).filter((i) => residuals[i]! <= allowed);
  if (kept.length < top)
    note(
      `Only ${kept.length} of ${top} eigenvectors of ${name} have converged after ${products} products; the others are left out.`,
    );
  const own = new Float32Array(kept.length * size);
  for (const [row, i] of kept.entries()) own.set(vectors.subarray(i * size, (i + 1) * size), row * size);
  return {
    eigenvalues: Float64Array.from(kept, (i) => eigenvalues[i]!),
    residuals: Float64Array.from(kept, (i) => residuals[i]!),
    vectors: own,
  };
}

/** The vectors of all layers as vectors of all weights, zero outside of their layer. */
function embedded(pairs: readonly LayerPairs[], layers: readonly Layer[], size: number): Basis {
  const count = pairs.reduce((sum, { eigenvalues }) => sum + eigenvalues.length, 0);
  const vectors = new Float32Array(count * size);
  let row = 0;
  for (const [index, { first, size: own }] of layers.entries()) {
    const { eigenvalues, vectors: blocks } = pairs[index]!;
    for (let i = 0; i < eigenvalues.length; i++, row++)
      vectors.set(blocks.subarray(i * own, (i + 1) * own), row * size + first);
  }
  return { vectors, count, size };
}

/** Columns `first` to `first + count` of a matrix of `width` columns, row-major. */
function columnsOf(values: Float32Array, width: number, first: number, count: number): Float64Array {
  const rows = values.length / width;
  const columns = new Float64Array(rows * count);
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < count; i++) columns[row * count + i] = values[row * width + first + i]!;
  return columns;
}
