import { describe, expect, test } from 'vitest';
import { createModel, type Model } from '../../../science/models/index.ts';

const lenet = createModel(
  { name: 'lenet', activation: 'relu', initialization: 'glorot-normal' },
  [32, 32, 3],
  10,
);

test("the paper's LeNet has 136,886 weights", () => {
  expect(lenet.size).toBe(136_886);
  expect(lenet.spec).toMatchObject({ filters: [6, 16], hidden: [120, 84] });
  expect(lenet.layout.map(({ name, shape }) => `${name} ${shape.join('x')}`)).toEqual([
    'conv1/kernel 5x5x3x6',
    'conv1/bias 6',
    'conv2/kernel 5x5x6x16',
    'conv2/bias 16',
    'dense1/kernel 1024x120',
    'dense1/bias 120',
    'dense2/kernel 120x84',
    'dense2/bias 84',
    'dense3/kernel 84x10',
    'dense3/bias 10',
  ]);
});

test('a perceptron has one hidden layer of 64 by default', () => {
  const mlp = createModel({ name: 'mlp', activation: 'tanh', initialization: 'he-normal' }, [28, 28, 1], 10);
  expect(mlp.layout.map(({ name, shape }) => `${name} ${shape.join('x')}`)).toEqual([
    'dense1/kernel 784x64',
    'dense1/bias 64',
    'dense2/kernel 64x10',
    'dense2/bias 10',
  ]);
});

test('the layout covers the weights without gaps, kernels apart from biases', () => {
  let offset = 0;
  for (const tensor of lenet.layout) {
    expect(tensor.offset).toBe(offset);
    expect(tensor.kernel).toBe(tensor.name.endsWith('/kernel'));
    offset += tensor.shape.reduce((a, b) => a * b, 1);
  }
  expect(offset).toBe(lenet.size);
});

describe('initial weights', () => {
  const variance = (model: Model, name: string) => {
    const { offset, shape } = model.layout.find((tensor) => tensor.name === name)!;
    const own = model.initialize(1).subarray(offset, offset + shape.reduce((a, b) => a * b, 1));
    return own.reduce((sum, weight) => sum + weight ** 2, 0) / own.length;
  };
  const he = createModel({ ...lenet.spec, initialization: 'he-normal' }, [32, 32, 3], 10);

  test.each([
    ['conv2/kernel', 25 * 6, 25 * 16],
    ['dense1/kernel', 1024, 120],
  ])('of %s have the variance of Glorot or He', (name, fanIn, fanOut) => {
    expect(variance(lenet, name) / (2 / (fanIn + fanOut))).toBeCloseTo(1, 0.8);
    expect(variance(he, name) / (2 / fanIn)).toBeCloseTo(1, 0.8);
  });

  test('of biases are zero', () => {
    const weights = lenet.initialize(1);
    for (const { kernel, offset, shape } of lenet.layout) {
      if (!kernel) expect(weights.subarray(offset, offset + shape[0]!)).toEqual(new Float32Array(shape[0]!));
    }
  });

  test('depend on the seed alone', () => {
    expect(lenet.initialize(1)).toEqual(lenet.initialize(1));
    expect(lenet.initialize(2)).not.toEqual(lenet.initialize(1));
  });
});
