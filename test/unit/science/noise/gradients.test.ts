import { describe, expect, it } from 'vitest';
import { loadTensorFlow } from '../../../../compute/tensorflow.ts';
import { standardize } from '../../../../science/examples.ts';
import { kernelMask } from '../../../../science/loss.ts';
import { alignment, centre, exampleCovariance } from '../../../../science/noise/covariance.ts';
import { createGradients, subtractMean } from '../../../../science/noise/gradients.ts';
import { movingNoise } from '../../../../science/noise/moving.ts';
import { createRowProducts, rowProducts } from '../../../../science/noise/row-products.ts';
import { RandomStream } from '../../../../science/random.ts';
import { epochBatches } from '../../../../science/sampling.ts';
import { zoo } from '../models/zoo.ts';
import { lossAndGradient } from '../oracle/double-network.ts';

const { tf } = await loadTensorFlow({ threads: 1 });

describe.each(zoo(23))('gradients of $name', ({ model, network, data, weights }) => {
  const inputs = standardize(data, 'scale');
  /** In double precision, of the examples given. */
  const exact = (batch: readonly number[]) =>
    lossAndGradient(
      network,
      Float64Array.from(weights),
      {
        inputs: batch.flatMap((example) => [...inputs.subarray(example * 60, example * 60 + 60)]),
        labels: batch.map((example) => data.labels[example]!),
      },
      0,
    ).gradient;
  const furthest = (got: ArrayLike<number>, expected: ArrayLike<number>) =>
    Math.max(...Array.from(got, (value, i) => Math.abs(value - expected[i]!)));
  const size = model.size;

  it('of batches and over all examples equal those in double precision', async () => {
    const before = tf.memory().numTensors;
    const gradients = createGradients({ tf, model, data, standardize: 'scale', loss: 'cross-entropy' });
    const order = new RandomStream(1, 'test').permutation(23).subarray(0, 22);
    const rows = [...gradients.batches(weights, order, 2)].flatMap((values) => [...values]);
    expect(rows).toHaveLength(11 * size);
    for (let batch = 0; batch < 11; batch++) {
      const expected = exact([order[2 * batch]!, order[2 * batch + 1]!]);
      expect(furthest(rows.slice(batch * size, (batch + 1) * size), expected)).toBeLessThan(2e-6);
    }
    const all = Array.from({ length: 23 }, (_, n) => n);
    const full = await gradients.full(weights);
    expect(furthest(full, exact(all))).toBeLessThan(1e-6);
    // The noise of all examples, one a batch, sums to zero.
    const noise = [...gradients.batches(weights, Int32Array.from(all), 1)].flatMap((values) => [
      ...subtractMean(values, full),
    ]);
    const sum = new Float64Array(size);
    for (const [n, value] of noise.entries()) sum[n % size]! += value;
    expect(Math.max(...sum.map(Math.abs))).toBeLessThan(2e-5);
    gradients.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe.each(zoo(23).slice(1, 3))('SGD of $name with its noise', ({ model, network, data, weights }) => {
  it('follows equation (1), and takes both gradients at the weights before each step', async () => {
    const inputs = standardize(data, 'scale');
    const gradient = (theta: Float64Array<ArrayBuffer>, batch: readonly number[], l2: number) =>
      lossAndGradient(
        network,
        theta,
        {
          inputs: batch.flatMap((example) => [...inputs.subarray(example * 60, example * 60 + 60)]),
          labels: batch.map((example) => data.labels[example]!),
        },
        l2,
      ).gradient;
    const options = { batchSize: 4, batchesPerEpoch: 5, learningRate: 0.2, momentum: 0.5, l2: 1e-2 };
    const gradients = createGradients({ tf, model, data, standardize: 'scale', loss: 'cross-entropy' });
    const order = epochBatches('without-replacement', { examples: 23, batchSize: 4, seed: 2 }, 0);
    const start = { weights, velocity: new Float32Array(model.size), step: 0 };
    const mask = kernelMask(model);
    const nothing = async () => undefined;
    const { rows, state } = await movingNoise(gradients, start, order, { ...options, mask }, nothing);
    gradients.dispose();
    expect(state.step).toBe(5);
    const theta = Float64Array.from(weights);
    const velocity = new Float64Array(model.size);
    const all = Array.from({ length: 23 }, (_, n) => n);
    for (let k = 0; k < 5; k++) {
      const batch = [...order.subarray(4 * k, 4 * k + 4)];
      const mean = gradient(theta, all, 0);
      const own = gradient(theta, batch, 0);
      const step = gradient(theta, batch, options.l2);
      for (let i = 0; i < model.size; i++) {
        expect(Math.abs(rows[k * model.size + i]! - (own[i]! - mean[i]!))).toBeLessThan(1e-5);
        velocity[i] = options.momentum * velocity[i]! - options.learningRate * step[i]!;
        theta[i]! += velocity[i]!;
      }
    }
    for (let i = 0; i < model.size; i++) expect(Math.abs(state.weights[i]! - theta[i]!)).toBeLessThan(1e-5);
    expect(Math.max(...theta.map((value, i) => Math.abs(value - weights[i]!)))).toBeGreaterThan(0.05);
  });
});

it('row products through TensorFlow are those of loops, in blocks or not', async () => {
  const random = new RandomStream(3, 'rows');
  const a = Float32Array.from({ length: 150 * 177 }, () => random.normal());
  const b = Float32Array.from({ length: 130 * 177 }, () => random.normal());
  const { products, dispose } = createRowProducts(tf, async () => undefined);
  const got = await products(a, b, 177);
  dispose();
  const expected = rowProducts(a, b, 177);
  expect(got).toEqual(Float32Array.from(expected));
});

describe('the covariance of examples', () => {
  const random = new RandomStream(4, 'test');
  const raw = Float64Array.from({ length: 50 * 3 }, (_, n) => random.normal() * ((n % 3) + 1) + 5);
  const centred = centre(raw, 3);

  it('is that of its definition', () => {
    const covariance = exampleCovariance(centred);
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < 3; j++) {
        const column = (k: number) => Array.from({ length: 50 }, (_, n) => raw[n * 3 + k]!);
        const mean = (x: number[]) => x.reduce((a, b) => a + b, 0) / 50;
        const [x, y] = [column(i), column(j)];
        const expected = mean(x.map((value, n) => (value - mean(x)) * (y[n]! - mean(y))));
        expect(covariance[3 * i + j]).toBeCloseTo(expected, 10);
      }
    }
  });

  it('is measured against H by dense matrix products', () => {
    const c = exampleCovariance(centred);
    const eigenvalues = [3, 1, 0.2];
    const h = eigenvalues.flatMap((value, i) => [0, 1, 2].map((j) => (i === j ? value : 0)));
    const times = (a: ArrayLike<number>, b: ArrayLike<number>) =>
      Array.from({ length: 9 }, (_, n) =>
        [0, 1, 2].reduce((sum, l) => sum + a[3 * Math.floor(n / 3) + l]! * b[3 * l + (n % 3)]!, 0),
      );
    const norm = (a: readonly number[]) => Math.hypot(...a);
    const product = times(c, h);
    const commutator = product.map((value, n) => value - times(h, c)[n]!);
    const got = alignment(c, eigenvalues);
    const norms = norm([...c]) * norm(h);
    expect(got.cosine).toBeCloseTo((product[0]! + product[4]! + product[8]!) / norms, 12);
    expect(got.commutator).toBeCloseTo(norm(commutator) / (2 * norms), 12);
    expect(
      alignment(
        Float64Array.from(h, (value) => 7 * value),
        eigenvalues,
      ),
    ).toEqual({
      cosine: expect.closeTo(1, 12),
      commutator: 0,
    });
  });
});
