import type { ToyContext } from '../artifacts/arrow/measurement-contexts.ts';
import type { ArrowTable } from '../artifacts/arrow/table.ts';

/**
 * What a figure draws of a `series`: its scalar columns, and theta in the first two directions as `theta_1` and `theta_2`; in a widening valley
 * |u| and v as `u_norm` and `v`.
 */
export function seriesColumns(table: ArrowTable, toy: ToyContext | undefined): Record<string, Float64Array> {
  const columns = Object.fromEntries(
    table.columns.filter((name) => name !== 'theta').map((name) => [name, table.numbers(name)]),
  );
  const first = new Float64Array(table.rows);
  const second = new Float64Array(table.rows);
  const valley = toy?.loss.name === 'valley';
  for (const { firstRow, rows, size, values } of table.floatVectors('theta')) {
    for (let row = 0; row < rows; row++) {
      const theta = values.subarray(row * size, (row + 1) * size);
      first[firstRow + row] = valley ? Math.hypot(...theta.subarray(0, size - 1)) : theta[0]!;
      second[firstRow + row] = valley ? theta[size - 1]! : (theta[1] ?? Number.NaN);
    }
  }
  return { ...columns, [valley ? 'u_norm' : 'theta_1']: first, [valley ? 'v' : 'theta_2']: second };
}
