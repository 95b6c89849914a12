import { expect, test } from 'vitest';
import { loadTensorFlow } from '../../../../compute/tensorflow.ts';
import { createEvaluator } from '../../../../science/evaluate.ts';
import { standardize } from '../../../../science/examples.ts';
import {
  classificationProblem,
  createGradients,
  createHessianProduct,
  createTrainer,
  hessianEigenpairs,
  hutchPlusPlus,
  lanczos,
  lossProblem,
} from '../../../../science/index.ts';
import { crossEntropy } from '../../../../science/loss.ts';
import { zoo } from '../models/zoo.ts';

const { tf } = await loadTensorFlow({ threads: 1 });

const softmax = {
  parameters: { W: [2, 3], b: [3] },
  model: (engine: typeof tf, { W, b }: Record<'W' | 'b', ReturnType<typeof tf.tensor>>, x: never) =>
    engine.add(engine.matMul(x, W), b),
  inputs: [0, 1, 1, 0, 1, 1, 0, 0],
  inputShape: [2],
  labels: [0, 1, 2, 0],
  classes: 3,
} as const;
const problem = classificationProblem(softmax);
const weights = new Float32Array(9);
const mean = lossProblem({
  parameters: { w: [2] },
  data: { x: { values: [1, 2, 3, 4, 5, 6], shape: [2] } },
  loss: (engine, { w }, { x }) => engine.mean(engine.square(engine.sum(engine.mul(x, w), 1))),
});

test.each([
  [{ inputs: [0, 1, 1] }, 'inputs: expected 8 values (4 labels times inputs of 2), got 3.'],
  [{ inputs: [0, 1, 1, 0, 1, Number.NaN, 0, 0] }, 'images: expected finite numbers, got NaN at index 5.'],
  [{ labels: [0, 1, 3, 0] }, 'labels: expected whole numbers from 0 to 2 (3 classes), got 3 at index 2.'],
  [{ labels: [0, 1, 1.5, 0] }, 'labels: expected whole numbers from 0 to 2 (3 classes), got 1.5 at index 2.'],
  [{ labels: [0, -1, 1, 0] }, 'got -1 at index 1.'],
  [{ inputShape: [0] }, 'inputShape: expected a whole number, 1 or more (a length in the shape [0]), got 0.'],
  [{ parameters: { W: [2.5, 3], b: [3] } }, 'parameters.W: expected a whole number, 1 or more'],
  [{ kernels: ['W', 'c'] as never }, 'kernels: expected names of parameters (W, b), got c.'],
  [{ l2: 1e-3 }, 'kernels: expected the parameters that carry the L2 term, got none.'],
  [{ l2: -1, kernels: ['W'] as const }, 'l2: expected a number from 0 up, got -1.'],
  [
    { model: (engine: typeof tf, { b }: { b: never }) => engine.mul(b, 1) },
    'model: expected a tensor of shape [1, 3] (examples x classes), got [3].',
  ],
  [
    { parameters: { W: [2, 2], b: [5] } },
    'model: expected operations on shapes that go together (W [2, 2], b [5], inputs [1, 2]), got "Incompatible shapes: [1,2] vs. [5]"',
  ],
])('a classifier of one’s own with %j is refused', async (change, message) => {
  const solve = async () =>
    hessianEigenpairs({
      tf,
      problem: classificationProblem({ ...softmax, ...change } as never),
      weights,
      top: 1,
    });
  await expect(solve()).rejects.toThrow(message);
});

test.each([
  [
    { weights: new Float32Array(8) },
    'weights: expected 9 values (one for each weight of the network), got 8.',
  ],
  [
    { weights: new Float32Array(9).fill(Infinity, 4) },
    'weights: expected finite numbers, got Infinity at index 4.',
  ],
  [{ top: 10 }, 'top: expected a whole number, from 1 to 9 (there are 9 weights), got 10.'],
  [{ top: 0 }, 'got 0.'],
  [{ top: 1.5 }, 'got 1.5.'],
  [{ tolerance: 0 }, 'tolerance: expected a positive number, got 0.'],
])('eigenpairs with %j are refused', async (change, message) => {
  await expect(hessianEigenpairs({ tf, problem, weights, top: 2, ...change })).rejects.toThrow(message);
});

