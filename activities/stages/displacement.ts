import { findMetadata, readMetadata, writeMetadata } from '../../artifacts/arrow/metadata.ts';
import { InputError } from '../../artifacts/errors.ts';
import type { DisplacementWith } from '../../schemas/types.ts';
import { displacementLags, exponentLags, measureDisplacement } from '../../science/analysis/displacement.ts';
import { epochsOfOneDraw } from '../../science/theory/noise.ts';
import { rowBytes } from '../kinds/prospect.ts';
import type { Stage } from '../kinds/stage.ts';
import { toldShortcoming } from '../stage-parts/basis.ts';
import { checkConsecutive, checkNoSketch } from '../stage-parts/checks.ts';
import { sgdOf, theoryOf } from '../stage-parts/training-data.ts';
import { readTheta } from '../stage-parts/trajectory-reader.ts';

/** Steps that a series needs at least: for the noise's variance in blocks, and for lags. */
const fewestSteps = 30;
const blocks = 10;

/** `uses: displacement`: how far the weights get within a lag, beside what theory says of the sampling. */
export const stage: Stage<DisplacementWith> = {
  uses: 'displacement',
  prospect(settings) {
    checkNoSketch(settings.series.isSketch === true);
    checkConsecutive(settings.series.every, 'series');
    const { steps, pairs } = settings.series;
    if (steps === undefined || pairs === undefined) return undefined;
    longestOf(settings, steps);
    const directions = chosen(settings, pairs).length;
    const rows = directions * settings.lags;
    return {
      outputs: { displacement: {} },
      bytes: rows * rowBytes('displacement'),
      work: 4 * rows * steps,
    };
  },
  async run(context) {
    const series = await context.store.open(context.with.series);
    checkNoSketch(findMetadata(series, 'sketch') !== undefined);
    checkConsecutive(findMetadata(series, 'every'), 'series');
    const { training, data } = sgdOf(series);
    const eigenvalues = readMetadata(series, 'eigenvalues').map((eigenvalue) => eigenvalue ?? Number.NaN);
    const steps = series.rows;
    const directions = chosen(context.with, eigenvalues.length);
    const longest = longestOf(context.with, steps);
    const theory = theoryOf(training);
    const period = theory.batchesPerEpoch * epochsOfOneDraw(theory.sampling);
    const lags = displacementLags(context.with.lags, longest, period);
    const all = readTheta(series, eigenvalues.length);
    const columns = columnsFor(directions.length * lags.length);
    for (const [place, index] of directions.entries()) {
      const theta = Float64Array.from({ length: steps }, (_, k) => all[k * eigenvalues.length + index]!);
      const eigenvalue = eigenvalues[index]!;
      const found = measureDisplacement({ ...theory, theta, eigenvalue, steps, drift: 'mean', blocks }, lags);
      for (const [row, lag] of lags.entries()) {
        const at = place * lags.length + row;
        columns.index[at] = index;
        columns.eigenvalue[at] = eigenvalue;
        columns.lag[at] = lag;
        columns.measured[at] = found.measured[row]!;
        columns.standard_error[at] = found.standardError[row]!;
        columns.theory[at] = found.theory[row]!;
        columns.relaxations[at] = found.relaxations;
        columns.exponent[at] = found.exponent;
        columns.exponent_standard_error[at] = found.exponentError;
        columns.exponent_theory[at] = found.exponentTheory;
        columns.verdict[at] = found.verdict;
      }
      context.progress({ done: place + 1, total: directions.length, unit: 'directions' });
      await context.breathe();
    }
    const notes = notesOf(columns, { lags, directions: directions.length, longest, period });
    for (const note of notes) context.note(note);
    const metadata = writeMetadata({ training, data, shortcoming: toldShortcoming(series, context), notes });
    return {
      displacement: await context.write('displacement', metadata, (writer) => writer.append({ ...columns })),
    };
  },
};

type Columns = ReturnType<typeof columnsFor>;

function columnsFor(rows: number) {
  const doubles = () => new Float64Array(rows);
  return {
    index: new Int32Array(rows),
    eigenvalue: doubles(),
    lag: new Int32Array(rows),
    measured: doubles(),
    standard_error: doubles(),
    theory: doubles(),
    relaxations: doubles(),
    exponent: doubles(),
    exponent_standard_error: doubles(),
    exponent_theory: doubles(),
    verdict: new Int32Array(rows),
  };
}

interface Extent {
  readonly lags: Int32Array;
  readonly directions: number;
  readonly longest: number;
  readonly period: number;
}

/** What became of how many directions, and what the theory does not cover. */
function notesOf({ verdict, eigenvalue }: Columns, { lags, directions, longest, period }: Extent): string[] {
  const count = (is: (row: number) => boolean) =>
    Array.from({ length: directions }, (_, place) => place * lags.length).filter(is).length;
  const notStable = count((row) => !(eigenvalue[row]! > 0));
  const told = (value: number) => count((row) => verdict[row] === value);
  return [
    `Of ${directions} directions ${told(1)} are stationary within the window, ${told(-1)} diffuse, and of ${told(0)} it cannot be told.`,
    ...(notStable > 0
      ? [
          `${notStable} of ${directions} directions have no positive eigenvalue: theory is that of a flat one there.`,
        ]
      : []),
    ...(exponentLags(longest, period) === undefined
      ? [
          `The longest lag of ${longest} steps is shorter than two periods of ${period} steps, so there is no exponent: record more epochs, or raise \`longestLag\`.`,
        ]
      : []),
  ];
}

/** The directions that are asked for. Throws {@link InputError} for one that is not there. */
function chosen({ directions }: Pick<DisplacementWith, 'directions'>, available: number): readonly number[] {
  const beyond = directions?.find((index) => index >= available);
  if (beyond !== undefined) {
    throw new InputError(
      `directions names ${beyond}, but the series has ${available}, counted from 0.`,
      'Name others, or leave `directions` out to take all.',
      'directions',
    );
  }
  return directions ?? Array.from({ length: available }, (_, index) => index);
}

/** The longest lag. Throws {@link InputError} if the series is too short for it. */
function longestOf({ longestLag }: Pick<DisplacementWith, 'longestLag'>, steps: number): number {
  if (steps < fewestSteps) {
    throw new InputError(
      `The series has ${steps} steps; displacements need at least ${fewestSteps}.`,
      'Record more epochs.',
      'series',
    );
  }
  const longest = longestLag ?? Math.floor(steps / 10);
  if (2 * longest <= steps) return longest;
  throw new InputError(
    `longestLag is ${longest}, but half of the ${steps} recorded steps is less.`,
    `Choose at most ${Math.floor(steps / 2)}, or record more epochs.`,
    'longestLag',
  );
}
