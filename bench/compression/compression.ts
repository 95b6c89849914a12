/**
 * `node bench/compression/compression.ts FILE.arrow...` tells by how much the weights in parts of trajectories shrink without loss, and at which rate of processor time: zstd of
 * them as they are and with their bytes sorted by place (first those of the lowest bits of all numbers, and so on), of the weights and of their differences from the step before.
 */
import { readFileSync } from 'node:fs';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { readArrow } from '../../artifacts/arrow/arrow-reader.ts';
import { fromDifferences, shuffled, toDifferences, unshuffled } from './filters.ts';

/** Rows compressed at once: 27 MB of LeNet. */
const rowsAtOnce = 50;

/** Processor seconds of this process that `work` takes, and what it gives. */
function timed<T>(work: () => T): { readonly seconds: number; readonly result: T } {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  return { seconds: (user + system) / 1e6, result };
}

function bytesOf({ buffer, byteOffset, byteLength }: Int32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** One line on the weights of `size` a row, given as the bits of float32. Throws if something is lost. */
function measure(
  weights: Int32Array,
  size: number,
  level: number,
  isShuffled: boolean,
  isDifference: boolean,
) {
  const params = { [constants.ZSTD_c_compressionLevel]: level };
  let [bytes, writing, reading] = [0, 0, 0];
  for (let start = 0; start < weights.length; start += rowsAtOnce * size) {
    const values = weights.subarray(start, start + rowsAtOnce * size);
    const packed = timed(() => {
      const numbers = isDifference ? toDifferences(values, size) : values;
      return zstdCompressSync(isShuffled ? shuffled(numbers) : bytesOf(numbers), { params });
    });
    const unpacked = timed(() => {
      const raw = zstdDecompressSync(packed.result);
      const numbers = isShuffled ? unshuffled(raw) : new Int32Array(new Uint8Array(raw).buffer);
      return isDifference ? fromDifferences(numbers, size) : numbers;
    });
    if (Buffer.compare(bytesOf(unpacked.result), bytesOf(values)) !== 0)
      throw new Error('Something was lost.');
    bytes += packed.result.length;
    writing += packed.seconds;
    reading += unpacked.seconds;
  }
  const rate = (seconds: number) => `${(weights.byteLength / 1e6 / seconds).toFixed(0)} MB/s`;
  return `ratio ${(weights.byteLength / bytes).toFixed(2)}, written at ${rate(writing)}, read at ${rate(reading)}`;
}

for (const path of process.argv.slice(2)) {
  const table = readArrow(readFileSync(path), 'trajectory-part', path);
  const size = table.floatVector('weights', 0).length;
  const weights = new Float32Array(table.rows * size);
  for (const { firstRow, values } of table.floatVectors('weights')) weights.set(values, firstRow * size);
  console.log(`${table.rows} steps of ${size} weights, ${(weights.byteLength / 1e6).toFixed(0)} MB`);
  for (const level of [1, 3])
    for (const isShuffled of [false, true])
      for (const isDifference of [false, true])
        console.log(
          `zstd ${level} of ${isDifference ? 'differences' : 'weights'}, ${isShuffled ? 'sorted' : 'as they are'}: ` +
            measure(new Int32Array(weights.buffer), size, level, isShuffled, isDifference),
        );
}