test('too few products are said, with what was found', async () => {
  const few = hessianEigenpairs({ tf, problem, weights, top: 2, maxProducts: 2, tolerance: 1e-6 });
  await expect(few).rejects.toThrow(/eigenpairs.* after 2 products/);
  await expect(few).rejects.toMatchObject({
    pairs: { products: 2 },
    cure: expect.stringContaining('maxProducts'),
  });
});

test.each([
  [
    { loss: (engine: typeof tf, { w }: { w: never }, { x }: { x: never }) => engine.sum(engine.mul(x, w)) },
    'loss of two examples: expected 5.000, the mean of the losses of each, got 10.00.',
  ],
  [
    { loss: (engine: typeof tf, { w }: { w: never }) => engine.square(w) },
    'loss: expected a tensor of shape [] (a scalar), got [2].',
  ],
  [
    {
      loss: (engine: typeof tf, { w }: { w: never }) =>
        engine.log(engine.sub(engine.sum(engine.square(w)), 9)),
    },
    'loss at the weights: expected a finite number, got NaN.',
  ],
  [
    { data: { x: { values: [1, 2, 3], shape: [2] } } },
    'data.x: expected a multiple of 2 values (shape [2]), got 3.',
  ],
  [
    { data: { x: { values: [1, 2, 3, 4], shape: [2] }, y: { values: [1, 2, 3] } } },
    'data.y: expected 2 values (2 examples of shape []), got 3.',
  ],
  [
    { data: { x: { values: [1, Number.NaN], shape: [2] } } },
    'data.x: expected finite numbers, got NaN at index 1.',
  ],
  [
    { data: { x: { values: Int32Array.of(1, 2 ** 24 + 1), shape: [2] } } },
    'data.x: expected whole numbers up to 16777216, got 16777217 at index 1.',
  ],
  [
    { loss: (engine: typeof tf, { w }: { w: never }) => engine.sum(engine.add(w, [1, 2, 3])) },
    'loss: expected operations on shapes that go together (w [2], x [1, 2]), got "Incompatible shapes: [2] vs. [3]"',
  ],
  [{ loss: () => 3 }, 'loss: expected a tensor of shape [] (a scalar), got 3.'],
  [{ parameters: {} }, 'parameters: expected at least one tensor, got none.'],
])('a loss of one’s own with %j is refused', async (change, message) => {
  const solve = async () => {
    const given = {
      parameters: { w: [2] },
      data: { x: { values: [1, 2, 3, 4], shape: [2] } },
      loss: (engine: typeof tf, { w }: { w: never }, { x }: { x: never }) =>
        engine.mean(engine.square(engine.sum(engine.mul(x, w), 1))),
      ...change,
    };
    return hessianEigenpairs({
      tf,
      problem: lossProblem(given as never),
      weights: Float32Array.of(1, 1),
      top: 1,
    });
  };
  await expect(solve()).rejects.toThrow(message);
});

test('a product takes a vector of the right length, of finite numbers', async () => {
  const hessian = createHessianProduct({ tf, ...problem, weights });
  await expect(hessian.product(new Float32Array(7))).rejects.toThrow(
    'vector: expected 9 values (one for each weight of the network), got 7.',
  );
  await expect(hessian.product(new Float32Array(9).fill(Number.NaN))).rejects.toThrow('got NaN at index 0.');
  hessian.dispose();
});

