import type { Projection } from './projection.ts';
import { RandomStream } from './random.ts';

/** Nonzero values in each column of S, if it has as many rows. */
const perColumn = 8;

export interface SketchOptions {
  /** k, rows of S. */
  readonly count: number;
  readonly seed: number;
}

/**
 * S (theta - reference) for each weight vector theta, with a random matrix S of k rows of which E[S^T S] is the identity: inner products of sketches are, in
 * expectation, those of the vectors x and y that they are of, with a standard deviation of at most sqrt(2/k) |x| |y| (Johnson and Lindenstrauss).
 *
 * S is sparse: each column has s = min(8, k) values of +-1/sqrt(s), one in each of s groups of rows, with independent signs and places ("OSNAP", Nelson and Nguyen,
 * FOCS 2013). So a vector takes s P additions in place of k P, and S follows from the seed alone in s P integers of memory. Sums are in double precision.
 */
export function createSketch(reference: Float32Array, { count, seed }: SketchOptions): Projection {
  if (!(Number.isSafeInteger(count) && count >= 1))
    throw new RangeError(`A sketch has at least one row, got ${count}.`);
  const size = reference.length;
  const nonzeros = Math.min(perColumn, count);
  const places = randomPlaces(size, count, nonzeros, seed);
  const scale = 1 / Math.sqrt(nonzeros);
  return {
    project(weights) {
      if (weights.length % size !== 0)
        throw new RangeError(`Expected rows of ${size} weights, got ${weights.length} values.`);
      const rows = weights.length / size;
      const sketches = new Float32Array(rows * count);
      // Twice as many sums as rows of S: those of the positive and those of the negative signs.
      const sums = new Float64Array(2 * count);
      for (let row = 0; row < rows; row++) {
        sums.fill(0);
        for (let i = 0, place = 0; i < size; i++) {
          const difference = weights[row * size + i]! - reference[i]!;
          for (let n = 0; n < nonzeros; n++) sums[places[place++]!]! += difference;
        }
        for (let k = 0; k < count; k++) sketches[row * count + k] = scale * (sums[2 * k]! - sums[2 * k + 1]!);
      }
      return sketches;
    },
    dispose: () => undefined,
  };
}

/** Of each column, the rows of its nonzero values: twice the row, and one more for a negative sign. */
function randomPlaces(size: number, count: number, nonzeros: number, seed: number): Int32Array {
  const random = new RandomStream(seed, 'sketch');
  const bounds = Array.from({ length: nonzeros + 1 }, (_, n) => 2 * Math.floor((n * count) / nonzeros));
  const places = new Int32Array(size * nonzeros);
  for (let i = 0; i < places.length; i++) {
    const n = i % nonzeros;
    places[i] = bounds[n]! + random.below(bounds[n + 1]! - bounds[n]!);
  }
  return places;
}
