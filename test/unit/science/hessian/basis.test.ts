import { describe, expect, test } from 'vitest';
import { loadTensorFlow } from '../../../../compute/tensorflow.ts';
import { OrthonormalBasis } from '../../../../science/hessian/basis.ts';
import { deviationFromOrthonormality } from '../../../../science/hessian/certify.ts';
import { RandomStream } from '../../../../science/random.ts';

const { tf } = await loadTensorFlow({ threads: 1 });
const size = 3001;
const random = new RandomStream(6, 'basis');
const normals = () => Float64Array.from({ length: size }, () => random.normal());
const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let sum = 0;
  for (let i = 0; i < size; i++) sum += a[i]! * b[i]!;
  return sum;
};

describe.each([1, 3])('a basis that is kept in blocks, of %i lanes', (lanes) => {
  /** Random vectors that lie close to one another, made orthonormal by the basis: more of them than a block holds, and not a multiple. */
  const rows: Float32Array[] = [];
  const basis = new OrthonormalBasis(tf, size, lanes);
  const common = normals();
  for (let i = 0; i < 150; i++) {
    const vector = normals().map((value, k) => value + 20 * common[k]!);
    const length = basis.orthogonalize(vector);
    rows.push(Float32Array.from(vector, (value) => value / length));
    basis.push(rows[i]!);
  }

  test('is orthonormal to 1e-6, measured in double precision', () => {
    let deviation = 0;
    for (const [i, a] of rows.entries())
      for (let j = 0; j <= i; j++)
        deviation = Math.max(deviation, Math.abs(dot(a, rows[j]!) - (i === j ? 1 : 0)));
    expect(deviation).toBeLessThan(1e-6);
    expect(Math.abs(deviationFromOrthonormality(tf, rows, size) - deviation)).toBeLessThan(3e-7);
  });

  test('takes from a vector what Gram-Schmidt in double precision takes from it', () => {
    const vector = normals();
    const expected = vector.slice();
    for (let pass = 0; pass < 2; pass++)
      for (const row of rows) {
        const overlap = dot(row, expected);
        for (let i = 0; i < size; i++) expected[i]! -= overlap * row[i]!;
      }
    const length = basis.orthogonalize(vector);
    expect(Math.abs(length / Math.sqrt(dot(expected, expected)) - 1)).toBeLessThan(1e-7);
    for (let i = 0; i < size; i++) expect(Math.abs(vector[i]! - expected[i]!)).toBeLessThan(3e-6);
    for (const row of rows) expect(Math.abs(dot(row, vector)) / length).toBeLessThan(3e-7);
  });

  test('leaves nothing but rounding of a vector within it', () => {
    const vector = new Float64Array(size);
    for (const row of rows) {
      const coefficient = random.normal();
      for (let i = 0; i < size; i++) vector[i]! += coefficient * row[i]!;
    }
    const before = Math.sqrt(dot(vector, vector));
    expect(basis.orthogonalize(vector)).toBeLessThan(1e-5 * before);
  });

  test('has the linear combinations of its vectors, and keeps no tensor of them', () => {
    const count = 37;
    const coefficients = Float32Array.from({ length: count * rows.length }, () => random.normal() / 12);
    const tensors = tf.memory().numTensors;
    const combined = basis.combine(coefficients, count);
    expect(tf.memory().numTensors).toBe(tensors);
    for (const k of [0, 31, 32, 36]) {
      for (let i = 0; i < size; i += 100) {
        const exact = rows.reduce((sum, row, j) => sum + coefficients[k * rows.length + j]! * row[i]!, 0);
        expect(Math.abs(combined[k * size + i]! - exact)).toBeLessThan(1e-6);
      }
    }
  });

  test('leaves no tensor behind', () => {
    const tensors = tf.memory().numTensors;
    const other = new OrthonormalBasis(tf, size, lanes);
    for (const row of rows) other.push(row);
    other.orthogonalize(normals());
    other.replace(rows.slice(0, 40));
    expect(other.length).toBe(40);
    other.dispose();
    expect(tf.memory().numTensors).toBe(tensors);
  });
});
