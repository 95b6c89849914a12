import type { Json } from '../compiler/plan.ts';
import { csvOf } from './csv.ts';
import type { Estimate, KeyResults } from './key-results.ts';
import { cellRecord, type Study } from './read-study.ts';
import type { ResultRow } from './result-rows.ts';

type Rows = (readonly (string | number)[])[];

/** The tables beside a report of several cells. They are whole, whatever the page leaves out. */
export const dataFileNames = {
  cells: 'cells.csv',
  notes: 'notes.csv',
  results: 'results.csv',
  fits: 'fits.csv',
} as const;

/** Name and content of each table that has rows. */
export function dataFiles(
  study: Study,
  results: KeyResults,
  rows: readonly ResultRow[],
): { readonly name: string; readonly content: string }[] {
  if (study.plan.cells.length === 1) return [];
  const tables: Record<keyof typeof dataFileNames, Rows> = {
    cells: cellRows(study),
    notes: noteRows(study),
    results: filled(resultRows(rows)),
    fits: filled(fitRows(results)),
  };
  return Object.entries(dataFileNames).flatMap(([table, name]) => {
    const lines = tables[table as keyof typeof dataFileNames];
    return lines.length > 1 ? [{ name, content: csvOf(lines) }] : [];
  });
}

/** What became of each cell, in the order of the page: those that failed first. */
function cellRows({ studyId, plan, ordered, cells, damaged }: Study): Rows {
  const lost = new Set(damaged);
  const heading = ['cell', ...plan.axes, 'status', 'failed_stage', 'message', 'cure'];
  return [
    [...heading, 'stages_computed', 'stages_reused', 'seconds', 'warnings'],
    ...ordered.map(({ id, axes }) => {
      const cell = cells.get(id);
      const missing = lost.has(cellRecord(studyId, id)) ? 'record damaged' : 'not finished';
      const { stage = '', message = '', cure = '' } = cell?.failure ?? {};
      const outcomes = Object.values(cell?.stages ?? {});
      const computed = outcomes.filter(({ reused }) => !reused);
      return [
        ...[id, ...plan.axes.map((axis) => plain(axes[axis])), cell?.status ?? missing, stage, message, cure],
        ...[computed.length, outcomes.length - computed.length],
        computed.reduce((sum, { seconds }) => sum + seconds, 0),
        outcomes.reduce((sum, { warnings = [] }) => sum + warnings.length, 0),
      ];
    }),
  ];
}

/** All that the stages remarked; of cells that failed first. A stage over all cells has no cell. */
function noteRows({ ordered, cells, result }: Study): Rows {
  const of = [
    ...ordered.map(({ id }) => [id, cells.get(id)?.stages ?? {}] as const),
    ['', result?.collect ?? {}] as const,
  ];
  const notes = of.flatMap(([cell, stages]) =>
    Object.entries(stages).flatMap(([stage, { notes, warnings = [] }]) =>
      notes.map((text) => [cell, stage, warnings.includes(text) ? 'warning' : 'note', text]),
    ),
  );
  return [['cell', 'stage', 'kind', 'text'], ...notes];
}

function resultRows(rows: readonly ResultRow[]): Rows {
  const axes = Object.keys(rows[0]?.axes ?? {});
  const nameOf = ({ stage, name }: { readonly stage: string; readonly name: string }) => `${stage}.${name}`;
  const names = [...new Set(rows.flatMap(({ quantities }) => quantities.map(nameOf)))];
  return [
    [...axes, 'cells', 'of', ...names.flatMap((name) => [...columnsOf(name), `${name}_cells`])],
    ...rows.map(({ axes: values, quantities, cells, of }) => {
      const known = new Map(quantities.map((quantity) => [nameOf(quantity), quantity]));
      return [
        ...axes.map((axis) => plain(values[axis])),
        ...[cells, of],
        ...names.flatMap((name) => [...partsOf(known.get(name)), known.get(name)?.cells ?? 0]),
      ];
    }),
  ];
}

/** Every quantity of every fit that was read. */
function fitRows({ parameters }: KeyResults): Rows {
  const names = [...new Set(parameters.flatMap(({ estimates }) => Object.keys(estimates)))];
  return [
    ['cell', 'stage', ...names.flatMap(columnsOf)],
    ...parameters.map(({ cellId, stage, estimates }) => [
      ...[cellId, stage],
      ...names.flatMap((name) => partsOf(estimates[name])),
    ]),
  ];
}

/** Without the columns that no row has anything in. */
function filled([heading, ...rows]: Rows): Rows {
  const isFilled = heading!.map((_, column) => rows.some((row) => !Number.isNaN(row[column])));
  return [heading!, ...rows].map((row) => row.filter((_, column) => isFilled[column]));
}

function columnsOf(name: string): string[] {
  return [name, `${name}_standard_error`, `${name}_theory`, `${name}_deviation`];
}

function partsOf({ value, error, theory, deviation }: Partial<Estimate> = {}): number[] {
  return [value, error, theory, deviation].map((part) => part ?? Number.NaN);
}

function plain(value: Json | undefined): string | number {
  return typeof value === 'string' || typeof value === 'number' ? value : JSON.stringify(value ?? null);
}
