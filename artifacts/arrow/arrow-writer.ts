import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import * as arrow from 'apache-arrow';
import { openNew } from '../new-file.ts';
import type { ArtifactKind } from '../reference.ts';
import { type ColumnType, columnsOf } from './columns.ts';
import type { ColumnValues, TableWriter } from './table-writer.ts';

/** Size and digest of a written file. */
export interface WrittenFile {
  readonly sha256: string;
  readonly bytes: number;
}

/** Thrown when batches do not have the columns of their kind. It is a mistake in the stage that writes them. */
export class ColumnError extends Error {
  override readonly name = 'ColumnError';
}

/**
 * Writes an Arrow IPC file batch by batch to `path` and syncs it to the disk; the digest is taken on the way. The same batches and metadata give
 * the same bytes. `onChunk` sees what is written. The file is left to the caller if this throws.
 */
export async function writeArrowFile(
  path: string,
  kind: ArtifactKind,
  metadata: Readonly<Record<string, string>>,
  fill: (writer: TableWriter) => void | Promise<void>,
  onChunk: (chunk: Uint8Array) => void = () => undefined,
): Promise<WrittenFile> {
  const handle = await openNew(path);
  const hash = createHash('sha256');
  let bytes = 0;
  const sink = new arrow.RecordBatchFileWriter();
  const stream = sink.toNodeStream() as AsyncIterable<Uint8Array> & { destroy(): void };
  let schema: arrow.Schema | undefined;
  const pump = async (): Promise<void> => {
    for await (const chunk of stream) {
      hash.update(chunk);
      bytes += chunk.byteLength;
      onChunk(chunk);
      await handle.writeFile(chunk);
    }
  };
  const pumped = pump();
  pumped.catch(() => undefined);
  const writer: TableWriter = {
    append(columns, listSizes = {}) {
      const types = checkColumns(kind, columns, schema);
      const rows = rowsOf(kind, columns, types, listSizes);
      const data = Object.entries(types).map(([name, type]) =>
        columnData(columns[name]!, type, rows, listSizes[name]),
      );
      if (schema !== undefined) checkTypes(kind, schema, data);
      schema ??= new arrow.Schema(
        Object.keys(types).map((name, index) => new arrow.Field(name, data[index]!.type, false)),
        new Map(Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1))),
      );
      const struct = arrow.makeData({
        type: new arrow.Struct(schema.fields),
        length: rows,
        nullCount: 0,
        children: data,
      });
      sink.write(new arrow.RecordBatch(schema, struct));
      // Lets the pump write, so that at most a few batches are held twice.
      return setImmediate();
    },
  };
  try {
    await fill(writer);
    if (schema === undefined) throw new ColumnError(`A ${kind} artifact needs at least one batch of rows.`);
    sink.close();
    await pumped;
    await handle.sync();
  } catch (error) {
    stream.destroy();
    await pumped.catch(() => undefined);
    throw error;
  } finally {
    await handle.close();
  }
  return { sha256: hash.digest('hex'), bytes };
}

/** The columns of this batch in file order with their types. */
function checkColumns(
  kind: ArtifactKind,
  columns: Readonly<Record<string, ColumnValues>>,
  schema: arrow.Schema | undefined,
): Record<string, ColumnType> {
  const { required, more } = columnsOf[kind];
  const missing = Object.keys(required).filter((name) => !(name in columns));
  const extra = Object.keys(columns).filter((name) => !(name in required));
  if (missing.length > 0 || (more === false && extra.length > 0)) {
    throw new ColumnError(
      `A ${kind} artifact has the columns ${Object.keys(required).join(', ')}; got ${Object.keys(columns).join(', ')}.`,
    );
  }
  const types = { ...required };
  for (const name of extra) {
    const isText = typeof columns[name]![0] === 'string';
    if (isText && more !== 'numbers-and-text')
      throw new ColumnError(`Column ${name} of a ${kind} artifact must hold numbers.`);
    types[name] = isText ? 'utf8' : 'float64';
  }
  const names = Object.keys(types).join();
  const before = schema?.fields.map((field) => field.name).join();
  if (before !== undefined && before !== names)
    throw new ColumnError(`Every batch must have the columns ${before}; got ${names}.`);
  return types;
}

/** A later batch must have the columns of the first one, down to the length of their lists. */
function checkTypes(kind: ArtifactKind, schema: arrow.Schema, data: readonly arrow.Data[]): void {
  for (const [index, { name, type }] of schema.fields.entries()) {
    const got = data[index]!.type as arrow.DataType;
    if (String(got) === String(type)) continue;
    throw new ColumnError(`Column ${name} of a ${kind} artifact is ${type} in the first batch; got ${got}.`);
  }
}

function rowsOf(
  kind: ArtifactKind,
  columns: Readonly<Record<string, ColumnValues>>,
  types: Record<string, ColumnType>,
  listSizes: Readonly<Record<string, number>>,
): number {
  const scalars = Object.keys(types).filter((name) => types[name] !== 'floats' && types[name] !== 'bytes');
  const rows = columns[scalars[0]!]!.length;
  const odd = Object.keys(types).find((name) =>
    scalars.includes(name)
      ? columns[name]!.length !== rows
      : rows === 0
        ? listSizes[name] === undefined || columns[name]!.length > 0
        : columns[name]!.length % rows !== 0,
  );
  if (odd !== undefined) {
    throw new ColumnError(
      `Column ${odd} of a ${kind} batch has ${columns[odd]!.length} values, which do not fill ${rows} rows.`,
    );
  }
  return rows;
}

function columnData(
  values: ColumnValues,
  type: ColumnType,
  rows: number,
  listSize = values.length / rows,
): arrow.Data {
  const numbers = values as readonly number[];
  switch (type) {
    case 'floats': {
      const data = values instanceof Float32Array ? values : Float32Array.from(numbers);
      return listData(
        arrow.makeData({ type: new arrow.Float32(), length: data.length, nullCount: 0, data }),
        rows,
        listSize,
      );
    }
    case 'bytes': {
      const data = values instanceof Uint8Array ? values : Uint8Array.from(numbers);
      return listData(
        arrow.makeData({ type: new arrow.Uint8(), length: data.length, nullCount: 0, data }),
        rows,
        listSize,
      );
    }
    case 'int32':
      return arrow.makeData({
        type: new arrow.Int32(),
        length: rows,
        nullCount: 0,
        data: Int32Array.from(numbers),
      });
    case 'int64':
      return arrow.makeData({
        type: new arrow.Int64(),
        length: rows,
        nullCount: 0,
        data: BigInt64Array.from(numbers, (n) => BigInt(n)),
      });
    case 'float32':
      return arrow.makeData({
        type: new arrow.Float32(),
        length: rows,
        nullCount: 0,
        data: Float32Array.from(numbers),
      });
    case 'float64':
      return arrow.makeData({
        type: new arrow.Float64(),
        length: rows,
        nullCount: 0,
        data: Float64Array.from(numbers),
      });
    case 'utf8':
      return arrow.vectorFromArray(values as unknown as readonly string[], new arrow.Utf8()).data[0]!;
  }
}

/** `vectorFromArray` cannot make fixed-size lists; this takes the values as they are, without a copy. */
function listData(child: arrow.Data, rows: number, listSize: number): arrow.Data {
  const type = new arrow.FixedSizeList(listSize, new arrow.Field('item', child.type, false));
  return arrow.makeData({ type, length: rows, nullCount: 0, child });
}
