import { findMetadata, readMetadata, writeMetadata } from '../../artifacts/arrow/metadata.ts';
import type { AnalyzeWith } from '../../schemas/types.ts';
import { analyzeSeries } from '../../science/analysis/analyze-series.ts';
import { spectrumBytes } from '../kinds/prospect.ts';
import type { Stage } from '../kinds/stage.ts';
import { toldShortcoming } from '../stage-parts/basis.ts';
import { checkConsecutive, checkNoSketch } from '../stage-parts/checks.ts';
import { sgdOf, theoryOf } from '../stage-parts/training-data.ts';
import { readTheta } from '../stage-parts/trajectory-reader.ts';

/** `uses: analyze`: variances and correlation times in each direction, beside equations (12)-(18). */
export const stage: Stage<AnalyzeWith> = {
  uses: 'analyze',
  prospect({ series }) {
    checkNoSketch(series.isSketch === true);
    checkConsecutive(series.every, 'series');
    const { steps, pairs } = series;
    if (steps === undefined || pairs === undefined) return undefined;
    return { outputs: { spectrum: series }, bytes: spectrumBytes(pairs), work: steps * pairs };
  },
  async run(context) {
    const { drift, blocks } = context.with;
    const series = await context.store.open(context.with.series);
    checkNoSketch(findMetadata(series, 'sketch') !== undefined);
    checkConsecutive(findMetadata(series, 'every'), 'series');
    const { training, data } = sgdOf(series);
    const eigenvalues = Float64Array.from(
      readMetadata(series, 'eigenvalues'),
      (eigenvalue) => eigenvalue ?? Number.NaN,
    );
    const directions = eigenvalues.length;
    const steps = series.rows;
    context.progress({ done: 0, total: directions, unit: 'directions' });
    const theta = readTheta(series, directions);
    const shape = { theta, steps, directions, eigenvalues };
    const spectrum = analyzeSeries({
      ...shape,
      ...theoryOf(training),
      drift,
      blocks,
    });
    for (const note of spectrum.notes) context.note(note);
    context.progress({ done: directions, total: directions, unit: 'directions' });
    const metadata = writeMetadata({
      ...{ training, data, shortcoming: toldShortcoming(series, context) },
      analysis: { drift, blocks, steps },
      notes: spectrum.notes,
    });
    return {
      spectrum: await context.write('spectrum', metadata, (writer) => writer.append(spectrum.columns)),
    };
  },
};
