import { EigenvalueDecomposition, Matrix, SingularValueDecomposition } from 'ml-matrix';
import { describe, expect, test } from 'vitest';
import { loadTensorFlow } from '../../../../compute/tensorflow.ts';
import { detrend } from '../../../../science/analysis/detrend.ts';
import { lanczos } from '../../../../science/hessian/lanczos.ts';
import { createCovariance } from '../../../../science/pca/covariance.ts';
import { curvatureAlong } from '../../../../science/pca/curvature.ts';
import { randomWalkComponents, shareExplained } from '../../../../science/pca/random-walk.ts';
import { RandomStream } from '../../../../science/random.ts';
import type { Drift } from '../../../../science/theory/window.ts';

/** Weights theta_k = offset + drift + fluctuations with variances that fall from weight to weight. */
function trajectory(steps: number, size: number): Float32Array {
  const random = new RandomStream(3, 'pca-test');
  const offset = Float64Array.from({ length: size }, () => random.normal());
  const slope = Float64Array.from({ length: size }, () => random.normal() / steps);
  const mixing = Float64Array.from({ length: size * size }, () => random.normal() / Math.sqrt(size));
  const values = new Float32Array(steps * size);
  for (let k = 0; k < steps; k++) {
    const inner = Float64Array.from({ length: size }, (_, i) => (random.normal() * 0.1) / (1 + i));
    for (let i = 0; i < size; i++) {
      let sum = offset[i]! + slope[i]! * k;
      for (let j = 0; j < size; j++) sum += mixing[i * size + j]! * inner[j]!;
      values[k * size + i] = sum;
    }
  }
  return values;
}

/** The same rows in batches of uneven length, as they lie in the parts of a trajectory. */
function rowsOf(weights: Float32Array, size: number) {
  return {
    steps: weights.length / size,
    size,
    async *batches() {
      for (let row = 0, length = 1; row * size < weights.length; row += length, length = (length % 7) + 1)
        yield { weights: weights.subarray(row * size, (row + length) * size) };
    },
  };
}

/** Each column less its drift, in double precision. */
function detrendColumns(matrix: Matrix, drift: Drift): Matrix {
  const result = matrix.clone();
  for (let i = 0; i < matrix.columns; i++)
    result.setColumn(i, [...detrend(Float64Array.from(matrix.getColumn(i)), drift).residual]);
  return result;
}

const { tf } = await loadTensorFlow({ threads: 1 });
const [steps, size] = [200, 31];
const weights = trajectory(steps, size);

