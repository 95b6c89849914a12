import { writeMetadata } from '../../artifacts/arrow/metadata.ts';
import type { FitWith } from '../../schemas/types.ts';
import { type FitInput, fitCorrelationTimes } from '../../science/fit/fit-correlation-times.ts';
import { rowBytes } from '../kinds/prospect.ts';
import type { Stage } from '../kinds/stage.ts';
import { toldShortcoming } from '../stage-parts/basis.ts';
import { sgdOf } from '../stage-parts/training-data.ts';

/** `uses: fit`: lambda_cross and tau_SGD from the correlation times, and the exponents of both regimes. */
export const stage: Stage<FitWith> = {
  uses: 'fit',
  prospect: () => ({ outputs: { parameters: {} }, bytes: rowBytes('parameters', 0, 20) }),
  async run(context) {
    const spectrum = await context.store.open(context.with.spectrum);
    const { training, data } = sgdOf(spectrum);
    const { learningRate, momentum, batchesPerEpoch, sampling } = training;
    const columns = Object.fromEntries(spectrum.columns.map((name) => [name, spectrum.numbers(name)]));
    const fit = fitCorrelationTimes({
      learningRate,
      momentum,
      batchesPerEpoch,
      sampling,
      columns: columns as unknown as FitInput['columns'],
    });
    for (const note of fit.notes) context.note(note);
    const shortcoming = toldShortcoming(spectrum, context);
    const metadata = writeMetadata({ training, data, shortcoming, notes: fit.notes });
    const row = Object.fromEntries(
      Object.entries(fit.parameters).map(([name, value]) => [name, [value as number]]),
    );
    return { parameters: await context.write('parameters', metadata, (writer) => writer.append(row)) };
  },
};
