import { describe, expect, test } from 'vitest';
import { createModel } from '../../../../science/models/index.ts';
import { blockOf, layerNoise, layersOf, noiseExponent } from '../../../../science/noise/layers.ts';
import { RandomStream } from '../../../../science/random.ts';
import { matrixWith } from '../oracle/dense-matrix.ts';

const k = 24;
const examples = 20_000;
/** Variances of Gaussian inputs, and so the eigenvalues of the Hessian of least squares: four decades. */
const eigenvalues = Float64Array.from({ length: k }, (_, i) => 10 ** (1 - (4 * i) / (k - 1)));

/** Gradients along the eigenvectors of linear regression y = w . x, (w . x - y) x, for residuals of these weights' displacement and of noise. */
function gradients(displacement: ArrayLike<number>, sigma: number): Float64Array {
  const random = new RandomStream(6, 'regression');
  const values = new Float64Array(examples * k);
  for (let n = 0; n < examples; n++) {
    const x = Array.from(eigenvalues, (lambda) => Math.sqrt(lambda) * random.normal());
    const residual = x.reduce((sum, value, i) => sum + value * displacement[i]!, sigma * random.normal());
    for (const [i, value] of x.entries()) values[n * k + i] = residual * value;
  }
  return values;
}

describe('linear regression with Gaussian inputs', () => {
  test('has C = sigma^2 H at the minimum, and the exponent 1', () => {
    const factor = 1 / 8;
    const noise = layerNoise(gradients(new Float64Array(k), 0.5), eigenvalues, factor);
    for (const [i, value] of noise.variance.entries()) {
      const error = noise.standardError[i]!;
      // The square of a product of two normal numbers has the variance 8.
      expect(error / (0.25 * factor * eigenvalues[i]! * Math.sqrt(8 / examples))).toBeCloseTo(1, 0);
      expect(Math.abs(value - 0.25 * factor * eigenvalues[i]!)).toBeLessThan(4 * error);
    }
    const fit = noiseExponent(eigenvalues, noise, 0);
    expect(fit.directions).toBe(k);
    expect(fit.standardError).toBeLessThan(0.01);
    expect(Math.abs(fit.exponent - 1)).toBeLessThan(3 * fit.standardError);
    expect(fit.variance / (0.25 * factor * fit.eigenvalue)).toBeCloseTo(1, 1);
    expect(noise.alignment.cosine).toBeCloseTo(1, 2);
    expect(noise.alignment.commutator).toBeLessThan(0.03);
  });

  test('has C = (D^T H D) H + H D D^T H away from it, of which the second part is steeper', () => {
    // D has the same share of the loss along each eigenvector, so that the second part is as large as the first along the steep ones.
    const displacement = eigenvalues.map((lambda) => (lambda > 1 ? 1 / lambda ** 0.5 : 0));
    const noise = layerNoise(gradients(displacement, 0), eigenvalues, 1);
    const loss = eigenvalues.reduce((sum, lambda, i) => sum + lambda * displacement[i]! ** 2, 0);
    for (const [i, value] of noise.variance.entries()) {
      const lambda = eigenvalues[i]!;
      const expected = loss * lambda + lambda ** 2 * displacement[i]! ** 2;
      expect(Math.abs(value - expected)).toBeLessThan(5 * noise.standardError[i]!);
    }
  });
});

test.each([1, 1.5, 2])('C = 3 H^%f has this exponent, whatever the errors of the directions are', (gamma) => {
  const random = new RandomStream(2, 'errors');
  const variance = eigenvalues.map((lambda) => 3 * lambda ** gamma);
  const standardError = variance.map((value) => value * (0.01 + 0.2 * random.uniform()));
  const fit = noiseExponent(eigenvalues, { variance, standardError }, 0);
  expect(fit.exponent).toBeCloseTo(gamma, 9);
  expect(fit.variance / (3 * fit.eigenvalue ** gamma)).toBeCloseTo(1, 9);
});

test('eigenvalues that are not resolved, and too few directions, give no exponent', () => {
  const values = [4, 2, 1, 1e-5, -1];
  const noise = { variance: Float64Array.of(8, 4, 2, 7, 7), standardError: Float64Array.of(1, 1, 1, 1, 1) };
  expect(noiseExponent(values, noise, 1e-3)).toMatchObject({ directions: 3 });
  expect(noiseExponent(values, noise, 1e-3).exponent).toBeCloseTo(1, 12);
  expect(noiseExponent(values, noise, 1.5).exponent).toBeNaN();
});

test('layers are the tensors that share a name, in order and without gaps', () => {
  for (const name of ['mlp', 'lenet', 'transformer'] as const) {
    const model = createModel({ name, initialization: 'glorot-normal' }, [8, 8, 1], 3);
    const layers = layersOf(model.layout);
    expect(layers[0]!.first).toBe(0);
    for (const [i, { first, size }] of layers.entries())
      expect(first + size).toBe(layers[i + 1]?.first ?? model.size);
    expect(new Set(layers.map((layer) => layer.name)).size).toBe(layers.length);
  }
  const mlp = createModel({ name: 'mlp', hidden: [5], initialization: 'glorot-normal' }, [2, 2, 1], 3);
  expect(layersOf(mlp.layout)).toEqual([
    { name: 'dense1', first: 0, size: 25 },
    { name: 'dense2', first: 25, size: 18 },
  ]);
});

test('the block of a matrix is that of its rows and columns', async () => {
  const { matrix, product, size } = matrixWith([5, 3, 2, 1, -1, 4]);
  const block = blockOf(product, size, { name: 'part', first: 2, size: 3 });
  const image = await block(Float32Array.of(1, 2, -1));
  const part = matrix.subMatrix(2, 4, 2, 4);
  for (const [row, value] of image.entries())
    expect(value).toBeCloseTo(part.get(row, 0) + 2 * part.get(row, 1) - part.get(row, 2), 12);
});
