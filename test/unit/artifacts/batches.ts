import fc from 'fast-check';
import { type ColumnType, columnsOf } from '../../../artifacts/arrow/columns.ts';
import type { ArrowTable } from '../../../artifacts/arrow/table.ts';
import type { ColumnValues } from '../../../artifacts/arrow/table-writer.ts';
import type { ArtifactKind } from '../../../artifacts/reference.ts';

export type Batch = Record<string, ColumnValues>;

/** What a test expects to read back: each column as plain values, a fixed-size list as rows. */
export type Expected = Record<string, readonly (number | string | readonly number[])[]>;

const extraColumns: Partial<Record<ArtifactKind, Record<string, ColumnType>>> = {
  spectrum: { curvature: 'float64' },
  parameters: { goodness_of_fit: 'float64' },
  collection: { batch_size: 'float64', label: 'utf8' },
};

/** The columns that a test writes for a kind: those it must have, and some that it may have. */
export function columnTypes(kind: ArtifactKind): Record<string, ColumnType> {
  return { ...columnsOf[kind].required, ...extraColumns[kind] };
}

const elements: Readonly<Record<ColumnType, fc.Arbitrary<number | string>>> = {
  int32: fc.integer(),
  int64: fc.maxSafeInteger(),
  float32: fc.float(),
  float64: fc.double(),
  utf8: fc.string({ unit: 'binary', maxLength: 8 }),
  floats: fc.float(),
  bytes: fc.nat(255),
};

/** One to four batches of one to five rows with any values at all, infinities and NaN among them. */
export function batchesOf(kind: ArtifactKind): fc.Arbitrary<Batch[]> {
  const types = columnTypes(kind);
  return fc
    .record({
      rows: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }),
      size: fc.integer({ min: 1, max: 7 }),
    })
    .chain(({ rows, size }) => fc.tuple(...rows.map((count) => oneBatch(types, count, size))));
}

function oneBatch(types: Record<string, ColumnType>, rows: number, size: number): fc.Arbitrary<Batch> {
  return fc.record(
    Object.fromEntries(
      Object.entries(types).map(([name, type]) => {
        const length = isList(type) ? rows * size : rows;
        const values = fc.array(elements[type], { minLength: length, maxLength: length });
        return [name, values.map((list) => typed(list, type))];
      }),
    ),
  ) as fc.Arbitrary<Batch>;
}

function typed(values: readonly (number | string)[], type: ColumnType): ColumnValues {
  const numbers = values as readonly number[];
  if (type === 'floats') return Float32Array.from(numbers);
  if (type === 'bytes') return Uint8Array.from(numbers);
  return type === 'utf8' ? (values as readonly string[]) : numbers;
}

/** All batches one below the other. */
export function expectedOf(kind: ArtifactKind, batches: readonly Batch[]): Expected {
  const types = columnTypes(kind);
  const scalar = Object.keys(types).find((name) => !isList(types[name]!))!;
  return Object.fromEntries(
    Object.entries(types).map(([name, type]) => [
      name,
      batches.flatMap((batch): (number | string | number[])[] => {
        const values = [...batch[name]!] as (number | string)[];
        return isList(type) ? inRows(values as number[], batch[scalar]!.length) : values;
      }),
    ]),
  );
}

/** The same from an opened artifact, through each way of reading it. */
export function readBack(table: ArrowTable): Expected {
  const types = columnTypes(table.kind);
  return Object.fromEntries(
    Object.entries(types).map(([name, type]) => {
      if (type === 'utf8') return [name, table.strings(name)];
      if (!isList(type)) return [name, [...table.numbers(name)]];
      const batches = type === 'floats' ? table.floatVectors(name) : table.byteVectors(name);
      const rows: number[][] = [];
      for (const { firstRow, rows: count, values } of batches) {
        if (firstRow !== rows.length) throw new Error(`A batch starts at ${firstRow}, not ${rows.length}.`);
        rows.push(...inRows([...values], count));
      }
      return [name, rows];
    }),
  );
}

export function isList(type: ColumnType): boolean {
  return type === 'floats' || type === 'bytes';
}

function inRows(values: readonly number[], rows: number): number[][] {
  const size = values.length / rows;
  return Array.from({ length: rows }, (_, row) => values.slice(row * size, (row + 1) * size));
}