describe.each(['linear', 'mean'] as const)('drift %s', (drift) => {
  const covariance = createCovariance(rowsOf(weights, size), drift);
  const dense = detrendColumns(Matrix.from1DArray(steps, size, weights), drift);
  const singular = new SingularValueDecomposition(dense, { autoTranspose: true });
  const variances = singular.diagonal.map((value) => value ** 2 / steps);

  test('a product equals that of the dense covariance', async () => {
    const vector = Float32Array.from({ length: size }, (_, i) => Math.sin(i + 1));
    const expected = dense
      .transpose()
      .mmul(dense.mmul(Matrix.columnVector(vector)))
      .div(steps);
    const product = await covariance.product(vector);
    for (let i = 0; i < size; i++) expect(product[i]).toBeCloseTo(expected.get(i, 0), 12);
  });

  test('principal components equal the singular vectors of the detrended weights', async () => {
    const pairs = await lanczos({ tf, ...covariance, top: 8, tolerance: 1e-7, maxProducts: size, seed: 0 });
    for (let c = 0; c < 8; c++) {
      // The stored vectors are float32, so errors are relative to the largest variance.
      expect(Math.abs(pairs.eigenvalues[c]! - variances[c]!) / variances[0]!).toBeLessThan(1e-6);
      let overlap = 0;
      for (let i = 0; i < size; i++)
        overlap += pairs.vectors[c * size + i]! * singular.rightSingularVectors.get(i, c);
      expect(Math.abs(overlap)).toBeCloseTo(1, 5);
    }
    const first = pairs.vectors.subarray(0, size);
    const [series] = await covariance.series([first]);
    const meanSquare = series!.reduce((sum, value) => sum + value ** 2, 0) / steps;
    expect(meanSquare / variances[0]!).toBeCloseTo(1, 6);
  });

  test('the total variance is the sum over all components', async () => {
    const sum = variances.reduce((a, b) => a + b, 0);
    expect((await covariance.total()) / sum).toBeCloseTo(1, 10);
  });

  test('a random walk of many dimensions has the components of the closed form', async () => {
    const [T, P] = [120, 4000];
    const random = new RandomStream(5, 'random-walk');
    const walk = new Float32Array(T * P);
    for (let i = 0; i < P; i++) {
      let value = 0;
      for (let k = 0; k < T; k++) {
        value += random.normal();
        walk[k * P + i] = value;
      }
    }
    const walkCovariance = createCovariance(rowsOf(walk, P), drift);
    const pairs = await lanczos({ tf, ...walkCovariance, top: 6, tolerance: 1e-5, maxProducts: T, seed: 0 });
    const total = await walkCovariance.total();
    const closed = randomWalkComponents(6, T, drift);
    for (const [c, { share, course }] of closed.entries()) {
      // 4,000 dimensions stand for infinitely many: the share scatters by a few per cent.
      expect(Math.abs(pairs.eigenvalues[c]! / total / share - 1)).toBeLessThan(0.06);
      const [series] = await walkCovariance.series([pairs.vectors.subarray(c * P, (c + 1) * P)]);
      expect(shareExplained(series!, course)).toBeGreaterThan(0.97);
    }
  });

  test('the closed form is the spectrum of the covariance min(s, t) with the drift projected out', () => {
    const T = 300;
    const kernel = Matrix.zeros(T, T);
    for (let s = 0; s < T; s++) for (let t = 0; t < T; t++) kernel.set(s, t, Math.min(s, t) + 1);
    // Columns, then rows, lose their drift.
    const projected = detrendColumns(detrendColumns(kernel, drift).transpose(), drift);
    const { realEigenvalues } = new EigenvalueDecomposition(projected, { assumeSymmetric: true });
    const descending = [...realEigenvalues].sort((a, b) => b - a);
    const closed = randomWalkComponents(T, T, drift);
    for (let c = 0; c < 12; c++)
      expect(descending[c]! / projected.trace() / closed[c]!.share).toBeCloseTo(1, 2);
    const shares = randomWalkComponents(20_000, 3, drift).reduce((sum, { share }) => sum + share, 0);
    expect(shares).toBeCloseTo(1, 3);
  });
});

test('the shares fall like 1 / k^2', () => {
  const shares = randomWalkComponents(50, 100, 'mean').map(({ share }) => share);
  for (const [index, share] of shares.entries())
    expect(share * (index + 1) ** 2).toBeCloseTo(6 / Math.PI ** 2, 12);
});

test('curvature along an eigenvector has no residual, along a mixture that of its spread', () => {
  const image = (vector: Float32Array) => Float64Array.from(vector, (value, i) => value * [4, 1][i]!);
  const along = (vector: Float32Array) => curvatureAlong(vector, image(vector));
  expect(along(Float32Array.of(1, 0))).toEqual({ value: 4, residual: 0 });
  const mixed = along(Float32Array.of(Math.SQRT1_2, Math.SQRT1_2));
  expect(mixed.value).toBeCloseTo(2.5, 6);
  expect(mixed.residual).toBeCloseTo(1.5, 6);
});

test('wrong shapes are refused', async () => {
  const rows = rowsOf(weights, size);
  expect(() => createCovariance({ ...rows, steps: 2 }, 'mean')).toThrow('at least 3 recorded steps, got 2');
  await expect(createCovariance({ ...rows, steps: 7 }, 'mean').total()).rejects.toThrow('has 200 rows; 7');
});
