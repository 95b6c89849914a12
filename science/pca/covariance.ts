import { detrend } from '../analysis/detrend.ts';
import type { Drift } from '../theory/window.ts';

/** Consecutive weight vectors of a trajectory. */
export interface TrajectoryBatch {
  /** rows x P, row-major. */
  readonly weights: Float32Array;
}

export interface TrajectoryRows {
  /** T, number of recorded steps. */
  readonly steps: number;
  /** P */
  readonly size: number;
  /** Passes over all T rows in order. */
  batches(): AsyncIterable<TrajectoryBatch>;
}

/**
 * The covariance of recorded weights, Sigma = (1/T) sum_k x_k x_k^T with x_k the weights less their drift (slides, equation (4)), known by its
 * products with vectors: P x P entries are never formed, and the trajectory is only read from start to end.
 *
 * The drift of all weights is a projection along the time axis, so it is taken from the T inner products theta_k . v instead of from T x P
 * weights. Every product of two float32 numbers is exact in double precision, in which all sums are taken.
 */
export interface Covariance {
  readonly size: number;
  /** Sigma v: one pass for the series theta_k . v, one for its product with the weights. */
  product(vector: Float32Array): Promise<Float64Array>;
  /** The series x_k . v_i of several vectors, vectors x T, one pass. */
  series(vectors: readonly Float32Array[]): Promise<Float64Array[]>;
  /** tr Sigma, the variance in all directions together. */
  total(): Promise<number>;
}

/** Throws RangeError for fewer than three steps, or if the batches are not `steps` rows of `size` weights. */
export function createCovariance(rows: TrajectoryRows, drift: Drift): Covariance {
  const { steps, size } = rows;
  if (steps < 3) throw new RangeError(`A covariance needs at least 3 recorded steps, got ${steps}.`);

  async function* eachRow(): AsyncGenerator<{ row: number; weights: Float32Array }> {
    let row = 0;
    for await (const { weights } of rows.batches()) {
      if (weights.length % size !== 0)
        throw new RangeError(`A batch has ${weights.length} values, not rows of ${size}.`);
      for (let start = 0; start < weights.length; start += size)
        yield { row: row++, weights: weights.subarray(start, start + size) };
    }
    if (row !== steps) throw new RangeError(`The trajectory has ${row} rows; ${steps} were expected.`);
  }

  async function series(vectors: readonly Float32Array[]): Promise<Float64Array[]> {
    const result = vectors.map(() => new Float64Array(steps));
    for await (const { row, weights } of eachRow()) {
      for (const [i, vector] of vectors.entries()) result[i]![row] = dot(weights, vector);
    }
    for (const values of result) detrend(values, drift);
    return result;
  }

  return {
    size,
    series,
    async product(vector) {
      const [values] = await series([vector]);
      // The values sum to zero, so the constant part of the weights cancels.
      const sum = new Float64Array(size);
      for await (const { row, weights } of eachRow()) addScaled(sum, weights, values![row]! / steps);
      return sum;
    },
    async total() {
      // Deviations from the first row; what the constant and the line take of them is taken off, weight by weight.
      let first: Float32Array | undefined;
      const sums = [new Float64Array(size), new Float64Array(size)] as const;
      let squares = 0;
      const centre = (steps - 1) / 2;
      for await (const { row, weights } of eachRow()) {
        first ??= weights.slice();
        for (let i = 0; i < size; i++) {
          const deviation = weights[i]! - first[i]!;
          squares += deviation * deviation;
          sums[0][i]! += deviation;
          sums[1][i]! += (row - centre) * deviation;
        }
      }
      const lineNorm = (steps * (steps ** 2 - 1)) / 12;
      let removed = 0;
      for (let i = 0; i < size; i++) {
        removed += sums[0][i]! ** 2 / steps;
        if (drift === 'linear') removed += sums[1][i]! ** 2 / lineNorm;
      }
      return (squares - removed) / steps;
    },
  };
}

function dot(a: Float32Array, b: Float32Array): number {
  let even = 0;
  let odd = 0;
  const last = a.length - 1;
  for (let i = 0; i < last; i += 2) {
    even += a[i]! * b[i]!;
    odd += a[i + 1]! * b[i + 1]!;
  }
  return even + odd + (a.length % 2 === 1 ? a[last]! * b[last]! : 0);
}

function addScaled(sum: Float64Array, row: Float32Array, factor: number): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += factor * row[i]!;
}
