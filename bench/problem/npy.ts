import { readFileSync, writeFileSync } from 'node:fs';

const types = [
  [Float32Array, '<f4'],
  [Float64Array, '<f8'],
  [Int32Array, '<i4'],
] as const;

/** Writes an array as NumPy's `.npy` (format 1.0, row-major). */
export function writeNpy(
  file: string,
  values: Float32Array | Float64Array | Int32Array,
  shape: readonly number[] = [values.length],
): void {
  const [, type] = types.find(([kind]) => values instanceof kind)!;
  const description = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.join(',')},), }`;
  // Magic, version, length, description and a line end fill 128 bytes.
  const header = Buffer.from(`\x93NUMPY\x01\x00\x76\x00${description.padEnd(117)}\n`, 'latin1');
  writeFileSync(
    file,
    Buffer.concat([header, Buffer.from(values.buffer, values.byteOffset, values.byteLength)]),
  );
}

/** Reads a `.npy` of doubles, flat. */
export function readNpyDoubles(file: string): Float64Array {
  const bytes = readFileSync(file);
  const start = 10 + bytes.readUInt16LE(8);
  if (!bytes.toString('latin1', 10, start).includes("'<f8'"))
    throw new TypeError(`${file} holds no doubles.`);
  return new Float64Array(
    bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length) as ArrayBuffer,
  );
}
