import type { Tensor, Tensor2D } from '@tensorflow/tfjs-node';
import type { TensorFlow } from '../../compute/tensorflow.ts';
import { addScaled, dot, norm, scaled } from './vectors.ts';

/** Rows of a block: large enough for matrix products, small enough that a block of LeNet's weights stays in the cache for both of them. */
const blockRows = 32;

/**
 * Orthonormal vectors of length P, as float32: full blocks of them as tensors, the last few as arrays. Inner products with a block are float32
 * sums, good to about 1e-7; everything else is in double precision.
 */
export class OrthonormalBasis {
  readonly #tf: TensorFlow;
  readonly #size: number;
  readonly #blocks: Tensor2D[] = [];
  #pending: Float32Array[] = [];
  #last: Float32Array | undefined;

  constructor(tf: TensorFlow, size: number, rows: Iterable<Float32Array> = []) {
    this.#tf = tf;
    this.#size = size;
    for (const row of rows) this.push(row);
  }

  get length(): number {
    return this.#blocks.length * blockRows + this.#pending.length;
  }

  /** The vector that came last. */
  get last(): Float32Array | undefined {
    return this.#last;
  }

  push(row: Float32Array): void {
    this.#last = row;
    this.#pending.push(row);
    if (this.#pending.length === blockRows) {
      this.#blocks.push(this.#stack(this.#pending));
      this.#pending = [];
    }
  }

  /**
   * Takes from `vector`, in place, its components along the basis, by classical Gram-Schmidt, repeated as long as that made it much shorter
   * ("twice is enough": Daniel, Gragg, Kaufman and Stewart 1976). Returns the length that is left.
   */
  orthogonalize(vector: Float64Array): number {
    let before = norm(vector);
    for (let pass = 0; ; pass++) {
      this.#removeComponents(vector);
      const after = norm(vector);
      if (after > 0.7 * before || after === 0 || pass === 2) return after;
      before = after;
    }
  }

  #removeComponents(vector: Float64Array): void {
    const tf = this.#tf;
    if (this.#blocks.length > 0) {
      const length = norm(vector);
      if (length === 0) return;
      // Scaled, so that no square underflows in float32.
      const unit = scaled(vector, 1 / length);
      const components = tf.tidy(() => {
        const row = tf.tensor2d(unit, [1, this.#size]);
        let sum = tf.zerosLike(row);
        for (const block of this.#blocks) {
          const before = sum;
          sum = tf.add(sum, tf.matMul(tf.matMul(row, block, false, true), block));
          before.dispose();
        }
        return sum;
      });
      addScaled(vector, read(components), -length);
    }
    for (const row of this.#pending) addScaled(vector, row, -dot(row, vector));
  }

  /** `count` linear combinations of the basis: coefficients (count x length, row-major) times basis, in float32, as rows of one array. */
  combine(coefficients: Float32Array, count: number): Float32Array {
    const tf = this.#tf;
    const { length } = this;
    const result = new Float32Array(count * this.#size);
    const rest = this.#pending.length === 0 ? [] : [this.#stack(this.#pending)];
    for (let start = 0; start < count; start += blockRows) {
      const rows = Math.min(blockRows, count - start);
      const part = tf.tidy(() => {
        const some = tf.tensor2d(coefficients.subarray(start * length, (start + rows) * length), [
          rows,
          length,
        ]);
        let sum: Tensor2D = tf.zeros([rows, this.#size]);
        for (const [index, block] of [...this.#blocks, ...rest].entries()) {
          const before = sum;
          const along = tf.slice(some, [0, index * blockRows], [rows, block.shape[0]]);
          sum = tf.add(sum, tf.matMul(along, block));
          before.dispose();
        }
        return sum;
      });
      result.set(read(part), start * this.#size);
    }
    tf.dispose(rest);
    return result;
  }

  /** The basis becomes these rows. */
  replace(rows: Iterable<Float32Array>): void {
    this.dispose();
    for (const row of rows) this.push(row);
  }

  dispose(): void {
    this.#tf.dispose(this.#blocks);
    this.#blocks.length = 0;
    this.#pending = [];
    this.#last = undefined;
  }

  #stack(rows: readonly Float32Array[]): Tensor2D {
    const values = new Float32Array(rows.length * this.#size);
    for (const [index, row] of rows.entries()) values.set(row, index * this.#size);
    return this.#tf.tensor2d(values, [rows.length, this.#size]);
  }
}

/** The values of a tensor, which is disposed of. Outside of `tidy`, which walks through every element of an array that it returns. */
function read(tensor: Tensor): Float32Array {
  const values = tensor.dataSync() as Float32Array;
  tensor.dispose();
  return values;
}
