import type { SgdContext } from '../../../artifacts/arrow/training-context.ts';
import { countOf, formatSignificant } from '../../numbers.ts';
import type { CellTable, CellTables } from './data.ts';
import { leftOut, type SpectrumQuantity, thinning } from './spectrum-series.ts';
import { colouredCells } from './theme.ts';

export const samplingNames: Readonly<Record<SgdContext['sampling'], string>> = {
  'without-replacement': 'examples drawn without replacement',
  'shuffle-once': 'examples shuffled once',
  'with-replacement': 'examples drawn with replacement',
  sequential: 'examples in file order',
  'block-reshuffling': 'fixed blocks of examples in a new order each epoch',
  'paired-reversal': 'every second epoch the one before backwards',
};

const driftNames = {
  linear: 'a straight line subtracted from each series',
  mean: 'the mean subtracted from each series',
} as const;

/** The parameters of a spectrum figure, and what it does not show. */
export function spectrumSentences(data: CellTables, quantities: readonly SpectrumQuantity[]): string[] {
  const { cells } = data;
  const measured = [`k = ${span(cells.map((cell) => cell.rows))} directions`, ...analysisParts(cells)];
  return [
    `${trainingParts(cells).concat(measured).join(', ')}.`,
    ...deviations(cells, quantities),
    ...omissions(cells, quantities),
    ...coloursSentence(cells),
    ...cellsSentence(data),
  ];
}

/** `N = 2000, S = 50, ...` of all cells; values that differ are listed. */
export function trainingParts(cells: readonly CellTable[]): string[] {
  const known = cells.flatMap(({ training }) => (training === undefined ? [] : [training]));
  if (known.length === 0) return [];
  const values = (select: (training: SgdContext) => number) => span(known.map(select));
  return [
    `N = ${values((t) => t.examples)}`,
    `S = ${values((t) => t.batchSize)}`,
    `M = ${values((t) => t.batchesPerEpoch)}`,
    `η = ${values((t) => t.learningRate)}`,
    `β = ${values((t) => t.momentum)}`,
    [...new Set(known.map((t) => samplingNames[t.sampling]))].join(' / '),
    `${new Set(known.map((t) => t.seed)).size === 1 ? 'seed' : 'seeds'} ${values((t) => t.seed)}`,
  ];
}

/** Says which cells are not drawn (`drawn` are, those of `data` by default), are not in the data, or have nothing to draw. */
export function cellsSentence({ cells, available, planned }: CellTables, drawn = cells.length): string[] {
  const has = cells.length === available ? 'all' : cells.length;
  const where = drawn < cells.length ? `drawn; the data has ${has}` : 'drawn and in the data';
  return [
    ...(drawn < available
      ? [
          `${countOf(drawn, available, 'cell')} ${drawn === 1 ? 'is' : 'are'} ${where}${cells.length < available ? '; the artifacts have the others' : ''}.`,
        ]
      : []),
    ...(available < planned
      ? [`${countOf(available, planned, 'cell')} ${available === 1 ? 'has' : 'have'} what is drawn here.`]
      : []),
  ];
}

/** Says if there are more cells than colours. */
export function coloursSentence({ length }: readonly CellTable[]): string[] {
  return length > colouredCells
    ? [
        `${countOf(colouredCells, length, 'drawn cell')} have a colour and marks of their own; the others are grey.`,
      ]
    : [];
}

/** Says that every so-many-th of what there is is drawn. */
export function thinnedSentence(drawn: number, total: number, noun: string): string[] {
  return drawn < total ? [`${countOf(drawn, total, noun)} are drawn, evenly spread; the data has all.`] : [];
}

function analysisParts(cells: readonly CellTable[]): string[] {
  const known = cells.flatMap(({ analysis }) => (analysis === undefined ? [] : [analysis]));
  if (known.length === 0) return [];
  return [
    `${span(known.map(({ steps }) => steps))} recorded steps`,
    [...new Set(known.map(({ drift }) => driftNames[drift]))].join(' / '),
    `errors from ${span(known.map(({ blocks }) => blocks))} blocks`,
  ];
}

/** How far measurement and theory are apart, in standard errors, if the spectrum says it. */
function deviations(cells: readonly CellTable[], quantities: readonly SpectrumQuantity[]): string[] {
  const parts = quantities.flatMap(({ column, name }) => {
    const values = cells.flatMap((cell) =>
      [...(cell.columns[`${column}_deviation`] ?? [])].filter(Number.isFinite),
    );
    if (values.length === 0) return [];
    const meanSquare = values.reduce((sum, value) => sum + value ** 2, 0) / values.length;
    return [`${name}: ${formatSignificant(Math.sqrt(meanSquare), 2)}`];
  });
  if (parts.length === 0) return [];
  return [
    `Root-mean-square deviation from the theory of the recorded window, in standard errors: ${parts.join(', ')}.`,
  ];
}

/** Directions and values that logarithmic axes cannot show, and those left out for their number. */
export function omissions(cells: readonly CellTable[], quantities: readonly SpectrumQuantity[]): string[] {
  const sentences: string[] = [];
  if (quantities.length === 0) return sentences;
  const directions = cells.reduce((sum, { rows }) => sum + rows, 0);
  const counts = quantities.map(({ column }) => leftOut(cells, column));
  const eigenvalues = counts[0]?.eigenvalues ?? 0;
  if (eigenvalues > 0) {
    sentences.push(
      `${countOf(eigenvalues, directions, 'direction')} with a non-positive eigenvalue ${eigenvalues === 1 ? 'is' : 'are'} left out.`,
    );
  }
  const values = counts.reduce((sum, { values }) => sum + values, 0);
  if (values > 0)
    sentences.push(
      `${countOf(values, directions * quantities.length, 'value')} that a logarithmic axis cannot show ${values === 1 ? 'is' : 'are'} left out.`,
    );
  const stride = thinning(cells);
  const drawn = cells.reduce((sum, { rows }) => sum + Math.ceil(rows / stride), 0);
  return [...sentences, ...thinnedSentence(drawn, directions, 'direction')];
}

/** One value as it is; a few as a list; many as a range. */
export function span(values: readonly number[]): string {
  const distinct = [...new Set(values)].sort((a, b) => a - b);
  const text = (value: number) => formatSignificant(value, 4);
  if (distinct.length <= 6) return distinct.map(text).join(', ');
  return `${text(distinct[0]!)} … ${text(distinct.at(-1)!)}`;
}
