import { Matrix } from 'ml-matrix';
import { describe, expect, test } from 'vitest';
import { loadTensorFlow } from '../../../../compute/tensorflow.ts';
import {
  classificationProblem,
  createGradients,
  createHessianProduct,
  createTrainer,
  hessianEigenpairs,
  lossProblem,
} from '../../../../science/index.ts';
import { RandomStream } from '../../../../science/random.ts';
import { eigenvaluesOf, perceptronLoss, secondDifferences } from '../oracle/own-perceptron.ts';

const { tf } = await loadTensorFlow({ threads: 1 });
const random = new RandomStream(3, 'own');
const normals = (length: number) => Float32Array.from({ length }, () => random.normal());

const examples = 37;
const inputs = normals(examples * 2);
const labels = Int32Array.from({ length: examples }, () => random.below(3));

describe('a perceptron of one’s own', () => {
  const problem = classificationProblem({
    parameters: { W: [2, 4], b: [4], V: [4, 3], c: [3] },
    model: (engine, { W, b, V, c }, x) =>
      engine.add(engine.matMul(engine.tanh(engine.add(engine.matMul(x, W), b)), V), c),
    ...{ inputs, inputShape: [2], labels, classes: 3 },
  });
  const weights = normals(problem.model.size);
  const lossAt = (theta: ArrayLike<number>) => perceptronLoss({ inputs, labels }, theta);

  test('has the eigenpairs of its dense Hessian, each within its residual', async () => {
    const dense = secondDifferences(lossAt, weights);
    const exact = eigenvaluesOf(dense);
    const { size } = problem.model;
    const found = await hessianEigenpairs({ tf, problem, weights, top: 5, tolerance: 1e-5 });
    for (const [k, value] of found.eigenvalues.entries()) {
      expect(Math.abs(value - exact[k]!)).toBeLessThan(1e-5 * exact[0]!);
      const vector = Matrix.columnVector(Array.from(found.vectors.subarray(k * size, (k + 1) * size)));
      const left = dense.mmul(vector).sub(Matrix.mul(vector, value)).norm();
      expect(Math.abs(left - found.residuals[k]!)).toBeLessThan(1e-5 * exact[0]!);
    }
    expect(found.outside.bound).toBeGreaterThan(exact[5]! - 1e-5);
  });

  test('has the gradient of its loss', async () => {
    const gradients = createGradients({ tf, ...problem });
    const gradient = await gradients.full(weights);
    gradients.dispose();
    for (const [i, slope] of gradient.entries()) {
      const moved = (by: number) =>
        lossAt(Float64Array.from(weights, (value, j) => value + (i === j ? by : 0)));
      expect(slope).toBeCloseTo((moved(1e-5) - moved(-1e-5)) / 2e-5, 5);
    }
  });
});

test('a parameter that the loss is linear in, or does not depend on, has zero rows', async () => {
  const problem = lossProblem({
    parameters: { x: [], line: [2], idle: [] },
    loss: (engine, { x, line }) => engine.add(engine.square(x), engine.sum(line)),
  });
  const hessian = createHessianProduct({ tf, ...problem, weights: Float32Array.of(3, 1, 1, 1) });
  expect([...(await hessian.product(Float32Array.of(1, 1, 1, 1)))]).toEqual([2, 0, 0, 0]);
  hessian.dispose();
  const idle = classificationProblem({
    parameters: { W: [2, 3], idle: [2] },
    model: (engine, { W }, x) => engine.matMul(x, W),
    ...{ inputs, inputShape: [2], labels, classes: 3 },
  });
  for (const matrix of ['hessian', 'gauss-newton'] as const) {
    const own = createHessianProduct({ tf, ...idle, weights: normals(8), matrix });
    const image = await own.product(normals(8));
    own.dispose();
    expect([...image.subarray(6).map(Math.abs)]).toEqual([0, 0]);
    expect(image[0]).not.toBe(0);
  }
});

test('a loss over data is the mean over its columns, whatever the batches', async () => {
  const points = 23;
  const [x, y, which] = [
    normals(points * 3),
    normals(points),
    Int32Array.from({ length: points }, () => random.below(2)),
  ];
  const problem = lossProblem({
    parameters: { w: [3], gain: [2] },
    data: { x: { values: x, shape: [3] }, y: { values: y }, which: { values: which } },
    loss: (engine, { w, gain }, data) => {
      const scale = engine.sum(engine.mul(engine.oneHot(data.which as never, 2).toFloat(), gain), 1);
      const line = engine.sum(engine.mul(data.x, w), 1);
      return engine.mean(engine.square(engine.sub(engine.mul(scale, line), data.y)));
    },
  });
  const weights = normals(5);
  const dense = secondDifferences((theta) => {
    let sum = 0;
    for (let n = 0; n < points; n++) {
      const line = [0, 1, 2].reduce((total, i) => total + x[3 * n + i]! * theta[i]!, 0);
      sum += (theta[3 + which[n]!]! * line - y[n]!) ** 2;
    }
    return sum / points;
  }, weights);
  for (const [batchSize, lanes] of [
    [23, 1],
    [23, 2],
    [4, 1],
  ] as const) {
    const hessian = createHessianProduct({ tf, ...problem, weights, batchSize, lanes });
    for (let i = 0; i < 5; i++) {
      const column = await hessian.product(Float32Array.from({ length: 5 }, (_, j) => (i === j ? 1 : 0)));
      for (const [j, value] of column.entries()) expect(value).toBeCloseTo(dense.get(i, j), 4);
    }
    hessian.dispose();
  }
});

test('SGD of a loss of one’s own is that of equation (1)', async () => {
  const curvatures = [1, 0.2];
  const problem = lossProblem({
    parameters: { w: [2] },
    loss: (engine, { w }) =>
      engine.sum(
        engine.mul(
          engine.square(w),
          curvatures.map((value) => value / 2),
        ),
      ),
  });
  const training = { ...problem, batchSize: 1, sampling: 'sequential', seed: 1, momentum: 0.9 } as const;
  const trainer = createTrainer({ tf, ...problem, training });
  let state = { weights: Float32Array.of(1, -2), velocity: new Float32Array(2), step: 0 };
  const theta = [1, -2];
  const v = [0, 0];
  for (let epoch = 0; epoch < 20; epoch++) {
    for await (const chunk of trainer.epoch(state, epoch, 0.1)) state = chunk.state as typeof state;
    for (const [i, curvature] of curvatures.entries()) {
      v[i] = -0.1 * curvature * theta[i]! + 0.9 * v[i]!;
      theta[i]! += v[i]!;
    }
  }
  trainer.dispose();
  for (const [i, value] of state.weights.entries()) expect(value).toBeCloseTo(theta[i]!, 5);
});
