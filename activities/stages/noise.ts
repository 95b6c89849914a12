import type { NoiseContext } from '../../artifacts/arrow/measurement-contexts.ts';
import { writeMetadata } from '../../artifacts/arrow/metadata.ts';
import { loadTensorFlow } from '../../compute/tensorflow.ts';
import type { NoiseWith } from '../../schemas/types.ts';
import type { ModelSpec } from '../../science/models/index.ts';
import { autocorrelation, joinBlocks } from '../../science/noise/autocorrelation.ts';
import type { DirectionsOptions } from '../../science/noise/directions.ts';
import { expectedAutocorrelation } from '../../science/noise/finite-population.ts';
import { tailEpochs } from '../../science/noise/lagged-products.ts';
import { epochsOfOneDraw, neverForgets } from '../../science/theory/noise.ts';
import { rowBytes } from '../kinds/prospect.ts';
import type { Stage, StageContext } from '../kinds/stage.ts';
import { buildModel, checkNoiseBasis, checkNoisyBatch, checkOrder } from '../stage-parts/checks.ts';
import {
  checkNoise,
  checkSeparable,
  checkWholeDraws,
  type NoiseSetting,
  noiseSetting,
} from '../stage-parts/noise-setting.ts';
import { measureNoiseSpectrum, type NoiseSpectrum } from '../stage-parts/noise-spectrum.ts';
import { measureLagSums } from '../stage-parts/noise-sums.ts';

/** `uses: noise`: autocovariance of the gradient noise against equation (2), and its covariance in the eigenbasis of the Hessian. */
export const stage: Stage<NoiseWith> = {
  uses: 'noise',
  prospect(settings) {
    checkNoise(settings);
    const { from, data, model: spec, basis, along, weights, epochs, repeats } = settings;
    const { examples, imageShape, classes } = { ...data, ...from };
    if (examples === undefined || imageShape === undefined || classes === undefined) return undefined;
    const model = from?.model ?? (spec && buildModel(spec as ModelSpec, imageShape, classes));
    const batchSize = settings.batchSize ?? from?.batchSize;
    if (model === undefined || batchSize === undefined) return undefined;
    checkSeparable(model);
    checkNoisyBatch(batchSize, examples);
    if (settings.sampling !== undefined) checkWholeDraws(epochs, settings.sampling);
    if (settings.blockSize !== undefined) checkOrder(settings, { examples, batchSize });
    const pairs = basis === undefined ? 0 : basis.pairs;
    if (basis?.model !== undefined && pairs !== undefined)
      checkNoiseBasis({ size: basis.model.size, count: pairs }, model.size, along);
    const batches = Math.floor(examples / batchSize);
    const { lags = 2 * batches } = settings;
    const bytes = (lags + 1) * rowBytes('autocovariance', 0, 2 * along.length);
    // The partners of the last steps lie in epochs of their own; along moving weights each step takes the gradient over all examples.
    const run = repeats * (epochs + tailEpochs({ epochs, batchesPerEpoch: batches, lags }));
    const passes = run * (weights === 'moving' ? batches + 1 : 1) + 1;
    return {
      outputs: { autocovariance: {}, spectrum: pairs === undefined ? {} : { pairs } },
      ...(pairs === undefined ? {} : { bytes: bytes + pairs * rowBytes('noise-spectrum') }),
      work: 3 * passes * examples * model.multiplyAdds + run * batches * lags * model.size,
      like: model.spec.name,
    };
  },
  async run(context) {
    const { epochs, basis } = context.with;
    const setting = await noiseSetting(context);
    const { training, lags } = setting;
    const together = neverForgets(training.sampling) ? epochs : epochsOfOneDraw(training.sampling);
    noteRepetition(context, training.sampling);
    const { tf } = await loadTensorFlow({ threads: context.threads });
    const { seeds, firstOrder: firstEpoch } = setting;
    const options: DirectionsOptions = { ...training, seeds, firstEpoch, epochs, lags, together };
    const spectrum =
      basis === undefined ? undefined : await measureNoiseSpectrum(context, setting, options, tf);
    const sums = await measureLagSums(context, setting, options, tf);

    const measured = autocorrelation(joinBlocks({ sums, lags }, together));
    const steps = setting.seeds.length * epochs * training.batchesPerEpoch;
    const variance =
      sums.filter((_, i) => i % (lags + 1) === 0).reduce((sum, value) => sum + value, 0) / steps;
    const noise = noiseContext(context, setting, variance, spectrum);
    const metadata = writeMetadata({ training, data: setting.data, noise });
    const autocovariance = await context.write('autocovariance', metadata, (writer) =>
      writer.append({
        lag: Int32Array.from({ length: lags + 1 }, (_, lag) => lag),
        measured: measured.measured,
        theory: Float64Array.from({ length: lags + 1 }, (_, lag) => expectedAutocorrelation(lag, training)),
        standard_error: training.sampling === 'sequential' ? unknown(lags) : measured.standardError,
        ...Object.fromEntries(
          [...(spectrum?.along ?? [])].flatMap(([index, noise]) => [
            [`measured_${index}`, noise.measured],
            [`standard_error_${index}`, noise.standardError],
          ]),
        ),
      }),
    );
    const columns = spectrum?.columns ?? noDirections();
    return {
      autocovariance,
      spectrum: await context.write('noise-spectrum', metadata, (writer) => writer.append({ ...columns })),
    };
  },
};

function noteRepetition({ note, with: settings }: StageContext<NoiseWith>, sampling: string): void {
  if (sampling === 'sequential')
    note(
      'File order has only one order: the theory is the mean over random ones, and there is no standard error.',
    );
  else if (sampling === 'shuffle-once' && settings.repeats === 1)
    note('One order repeats itself, so there is no standard error: raise `repeats` for more orders.');
  else if (sampling === 'block-reshuffling' && settings.repeats === 1)
    note('The same blocks stay, so there is no standard error: raise `repeats` for more arrangements.');
}

/** What a figure says of the measurement beside how the network was trained. */
function noiseContext(
  { with: { weights, epochs, repeats } }: StageContext<NoiseWith>,
  { lags, firstEpoch }: NoiseSetting,
  variance: number,
  spectrum: NoiseSpectrum | undefined,
): NoiseContext {
  return { weights, epochs, repeats, lags, firstEpoch, variance, ...spectrum?.alignment };
}

/** Repeating the order of the file tells nothing new. */
function unknown(lags: number): Float64Array {
  return new Float64Array(lags + 1).fill(Number.NaN);
}

function noDirections(): NoiseSpectrum['columns'] {
  const none = () => new Float64Array(0);
  return {
    index: new Int32Array(0),
    eigenvalue: none(),
    noise_variance: none(),
    noise_variance_standard_error: none(),
    noise_variance_theory: none(),
  };
}
