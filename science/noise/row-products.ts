import { createDeviationProducts } from '../../compute/kernels/double-precision.ts';
import type { TensorFlow } from '../../compute/tensorflow.ts';

/** Inner products of all rows of `a` with all rows of `b`, both of `size` columns, row-major: rows of a x rows of b. */
export type RowProducts = (
  a: Float32Array,
  b: Float32Array,
  size: number,
) => Float32Array | Float64Array | Promise<Float32Array | Float64Array>;

/** Multiplications below which loops are faster than a call into TensorFlow. */
const fewMultiplications = 2e6;

/** Rows in one product; bounds the memory, since they are widened to doubles each time. */
const rowsAtOnce = 128;

/**
 * Row products through TensorFlow, summed in double precision and rounded to float32 once: an order of magnitude faster than loops in JavaScript.
 * `breathe` is awaited between two blocks.
 */
export function createRowProducts(
  tf: TensorFlow,
  breathe: () => Promise<void>,
): { readonly products: RowProducts; dispose(): void } {
  if (tf.getBackend() !== 'tensorflow') return { products: rowProducts, dispose: () => undefined };
  const graph = createDeviationProducts(tf);
  return {
    async products(a, b, size) {
      const rows = a.length / size;
      const columns = b.length / size;
      if (rows * columns * size < fewMultiplications) return rowProducts(a, b, size);
      const result = new Float32Array(rows * columns);
      const zero = tf.zeros([size]) as import('@tensorflow/tfjs-node').Tensor1D;
      for (let top = 0; top < rows; top += rowsAtOnce) {
        const height = Math.min(rowsAtOnce, rows - top);
        const x = tf.tensor2d(a.subarray(top * size, (top + height) * size), [height, size]);
        for (let left = 0; left < columns; left += rowsAtOnce) {
          const width = Math.min(rowsAtOnce, columns - left);
          const y = tf.tensor2d(b.subarray(left * size, (left + width) * size), [width, size]);
          const block = graph.run(x, zero, y);
          y.dispose();
          for (let row = 0; row < height; row++)
            result.set(block.subarray(row * width, (row + 1) * width), (top + row) * columns + left);
          await breathe();
        }
        x.dispose();
      }
      zero.dispose();
      return result;
    },
    dispose: () => graph.dispose(),
  };
}

/** The same in loops, in double precision throughout. */
export function rowProducts(a: Float32Array, b: Float32Array, size: number): Float64Array {
  const rows = a.length / size;
  const columns = b.length / size;
  const result = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let i = 0; i < size; i++) sum += a[row * size + i]! * b[column * size + i]!;
      result[row * columns + column] = sum;
    }
  }
  return result;
}
