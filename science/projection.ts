/** k vectors of length P. */
export interface Basis {
  /** k x P, row-major. */
  readonly vectors: Float32Array;
  /** k */
  readonly count: number;
  /** P */
  readonly size: number;
}

/**
 * (theta - reference) . p_i for each weight vector theta, rows x k, row-major.
 *
 * The differences are exact or nearly so (the weights hardly move while they are recorded) and every sum is in double precision, so only the
 * final rounding to float32 is lost. Projecting the weights themselves in float32 would lose the fluctuations in flat directions.
 *
 * @param weights rows x P, row-major.
 * @param reference Length P.
 */
export function projectRows(
  weights: Float32Array,
  reference: Float32Array,
  { vectors, count, size }: Basis,
): Float32Array {
  if (reference.length !== size || weights.length % size !== 0) {
    throw new RangeError(
      `Expected rows and a reference of ${size} weights, got ${weights.length} and ${reference.length} values.`,
    );
  }
  const rows = weights.length / size;
  const projected = new Float32Array(rows * count);
  const difference = new Float64Array(size);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < size; i++) difference[i] = weights[row * size + i]! - reference[i]!;
    for (let k = 0; k < count; k++) {
      const start = k * size;
      let even = 0;
      let odd = 0;
      for (let i = 0; i < size - 1; i += 2) {
        even += difference[i]! * vectors[start + i]!;
        odd += difference[i + 1]! * vectors[start + i + 1]!;
      }
      if (size % 2 === 1) even += difference[size - 1]! * vectors[start + size - 1]!;
      projected[row * count + k] = even + odd;
    }
  }
  return projected;
}
