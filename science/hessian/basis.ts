import type { Tensor, Tensor2D } from '@tensorflow/tfjs-node';
import type { CapturedGraph } from '../../compute/graph/graph.ts';
import { captureRecipe } from '../../compute/graph/recipe.ts';
import type { TensorFlow } from '../../compute/tensorflow.ts';
import { addScaled, dot, norm, scaled } from './vectors.ts';

/** Rows of a block: large enough for matrix products, small enough that a block of LeNet's weights stays in the cache for both of them. */
const blockRows = 32;

/** Rows of length P, cut into lanes of columns. */
type Block = Tensor2D[];

/**
 * Orthonormal vectors of length P, as float32: full blocks of them as tensors, the last few as arrays. Inner products with a block are float32
 * sums, good to about 1e-7; everything else is in double precision.
 *
 * With several `lanes`, products with a block are as many graph operations side by side, each over a part of the P columns; last bits depend on
 * their number.
 */
export class OrthonormalBasis {
  readonly #tf: TensorFlow;
  readonly #size: number;
  /** First column of each lane, and P. */
  readonly #columns: readonly number[];
  readonly #blocks: Block[] = [];
  readonly #graphs = new Map<string, CapturedGraph>();
  #pending: Float32Array[] = [];
  #last: Float32Array | undefined;

  constructor(tf: TensorFlow, size: number, lanes = 1) {
    this.#tf = tf;
    this.#size = size;
    const parts = Math.min(lanes, size);
    this.#columns = Array.from({ length: parts + 1 }, (_, lane) => Math.floor((lane * size) / parts));
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
    if (this.#blocks.length > 0) {
      const length = norm(vector);
      if (length === 0) return;
      // Scaled, so that no square underflows in float32.
      const row = this.#stack([scaled(vector, 1 / length)]);
      let sums = row.map((part) => this.#tf.zerosLike(part));
      for (const block of this.#blocks) sums = this.#replaced(sums, addComponents, [...row, ...block]);
      this.#tf.dispose(row);
      for (const [lane, sum] of sums.entries())
        addScaled(vector.subarray(this.#columns[lane], this.#columns[lane + 1]), read(sum), -length);
    }
    for (const row of this.#pending) addScaled(vector, row, -dot(row, vector));
  }

  /** `count` linear combinations of the basis: coefficients (count x length, row-major) times basis, in float32, as rows of one array. */
  combine(coefficients: Float32Array, count: number): Float32Array {
    const tf = this.#tf;
    const { length } = this;
    const size = this.#size;
    const result = new Float32Array(count * size);
    const rest = this.#pending.length === 0 ? [] : [this.#stack(this.#pending)];
    for (let start = 0; start < count; start += blockRows) {
      const rows = Math.min(blockRows, count - start);
      const some = tf.tensor2d(coefficients.subarray(start * length, (start + rows) * length), [
        rows,
        length,
      ]);
      let sums = this.#widths().map((width): Tensor2D => tf.zeros([rows, width]));
      for (const [index, block] of [...this.#blocks, ...rest].entries()) {
        const along = tf.slice(some, [0, index * blockRows], [rows, block[0]!.shape[0]]);
        sums = this.#replaced(sums, addCombinations, [along, ...block]);
        along.dispose();
      }
      some.dispose();
      for (const [lane, sum] of sums.entries()) {
        const width = this.#widths()[lane]!;
        const values = read(sum);
        for (let row = 0; row < rows; row++)
          result.set(
            values.subarray(row * width, (row + 1) * width),
            (start + row) * size + this.#columns[lane]!,
          );
      }
    }
    for (const block of rest) tf.dispose(block);
    return result;
  }

  /** The basis becomes these rows. */
  replace(rows: Iterable<Float32Array>): void {
    this.#clear();
    for (const row of rows) this.push(row);
  }

  dispose(): void {
    this.#clear();
    for (const graph of this.#graphs.values()) graph.dispose();
    this.#graphs.clear();
  }

  #clear(): void {
    for (const block of this.#blocks) this.#tf.dispose(block);
    this.#blocks.length = 0;
    this.#pending = [];
    this.#last = undefined;
  }

  #widths(): number[] {
    return this.#columns.slice(1).map((end, lane) => end - this.#columns[lane]!);
  }

  #stack(rows: readonly Float32Array[]): Block {
    return this.#widths().map((width, lane) => {
      const start = this.#columns[lane]!;
      const values = new Float32Array(rows.length * width);
      for (const [index, row] of rows.entries())
        values.set(row.subarray(start, start + width), index * width);
      return this.#tf.tensor2d(values, [rows.length, width]);
    });
  }

  /** `change` of the sums, which are disposed of; as a graph if there are lanes. */
  #replaced(sums: Block, change: Change, others: Tensor2D[]): Block {
    const inputs = [...sums, ...others];
    const lanes = sums.length;
    if (lanes === 1) {
      const results = this.#tf.tidy(() => change(this.#tf, lanes, inputs)) as Block;
      this.#tf.dispose(sums);
      return results;
    }
    const name = `${change.name} ${inputs.map(({ shape }) => shape.join('x'))}`;
    const graph = this.#graphs.get(name) ?? captureRecipe(this.#tf, change, lanes, inputs);
    this.#graphs.set(name, graph);
    const results = graph.run(inputs) as Block;
    this.#tf.dispose(sums);
    return results;
  }
}

/** Takes sums and others, cut into lanes, and gives the new sums. */
type Change = (tf: TensorFlow, lanes: number, inputs: Tensor[]) => Block;

/** sums + row block^T block */
const addComponents: Change = (tf, lanes, inputs) => {
  const [sums, row, block] = [0, 1, 2].map((part) => inputs.slice(part * lanes, (part + 1) * lanes)) as [
    Block,
    Block,
    Block,
  ];
  const components = row
    .map((part, lane): Tensor2D => tf.matMul(part, block[lane]!, false, true))
    .reduce((sum, part) => tf.add(sum, part));
  return sums.map((sum, lane) => tf.add(sum, tf.matMul(components, block[lane]!)));
};

/** sums + coefficients block */
const addCombinations: Change = (tf, lanes, inputs) => {
  const [coefficients, ...block] = inputs.slice(lanes) as [Tensor2D, ...Block];
  return inputs
    .slice(0, lanes)
    .map((sum, lane): Tensor2D => tf.add(sum, tf.matMul(coefficients, block[lane]!)));
};

/** The values of a tensor, which is disposed of. Outside of `tidy`, which walks through every element of an array that it returns. */
function read(tensor: Tensor): Float32Array {
  const values = tensor.dataSync() as Float32Array;
  tensor.dispose();
  return values;
}
