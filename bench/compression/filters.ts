/** Filters of float32, given as the bits of the numbers, that make them easier to compress; each can be taken back. */

/** Each row but the first, combined with the one before by "exclusive or": bits that do not change are 0. */
export function toDifferences(values: Int32Array, size: number): Int32Array {
  const result = values.slice();
  for (let i = size; i < values.length; i++) result[i] = values[i]! ^ values[i - size]!;
  return result;
}

export function fromDifferences(values: Int32Array, size: number): Int32Array {
  const result = values.slice();
  for (let i = size; i < result.length; i++) result[i]! ^= result[i - size]!;
  return result;
}

/** The lowest bytes of all numbers, then those above them, and so on. */
export function shuffled(values: Int32Array): Uint8Array {
  const { length } = values;
  const bytes = new Uint8Array(4 * length);
  for (let i = 0; i < length; i++) {
    const value = values[i]!;
    bytes[i] = value;
    bytes[length + i] = value >> 8;
    bytes[2 * length + i] = value >> 16;
    bytes[3 * length + i] = value >> 24;
  }
  return bytes;
}

export function unshuffled(bytes: Uint8Array): Int32Array {
  const length = bytes.length / 4;
  const values = new Int32Array(length);
  for (let i = 0; i < length; i++)
    values[i] =
      bytes[i]! | (bytes[length + i]! << 8) | (bytes[2 * length + i]! << 16) | (bytes[3 * length + i]! << 24);
  return values;
}
