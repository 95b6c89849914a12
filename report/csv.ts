import type { FigureData } from './figures/drawing/data.ts';

/** The data behind a figure, whole, as RFC 4180 CSV with a header. A number keeps every digit; NaN is an empty field. */
export function figureCsv(data: FigureData): string {
  if (data.scope === 'study') {
    const names = Object.keys(data.rows[0] ?? {});
    return lines([names, ...data.rows.map((row) => names.map((name) => row[name]!))]);
  }
  const names = Object.keys(data.cells[0]?.columns ?? {});
  const rows = data.cells.flatMap((cell) =>
    Array.from({ length: cell.rows }, (_, row) => [
      cell.cellId,
      ...names.map((name) => cell.columns[name]?.[row] ?? Number.NaN),
    ]),
  );
  return lines([['cell', ...names], ...rows]);
}

function lines(rows: readonly (readonly (number | string)[])[]): string {
  return rows.map((row) => `${row.map(field).join(',')}\r\n`).join('');
}

function field(value: number | string): string {
  if (typeof value === 'number') return Number.isNaN(value) ? '' : String(value);
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
