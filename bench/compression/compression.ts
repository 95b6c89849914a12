/**
 * `node bench/compression/compression.ts FILE.arrow...` tells by how much the weights of a part of a trajectory (`trajectory-part`) shrink without loss, and the processor seconds
 * that takes: plain zstd, and zstd of bytes that were sorted by their place in the number (byte shuffle), of the weights and of their differences from the step before.
 */
import { readFileSync } from 'node:fs';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { readArrow } from '../../artifacts/arrow/arrow-reader.ts';

/** Rows compressed at once: 27 MB of LeNet. */
const rowsAtOnce = 50;

type Difference = 'none' | 'xor' | 'integers';

/** Bits of float32 as integers whose order is that of the numbers, so that near numbers have a small difference. */
function toOrdered(bits: Int32Array): Int32Array {
  return bits.map((value) => (value < 0 ? value ^ 0x7fffffff : value));
}

/** Each row but the first less the one before; small differences of either sign become small unsigned integers. */
function differences(values: Int32Array, size: number, how: Difference): Int32Array {
  if (how === 'none') return values;
  const from = how === 'integers' ? toOrdered(values) : values;
  const result = from.slice();
  for (let i = size; i < from.length; i++) {
    const difference = how === 'xor' ? from[i]! ^ from[i - size]! : (from[i]! - from[i - size]!) | 0;
    result[i] = how === 'xor' ? difference : (difference << 1) ^ (difference >> 31);
  }
  return result;
}

/** The back of {@link differences}. */
function sums(values: Int32Array, size: number, how: Difference): Int32Array {
  if (how === 'none') return values;
  const result = values.slice();
  for (let i = size; i < result.length; i++) {
    const value = result[i]!;
    result[i] =
      how === 'xor' ? value ^ result[i - size]! : (result[i - size]! + ((value >>> 1) ^ -(value & 1))) | 0;
  }
  return how === 'integers' ? toOrdered(result) : result;
}

/** First bytes of all numbers, then the second ones, and so on. */
function shuffled(values: Int32Array): Uint8Array {
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

function unshuffled(bytes: Uint8Array): Int32Array {
  const length = bytes.length / 4;
  const values = new Int32Array(length);
  for (let i = 0; i < length; i++)
    values[i] =
      bytes[i]! | (bytes[length + i]! << 8) | (bytes[2 * length + i]! << 16) | (bytes[3 * length + i]! << 24);
  return values;
}

/** Processor seconds of this process that `work` takes, and what it gives. */
function timed<T>(work: () => T): { readonly seconds: number; readonly result: T } {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  return { seconds: (user + system) / 1e6, result };
}

for (const path of process.argv.slice(2)) {
  const table = readArrow(readFileSync(path), 'trajectory-part', path);
  const size = table.floatVector('weights', 0).length;
  const weights = new Float32Array(table.rows * size);
  for (const { firstRow, values } of table.floatVectors('weights')) weights.set(values, firstRow * size);
  const all = new Int32Array(weights.buffer);
  console.log(`${table.rows} steps of ${size} weights, ${(all.byteLength / 1e6).toFixed(0)} MB`);
  for (const level of [1, 3]) {
    for (const isShuffled of [false, true]) {
      for (const how of ['none', 'xor', 'integers'] as const) {
        const params = { [constants.ZSTD_c_compressionLevel]: level };
        let bytes = 0;
        let [there, back] = [0, 0];
        for (let start = 0; start < all.length; start += rowsAtOnce * size) {
          const values = all.subarray(start, start + rowsAtOnce * size);
          const packed = timed(() => {
            const less = differences(values, size, how);
            const raw = isShuffled
              ? shuffled(less)
              : new Uint8Array(less.buffer, less.byteOffset, less.byteLength);
            return zstdCompressSync(raw, { params });
          });
          const unpacked = timed(() => {
            const raw = zstdDecompressSync(packed.result);
            const less = isShuffled ? unshuffled(raw) : new Int32Array(new Uint8Array(raw).buffer);
            return sums(less, size, how);
          });
          if (
            Buffer.compare(
              Buffer.from(unpacked.result.buffer, unpacked.result.byteOffset, unpacked.result.byteLength),
              Buffer.from(values.buffer, values.byteOffset, values.byteLength),
            ) !== 0
          )
            throw new Error(`Compression by ${how} lost something.`);
          bytes += packed.result.length;
          there += packed.seconds;
          back += unpacked.seconds;
        }
        const rate = (seconds: number) => `${(all.byteLength / 1e6 / seconds).toFixed(0)} MB/s`;
        console.log(
          `zstd ${level}, ${isShuffled ? 'shuffled' : 'as they are'}, differences: ${how}: ` +
            `ratio ${(all.byteLength / bytes).toFixed(3)}, written at ${rate(there)}, read at ${rate(back)}`,
        );
      }
    }
  }
}