test('the Gauss-Newton matrix takes a loss of logits', () => {
  const options = { tf, ...mean, weights: new Float32Array(2), matrix: 'gauss-newton' } as const;
  expect(() => createHessianProduct(options)).toThrow(
    'loss: expected cross-entropy or mean-squared-error with the Gauss-Newton matrix, got a function.',
  );
});

test('training and gradients take weights of the right length', async () => {
  const training = { ...problem, batchSize: 2, sampling: 'sequential', seed: 1, momentum: 0 } as const;
  const trainer = createTrainer({ tf, ...problem, training });
  const from = { weights: new Float32Array(9), velocity: new Float32Array(3), step: 0 };
  await expect(trainer.epoch(from, 0, 0.1).next()).rejects.toThrow('velocity: expected 9 values');
  await expect(trainer.epoch({ ...from, weights: new Float32Array(2) }, 0, 0.1).next()).rejects.toThrow(
    'weights: expected 9 values',
  );
  trainer.dispose();
  const gradients = createGradients({ tf, ...problem });
  await expect(gradients.full(new Float32Array(2))).rejects.toThrow('weights: expected 9 values');
  gradients.dispose();
  const [{ model, data }] = zoo(12) as [ReturnType<typeof zoo>[number]];
  const evaluate = createEvaluator({ tf, model, standardize: 'scale', loss: 'cross-entropy', l2: 0 });
  expect(() => evaluate(new Float32Array(2), data)).toThrow(`weights: expected ${model.size} values`);
});

test.each([
  [{ top: 0 }, 'top: expected a whole number, 1 or more, got 0.'],
  [
    { product: async () => new Float64Array(2) },
    'product: expected 3 values (as many as the vector has), got 2.',
  ],
])('Lanczos with %j is refused', async (change, message) => {
  const product = async (vector: Float32Array) => Float64Array.from(vector);
  const options = { tf, size: 3, product, top: 1, tolerance: 1e-4, maxProducts: 10, seed: 0, ...change };
  await expect(lanczos(options)).rejects.toThrow(message);
});

test('a trace without an error to state is refused', async () => {
  const product = async (vector: Float32Array) => Float64Array.from(vector);
  await expect(hutchPlusPlus({ tf, size: 3, product, sketch: 0, probes: 1, seed: 0 })).rejects.toThrow(
    'probes: expected a whole number, 2 or more',
  );
});

test.each([
  [{ labels: Int32Array.of(0, 1) }, 'labels: expected 12 values (one for each example), got 2.'],
  [{ labels: new Int32Array(12).fill(99) }, 'got 99 at index 0.'],
  [{ images: new Uint8Array(5) }, /images: expected \d+ values \(12 examples of \d+ x \d+ x \d+\), got 5\./],
  [{ examples: 0 }, 'examples: expected a whole number, 1 or more, got 0.'],
])('examples of the program’s own networks with %j are refused', (change, message) => {
  const [{ model, data, weights: at }] = zoo(12) as [ReturnType<typeof zoo>[number]];
  const wrong = { ...data, ...change };
  expect(() => standardize(wrong, 'scale')).toThrow(message);
  const options = { tf, model, data: wrong, standardize: 'scale', loss: 'cross-entropy', l2: 0 } as const;
  expect(() => createHessianProduct({ ...options, weights: at })).toThrow(message);
});

test('a cross-entropy of one’s own differentiates twice', async () => {
  const own = lossProblem({
    parameters: { W: [2, 3], b: [3] },
    data: { x: { values: softmax.inputs, shape: [2] }, y: { values: Int32Array.from(softmax.labels) } },
    loss: (engine, { W, b }, { x, y }) =>
      crossEntropy(engine, engine.add(engine.matMul(x, W), b) as never, y as never),
  });
  const [one, other] = await Promise.all(
    [own, problem].map((of) => hessianEigenpairs({ tf, problem: of, weights, top: 4 })),
  );
  for (const [i, value] of one!.eigenvalues.entries()) expect(value).toBeCloseTo(other!.eigenvalues[i]!, 5);
});
