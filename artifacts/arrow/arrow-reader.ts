import { open } from 'node:fs/promises';
import * as arrow from 'apache-arrow';
import { Footer } from 'apache-arrow/ipc/metadata/file';
import { DamagedArtifactError } from '../errors.ts';
import type { ArtifactKind } from '../reference.ts';
import { checkArrowFile, checkFooter, footerLength, tailBytes } from './arrow-layout.ts';
import type { ArrowTable, VectorBatch } from './table.ts';

/** The schema metadata of an Arrow IPC file, of which only the end is read. Throws {@link DamagedArtifactError} if it is none. */
export async function readArrowMetadata(path: string): Promise<Record<string, string>> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const endOf = async (bytes: number): Promise<Uint8Array> =>
      (await file.read({ buffer: new Uint8Array(bytes), position: Math.max(0, size - bytes) })).buffer;
    const bytes = footerLength(await endOf(tailBytes), size) + tailBytes;
    return metadataIn((await endOf(bytes)).subarray(0, -tailBytes));
  } catch (error) {
    throw noArrow(path, error);
  } finally {
    await file.close();
  }
}

/** The schema metadata in the bytes of an Arrow IPC file. Throws {@link DamagedArtifactError} if they are none. */
export function readMetadataOf(bytes: Uint8Array, path: string): Record<string, string> {
  try {
    const footerBytes = footerLength(bytes.subarray(-tailBytes), bytes.length);
    return metadataIn(bytes.subarray(-tailBytes - footerBytes, -tailBytes));
  } catch (error) {
    throw noArrow(path, error);
  }
}

function metadataIn(footer: Uint8Array): Record<string, string> {
  checkFooter(footer);
  return Object.fromEntries(Footer.decode(footer).schema.metadata);
}

function noArrow(path: string, error: unknown): DamagedArtifactError {
  return new DamagedArtifactError(`${path} is not an Arrow file: ${(error as Error).message}`);
}

/** Wraps the bytes of an Arrow IPC file. Numeric data is not copied. Throws {@link DamagedArtifactError} if they are none. */
export function readArrow(bytes: Uint8Array, kind: ArtifactKind, path: string): ArrowTable {
  let table: arrow.Table;
  try {
    checkArrowFile(bytes);
    table = arrow.tableFromIPC(bytes);
  } catch (error) {
    throw noArrow(path, error);
  }
  const columns = table.schema.fields.map(({ name }) => name);
  const vector = (name: string): arrow.Vector => {
    const found = table.getChild(name);
    if (found !== null) return found;
    throw new DamagedArtifactError(`${path} (${kind}) has no column ${name}; it has ${columns.join(', ')}.`);
  };
  function* lists<T extends Float32Array | Uint8Array>(name: string): Generator<VectorBatch<T>> {
    let firstRow = 0;
    for (const data of vector(name).data) {
      const size = (data.type as arrow.FixedSizeList).listSize;
      const values = (data.children[0] as arrow.Data).values as T;
      const start = data.offset * size;
      yield {
        firstRow,
        rows: data.length,
        size,
        values: values.subarray(start, start + data.length * size) as T,
      };
      firstRow += data.length;
    }
  }
  return {
    kind,
    path,
    metadata: Object.fromEntries(table.schema.metadata),
    rows: table.numRows,
    columns,
    numbers: (name) => Float64Array.from(vector(name).toArray() as ArrayLike<number | bigint>, Number),
    strings: (name) => [...vector(name)].map(String),
    floatVectors: (name) => lists<Float32Array>(name),
    byteVectors: (name) => lists<Uint8Array>(name),
    floatVector(name, row) {
      for (const { firstRow, rows, size, values } of lists<Float32Array>(name)) {
        if (row >= firstRow && row < firstRow + rows)
          return values.subarray((row - firstRow) * size, (row - firstRow + 1) * size);
      }
      throw new RangeError(`Row ${row} of ${name}: there are ${table.numRows}.`);
    },
    row(index) {
      const scalar = table.schema.fields.filter(({ type }) => !arrow.DataType.isFixedSizeList(type));
      return Object.fromEntries(
        scalar.map(({ name }) => {
          const value: unknown = vector(name).get(index);
          return [name, typeof value === 'string' ? value : Number(value)];
        }),
      );
    },
  };
}
