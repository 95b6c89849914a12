/** Inner products of each row (float32) with `vector`, summed in double precision. */
export function dotRows(rows: readonly Float32Array[], vector: Float64Array): number[] {
  return rows.map((row) => {
    let even = 0;
    let odd = 0;
    const last = vector.length - 1;
    for (let i = 0; i < last; i += 2) {
      even += row[i]! * vector[i]!;
      odd += row[i + 1]! * vector[i + 1]!;
    }
    return even + odd + (vector.length % 2 === 1 ? row[last]! * vector[last]! : 0);
  });
}

/** vector += sign * (sum over rows of coefficient * row), in place. */
export function addScaled(
  vector: Float64Array,
  rows: readonly Float32Array[],
  coefficients: readonly number[],
  sign: 1 | -1,
): void {
  for (const [index, row] of rows.entries()) {
    const coefficient = sign * coefficients[index]!;
    for (let i = 0; i < vector.length; i++) vector[i]! += coefficient * row[i]!;
  }
}

/** Scales `vector` to unit length in place (a zero vector stays) and returns the length it had. */
export function normalize(vector: Float64Array): number {
  let squares = 0;
  for (let i = 0; i < vector.length; i++) squares += vector[i]! * vector[i]!;
  const length = Math.sqrt(squares);
  if (length > 0) for (let i = 0; i < vector.length; i++) vector[i]! /= length;
  return length;
}

/** `vector` rounded to float32. */
export function rounded(vector: Float64Array): Float32Array {
  return Float32Array.from(vector);
}
