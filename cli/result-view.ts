import pc from 'picocolors';
import { type KeyResults, summarizedResults } from '../report/key-results.ts';
import type { NoteKind } from '../report/notes.ts';
import { countOf, formatMeasured, formatSignificant } from '../report/numbers.ts';
import { comparison, signed } from '../report/page/summary.ts';
import type { ResultQuantity, ResultRow } from '../report/result-rows.ts';
import { plural } from './format.ts';
import { table } from './output.ts';

const shownRows = 10;
const shownNotes = 12;
const shownCells = 3;

/** The results of a study: a list for one row, a table of the first rows for several. */
export function formatResults(
  rows: readonly ResultRow[],
  { available }: KeyResults,
  columns: number,
): string[] {
  const [first] = rows;
  if (first === undefined) return [];
  const lines = rows.length === 1 ? listOf(first, columns) : tableOf(rows.slice(0, shownRows), columns);
  const all = Math.max(available.parameters, available.training, available.evaluations);
  return [
    pc.bold('results'),
    ...lines.map((line) => `  ${line}`),
    ...(rows.length > shownRows
      ? [`  ${countOf(shownRows, rows.length, 'row')}; --json and the report have more`]
      : []),
    ...(all > summarizedResults ? [`  from ${countOf(summarizedResults, all, 'cell')}`] : []),
  ];
}

function listOf({ quantities, of }: ResultRow, columns: number): string[] {
  const names = nameAll(quantities);
  const rows = quantities.map((quantity, index) => [
    names[index]!,
    measured(quantity),
    [comparison(quantity), of > 1 ? `mean of ${countOf(quantity.cells, of, 'cell')}` : '']
      .filter(Boolean)
      .join('; '),
  ]);
  return table(rows, undefined, columns - 2).split('\n');
}

function tableOf(rows: readonly ResultRow[], columns: number): string[] {
  const axes = Object.keys(rows[0]!.axes);
  const keyOf = ({ stage, name }: ResultQuantity) => `${stage} ${name}`;
  const all = new Map(
    rows.flatMap(({ quantities }) => quantities.map((quantity) => [keyOf(quantity), quantity])),
  );
  const hasTest = [...all.values()].some(({ name }) => name === 'test_accuracy');
  const chosen = [...all].filter(
    ([, { name }]) => !name.includes('_loss') && !(hasTest && name === 'train_accuracy'),
  );
  const names = [...axes, ...nameAll(chosen.map(([, quantity]) => quantity)), 'mean of'];
  const cells = rows.map(({ axes: values, quantities, cells, of }) => [
    ...axes.map((axis) => (typeof values[axis] === 'string' ? values[axis] : JSON.stringify(values[axis]))),
    ...chosen.map(([key]) => {
      const quantity = quantities.find((one) => keyOf(one) === key);
      return quantity === undefined ? '-' : againstTheory(quantity);
    }),
    countOf(cells, of, 'cell'),
  ]);
  const wide = table(cells, names, columns - 2).split('\n');
  // Where the columns do not fit, each number has its name beside it.
  const named = cells.map((row) => row.map((entry, index) => `${names[index]} ${entry}`));
  const lines = wide.length === rows.length + 1 ? wide : table(named, undefined, columns - 2).split('\n');
  const hasTheory = [...all.values()].some(({ theory }) => theory !== undefined);
  return [...lines, ...(hasTheory ? ['in brackets: the theory; the deviation in standard errors'] : [])];
}

/** `0.45 ± 0.10 (0.749; −2.9)` */
function againstTheory(quantity: ResultQuantity): string {
  const { theory, deviation } = quantity;
  if (theory === undefined) return measured(quantity);
  const errors = deviation === undefined ? '' : `; ${signed(deviation)}`;
  return `${measured(quantity)} (${formatSignificant(theory)}${errors})`;
}

/** `lambda_cross`; with its stage where several stages give a quantity of that name. */
function nameAll(quantities: readonly ResultQuantity[]): string[] {
  return quantities.map(({ stage, name }) => {
    const isAlone = quantities.filter((other) => other.name === name).length === 1;
    return (isAlone && name.includes('_') ? name : `${stage} ${name}`)
      .replaceAll('_', ' ')
      .replace('lambda cross', 'lambda_cross')
      .replace('tau sgd', 'tau_sgd');
  });
}

function measured({ name, value, error }: ResultQuantity): string {
  if (!name.endsWith('accuracy')) return formatMeasured(value, error);
  return `${formatMeasured(100 * value, error === undefined ? undefined : 100 * error)} %`;
}

/** The kinds of notes that are no warnings, each with how many cells have it and the first of them. */
export function formatNotes(kinds: readonly NoteKind[], cells: number, isReported: boolean): string[] {
  const notes = kinds.filter(({ isWarning }) => !isWarning);
  const rest = notes.length - shownNotes;
  return [
    ...notes.slice(0, shownNotes).map((kind) => `${pc.yellow('note')} ${formatKind(kind, cells)}`),
    ...(rest > 0
      ? [
          `${pc.yellow('note')} and ${plural(rest, 'more kind')}${isReported ? '; the report has all of them' : ''}`,
        ]
      : []),
  ];
}

/** What makes results worthless. */
export function formatWarnings(kinds: readonly NoteKind[], cells: number): string[] {
  return kinds
    .filter(({ isWarning }) => isWarning)
    .map((kind) => `${pc.bold(pc.red('warning'))} ${formatKind(kind, cells)}`);
}

function formatKind({ stage, wordings, cells }: NoteKind, all: number): string {
  const [text] = wordings.keys();
  const rest = cells.length - shownCells;
  const first = cells.slice(0, shownCells).join('; ');
  const alike = wordings.size > 1 ? ', with other numbers in some' : '';
  const where =
    all > 1 && cells.length > 0
      ? ` (${plural(cells.length, 'cell')}${alike}: ${first}${rest > 0 ? ` and ${rest} more` : ''})`
      : '';
  return `${stage}: ${text}${where}`;
}
