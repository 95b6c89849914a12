import { describe, expect, test } from 'vitest';
import { loadTensorFlow } from '../../../compute/tensorflow.ts';
import { type Basis, createProjection, projectRows } from '../../../science/projection.ts';
import { RandomStream } from '../../../science/random.ts';

const { tf } = await loadTensorFlow({ threads: 1 });
const random = new RandomStream(1, 'projection');
const [rows, count, size] = [5, 3, 1001];
const floats = (length: number, scale = 1) => Float32Array.from({ length }, () => scale * random.normal());

function projectNatively(weights: Float32Array, reference: Float32Array, basis: Basis): Float32Array {
  const projection = createProjection(tf, reference, basis);
  try {
    return projection.project(weights);
  } finally {
    projection.dispose();
  }
}

describe.each([
  ['in the native library', projectNatively],
  ['in loops', projectRows],
])('the projection %s', (_, project) => {
  test('is the product of the deviations from the reference with each basis vector', () => {
    const reference = floats(size);
    const vectors = floats(count * size);
    const weights = floats(rows * size, 1e-4).map((value, i) => value + reference[i % size]!);
    const projected = project(weights, reference, { vectors, count, size });
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
    expect(project(weights, reference, { vectors, count: 1, size })[0]).toBe(2 ** -23);
  });

  test('keeps a sum that cancels to a billionth of its terms', () => {
    const reference = new Float32Array(size);
    const vectors = new Float32Array(size).fill(1);
    const weights = Float32Array.from({ length: size }, (_, i) =>
      i === 500 ? 2 ** -30 : i % 2 === 0 ? 1 : -1,
    );
    // The odd one in the middle replaces a +1, so that the ones add up to 0.
    expect(project(weights, reference, { vectors, count: 1, size })[0]).toBe(2 ** -30);
  });

  test('of the reference is zero, and of no rows empty', () => {
    const reference = floats(size);
    const basis = { vectors: floats(size), count: 1, size };
    expect(project(reference, reference, basis)).toEqual(new Float32Array(1));
    expect(project(new Float32Array(0), reference, basis)).toEqual(new Float32Array(0));
  });

  test('refuses lengths that do not fit', () => {
    const basis = { vectors: floats(count * size), count, size };
    expect(() => project(floats(size), floats(size - 1), basis)).toThrow(/1001 weights, got/);
    expect(() => project(floats(size + 1), floats(size), basis)).toThrow(RangeError);
  });
});

test('of more vectors than go into one product is that of each of them', () => {
  const basis = { vectors: floats(600 * 40), count: 600, size: 40 };
  const [weights, reference] = [floats(7 * 40), floats(40)];
  const expected = projectRows(weights, reference, basis);
  const projected = projectNatively(weights, reference, basis);
  for (const [i, value] of projected.entries()) expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-6);
});

test('at the size of LeNet errs by less than 1e-6 of the root mean square of the projections', () => {
  const basis = { vectors: floats(4 * 136_886, 136_886 ** -0.5), count: 4, size: 136_886 };
  const reference = floats(basis.size, 0.05);
  const weights = floats(8 * basis.size, 1e-4).map((value, i) => value + reference[i % basis.size]!);
  const projected = projectNatively(weights, reference, basis);
  const expected = projectRows(weights, reference, basis);
  const rms = Math.hypot(...expected) / Math.sqrt(expected.length);
  const error = Math.max(...projected.map((value, i) => Math.abs(value - expected[i]!)));
  expect(error / rms).toBeLessThan(1e-6);
  expect(rms).toBeGreaterThan(1e-5);
});

test('leaves no tensor behind', () => {
  const before = tf.memory().numTensors;
  projectNatively(floats(3 * size), floats(size), { vectors: floats(size), count: 1, size });
  expect(tf.memory().numTensors).toBe(before);
});

test('of some rows at a time is that of all of them, but for the rounding to float32', () => {
  const [many, wide, vectors] = [230, 5000, 40];
  const basis = { vectors: floats(vectors * wide, wide ** -0.5), count: vectors, size: wide };
  const reference = floats(wide, 0.05);
  const weights = floats(many * wide, 1e-4).map((value, i) => value + reference[i % wide]!);
  const whole = projectNatively(weights, reference, basis);
  const projection = createProjection(tf, reference, basis);
  for (const together of [1, 10, 77, 200]) {
    for (let row = 0; row < many; row += together) {
      const part = projection.project(weights.subarray(row * wide, (row + together) * wide));
      for (const [i, value] of part.entries()) {
        const expected = whole[row * vectors + i]!;
        expect(Math.abs(value - expected)).toBeLessThanOrEqual(2 ** -23 * Math.abs(expected));
      }
    }
  }
  projection.dispose();
});
