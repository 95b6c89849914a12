import pc from 'picocolors';
import { cutResults, type KeyResults } from '../../report/key-results.ts';
import type { NoteKind } from '../../report/notes.ts';
import { countOf, plural } from '../../report/numbers.ts';
import { comparison } from '../../report/page/summary.ts';
import type { ResultRow } from '../../report/result-rows.ts';
import {
  bracketsSentence,
  measured,
  nameAll,
  resultColumns,
  withoutLeftover,
} from '../../report/result-words.ts';
import { table } from '../output/output.ts';

const shownRows = 10;
const shownKinds = 12;
const shownCells = 3;

/** The results of a study: a list for one row, a table of the first rows for several. */
export function formatResults(rows: readonly ResultRow[], results: KeyResults, columns: number): string[] {
  const [first] = rows;
  if (first === undefined) return [];
  const lines = rows.length === 1 ? listOf(first, columns) : tableOf(rows.slice(0, shownRows), columns);
  const cut = cutResults(results);
  return [
    pc.bold('results'),
    ...lines.map((line) => `  ${line}`),
    ...(rows.length > shownRows
      ? [`  ${countOf(shownRows, rows.length, 'row')}; --json and the report have all`]
      : []),
    ...(cut.length > 0 ? [`  from ${cut.join(', ')}, evenly spread`] : []),
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
  const { names, entries, hasTheory } = resultColumns(rows, (all) => {
    const hasTest = all.some(({ name }) => name === 'test_accuracy');
    return withoutLeftover(all).filter(
      ({ name }) => !name.includes('_loss') && !(hasTest && name === 'train_accuracy'),
    );
  });
  const repeats = rows.some(({ of }) => of > 1);
  const headings = [...names, ...(repeats ? ['mean of'] : [])];
  const cells = entries.map((row, index) => [
    ...row,
    ...(repeats ? [countOf(rows[index]!.cells, rows[index]!.of, 'cell')] : []),
  ]);
  const wide = table(cells, headings, columns - 2).split('\n');
  // Where the columns do not fit, each number has its name beside it.
  const named = cells.map((row) => row.map((entry, index) => `${headings[index]} ${entry}`));
  const lines = wide.length === rows.length + 1 ? wide : table(named, undefined, columns - 2).split('\n');
  return [...lines, ...(hasTheory ? [bracketsSentence] : [])];
}

/** The kinds of notes that are no warnings, each with how many cells have it and the first of them. */
export function formatNotes(kinds: readonly NoteKind[], cells: number, isReported: boolean): string[] {
  const notes = kinds.filter(({ isWarning }) => !isWarning);
  return formatKinds(pc.yellow('note'), notes, cells, isReported);
}

/** What makes results worthless. */
export function formatWarnings(kinds: readonly NoteKind[], cells: number, isReported: boolean): string[] {
  const warnings = kinds.filter(({ isWarning }) => isWarning);
  return formatKinds(pc.bold(pc.red('warning')), warnings, cells, isReported);
}

function formatKinds(name: string, kinds: readonly NoteKind[], cells: number, isReported: boolean): string[] {
  const rest = kinds.length - shownKinds;
  return [
    ...kinds.slice(0, shownKinds).map((kind) => `${name} ${formatKind(kind, cells)}`),
    ...(rest > 0
      ? [`${name} and ${plural(rest, 'more kind')}${isReported ? '; the report has all of them' : ''}`]
      : []),
  ];
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
