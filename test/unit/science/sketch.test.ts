import { describe, expect, test } from 'vitest';
import { RandomStream } from '../../../science/random.ts';
import { createSketch } from '../../../science/sketch.ts';

const size = 300;
const random = new RandomStream(1, 'sketch test');
const normals = (length: number) => Float32Array.from({ length }, () => random.normal());
const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const origin = new Float32Array(size);

/** S itself, k x P: the sketches of the unit vectors. */
function matrixOf(count: number, seed: number): number[][] {
  const units = new Float32Array(size * size);
  for (let i = 0; i < size; i++) units[i * size + i] = 1;
  const columns = createSketch(origin, { count, seed }).project(units);
  return Array.from({ length: size }, (_, i) => [...columns.subarray(i * count, (i + 1) * count)]);
}

describe.each([1, 5, 8, 20, 1000])('a sketch of %i numbers', (count) => {
  test('has columns of norm 1, with at most eight values of one size, all rows and both signs among them', () => {
    const columns = matrixOf(count, 3);
    const nonzeros = Math.min(8, count);
    for (const column of columns) {
      const there = column.filter((value) => value !== 0);
      expect(there).toHaveLength(nonzeros);
      for (const value of there) expect(Math.abs(value)).toBeCloseTo(1 / Math.sqrt(nonzeros), 6);
    }
    const signs = columns.flat().filter((value) => value !== 0);
    const positive = signs.filter((value) => value > 0).length / signs.length;
    expect(Math.abs(positive - 0.5)).toBeLessThan(5 * Math.sqrt(0.25 / signs.length));
    if (count <= 20)
      for (let row = 0; row < count; row++) expect(columns.some((column) => column[row] !== 0)).toBe(true);
  });

  test('keeps inner products in the mean, within the standard deviation sqrt(2/k) |x| |y|', () => {
    const seeds = 400;
    for (const [x, y] of [
      [normals(size), normals(size)],
      [origin.map((_, i) => (i === 7 ? 3 : 0)), normals(size)],
    ] as const) {
      const both = new Float32Array([...x, ...y]);
      const scale = Math.sqrt(dot(x, x) * dot(y, y));
      const errors = Array.from({ length: seeds }, (_, seed) => {
        const sketches = createSketch(origin, { count, seed }).project(both);
        return (dot(sketches.slice(0, count), sketches.slice(count)) - dot(x, y)) / scale;
      });
      const mean = errors.reduce((sum, error) => sum + error, 0) / seeds;
      const variance = errors.reduce((sum, error) => sum + error ** 2, 0) / seeds;
      const bound = 2 / count;
      expect(Math.abs(mean)).toBeLessThan(5 * Math.sqrt(bound / seeds));
      // The scatter of a variance over 400 seeds, about 7 % of it.
      expect(variance).toBeLessThan(1.4 * bound);
    }
  });
});

test('is of the deviations from the reference, row by row, and follows from the seed', () => {
  const reference = normals(size);
  const rows = normals(3 * size);
  const options = { count: 12, seed: 5 };
  const sketch = createSketch(reference, options);
  const all = sketch.project(rows);
  for (let row = 0; row < 3; row++)
    expect(sketch.project(rows.subarray(row * size, (row + 1) * size))).toEqual(
      all.subarray(row * 12, (row + 1) * 12),
    );
  expect(createSketch(reference, options).project(rows)).toEqual(all);
  expect(createSketch(reference, { ...options, seed: 6 }).project(rows)).not.toEqual(all);
  const columns = matrixOf(12, 5);
  for (let k = 0; k < 12; k++) {
    const expected = columns.reduce((sum, column, i) => sum + column[k]! * (rows[i]! - reference[i]!), 0);
    expect(all[k]).toBeCloseTo(expected, 4);
  }
  expect(sketch.project(reference)).toEqual(new Float32Array(12));
});

test('keeps differences far below the rounding of its sums', () => {
  const weights = new Float32Array(size).fill(1);
  const reference = weights.slice();
  weights[7] = 1 + 2 ** -23;
  const [value, ...others] = createSketch(reference, { count: 1, seed: 0 }).project(weights);
  expect(Math.abs(value!)).toBe(2 ** -23);
  expect(others).toEqual([]);
});

test('refuses lengths that do not fit', () => {
  expect(() => createSketch(origin, { count: 3, seed: 0 }).project(normals(size + 1))).toThrow(
    /300 weights, got 301/,
  );
  expect(() => createSketch(origin, { count: 0, seed: 0 })).toThrow(RangeError);
});
