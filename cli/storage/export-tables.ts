import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { columnsOf } from '../../artifacts/arrow/columns.ts';
import type { ArrowTable } from '../../artifacts/arrow/table.ts';
import type { ArtifactKind, ArtifactRef } from '../../artifacts/reference.ts';
import { checkedName } from '../../artifacts/store/names.ts';
import type { Store } from '../../artifacts/store/store.ts';
import { csvOf } from '../../report/csv.ts';
import type { CellResult } from '../../workflows/messages.ts';

/** Whether an artifact of this kind has a vector or an image in each row, or lists those that do. */
export function isTensor(kind: ArtifactKind): boolean {
  if (kind === 'trajectory') return true;
  return Object.values(columnsOf[kind].required).some((type) => type === 'floats' || type === 'bytes');
}

interface CellTable {
  readonly cell: string;
  readonly ref: ArtifactRef;
}

/**
 * Writes each output that is a table of numbers, of all cells below each other, as `<stage>.<output>.csv` into a folder, with the cell as first column. A number keeps every digit; a
 * column that a cell's table lacks is empty there.
 */
export async function writeTables(store: Store, cells: readonly CellResult[], folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const tables = new Map<string, CellTable[]>();
  for (const { cellId: cell, stages } of cells) {
    for (const [stage, { outputs }] of Object.entries(stages)) {
      for (const [output, ref] of Object.entries(outputs)) {
        if (isTensor(ref.kind)) continue;
        const name = `${checkedName('stage name', stage)}.${checkedName('stage name', output)}`;
        tables.set(name, [...(tables.get(name) ?? []), { cell, ref }]);
      }
    }
  }
  for (const [name, some] of tables)
    await pipeline(Readable.from(linesOf(store, some)), createWriteStream(path.join(folder, `${name}.csv`)));
}

async function* linesOf(store: Store, tables: readonly CellTable[]): AsyncGenerator<string> {
  const columns = new Set<string>();
  for (const { ref } of tables) for (const column of (await store.open(ref)).columns) columns.add(column);
  columns.delete('cell');
  yield csvOf([['cell', ...columns]]);
  for (const { cell, ref } of tables) yield csvOf(rowsOf(await store.open(ref), cell, [...columns]));
}

function rowsOf(table: ArrowTable, cell: string, columns: readonly string[]): (number | string)[][] {
  return Array.from({ length: table.rows }, (_, index) => {
    const row = table.row(index);
    // A table over all cells says itself which cell a row is of.
    return [row.cell ?? cell, ...columns.map((column) => row[column] ?? Number.NaN)];
  });
}
