import type { FigureData } from './figures/drawing/data.ts';

type Value = number | string;

/** The data behind a figure, whole, as RFC 4180 CSV with a header. A number keeps every digit; NaN is an empty field. */
export function figureCsv(data: FigureData): string {
  if (data.scope === 'study') {
    const names = Object.keys(data.rows[0] ?? {});
    return csvOf([names, ...data.rows.map((row) => names.map((name) => row[name]!))]);
  }
  const names = Object.keys(data.cells[0]?.columns ?? {});
  const rows = data.cells.flatMap((cell) =>
    Array.from({ length: cell.rows }, (_, row) => [
      cell.cellId,
      ...names.map((name) => cell.columns[name]?.[row] ?? Number.NaN),
    ]),
  );
  return csvOf([['cell', ...names], ...rows]);
}

/** Rows as RFC 4180 CSV. A number keeps every digit; NaN is an empty field. */
export function csvOf(rows: readonly (readonly Value[])[]): string {
  return rows.map((row) => `${row.map(field).join(',')}\r\n`).join('');
}

function field(value: Value): string {
  if (typeof value === 'number') return Number.isNaN(value) ? '' : String(value);
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
