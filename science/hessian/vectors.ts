/** Inner product, summed in double precision. */
export function dot(a: Float32Array | Float64Array, b: Float64Array): number {
  let even = 0;
  let odd = 0;
  const last = b.length - 1;
  for (let i = 0; i < last; i += 2) {
    even += a[i]! * b[i]!;
    odd += a[i + 1]! * b[i + 1]!;
  }
  return even + odd + (b.length % 2 === 1 ? a[last]! * b[last]! : 0);
}

/** vector += coefficient * row, in place. */
export function addScaled(vector: Float64Array, row: Float32Array | Float64Array, coefficient: number): void {
  for (let i = 0; i < vector.length; i++) vector[i]! += coefficient * row[i]!;
}

export function norm(vector: Float32Array | Float64Array): number {
  let squares = 0;
  for (let i = 0; i < vector.length; i++) squares += vector[i]! * vector[i]!;
  return Math.sqrt(squares);
}

/** Scales `vector` to unit length in place (a zero vector stays) and returns the length it had. */
export function normalize(vector: Float32Array | Float64Array): number {
  const length = norm(vector);
  if (length > 0) for (let i = 0; i < vector.length; i++) vector[i]! /= length;
  return length;
}

/** factor * vector, rounded to float32. */
export function scaled(vector: Float64Array, factor: number): Float32Array {
  const result = new Float32Array(vector.length);
  for (let i = 0; i < vector.length; i++) result[i] = factor * vector[i]!;
  return result;
}

/** `vector` rounded to float32. */
export function rounded(vector: Float64Array): Float32Array {
  return Float32Array.from(vector);
}
