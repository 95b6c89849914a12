import { expect, test } from 'vitest';
import { projectRows } from '../../../science/projection.ts';
import { RandomStream } from '../../../science/random.ts';

const random = new RandomStream(1, 'projection');
const [rows, count, size] = [5, 3, 1001];
const floats = (length: number, scale = 1) => Float32Array.from({ length }, () => scale * random.normal());

test('is the product of the deviations from the reference with each basis vector', () => {
  const reference = floats(size);
  const vectors = floats(count * size);
  const weights = floats(rows * size, 1e-4).map((value, i) => value + reference[i % size]!);
  const projected = projectRows(weights, reference, { vectors, count, size });
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < count; k++) {
      let expected = 0;
      for (let i = 0; i < size; i++) {
        expected += (weights[row * size + i]! - reference[i]!) * vectors[k * size + i]!;
      }
      expect(Math.abs(projected[row * count + k]! - expected)).toBeLessThan(
        1e-7 * Math.abs(expected) + 1e-12,
      );
    }
  }
});

test('keeps fluctuations far below the rounding of the projection itself', () => {
  const reference = new Float32Array(size).fill(1);
  const vectors = new Float32Array(size).fill(1);
  // The smallest step of float32 at 1, in a single weight: 1.2e-7 beside a projection of 1001.
  const weights = reference.slice();
  weights[7] = 1 + 2 ** -23;
  expect(projectRows(weights, reference, { vectors, count: 1, size })[0]).toBe(2 ** -23);
});

test('of the reference is zero', () => {
  const reference = floats(size);
  expect(projectRows(reference, reference, { vectors: floats(size), count: 1, size })).toEqual(
    new Float32Array(1),
  );
});

test('refuses lengths that do not fit', () => {
  const basis = { vectors: floats(count * size), count, size };
  expect(() => projectRows(floats(size), floats(size - 1), basis)).toThrow(/1001 weights, got/);
  expect(() => projectRows(floats(size + 1), floats(size), basis)).toThrow(RangeError);
});
