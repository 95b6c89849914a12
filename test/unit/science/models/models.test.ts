import { describe, expect, test } from 'vitest';
import {
  createModel,
  type ImageShape,
  type Model,
  ModelError,
  type ModelSpec,
} from '../../../../science/models/index.ts';
import type { LayerSpec } from '../../../../science/models/kinds/custom.ts';

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

test('ResNet-20 of He et al. has 269,722 weights ("0.27M") in 20 layers, and 19 batch normalizations', () => {
  const resnet = createModel({ name: 'resnet20', initialization: 'he-normal' }, [32, 32, 3], 10);
  expect(resnet.size).toBe(269_722);
  expect(resnet.layout.filter(({ kernel }) => kernel)).toHaveLength(20);
  expect(resnet.normalizations).toEqual([...Array(7).fill(16), ...Array(6).fill(32), ...Array(6).fill(64)]);
  expect(resnet.spec).toMatchObject({ width: 16, blocks: 3, activation: 'relu' });
});

test('a transformer has the weights of its parts', () => {
  const [width, tokens, blocks] = [64, 64, 2];
  const perBlock = 4 * (width ** 2 + width) + 2 * 4 * width ** 2 + 4 * width + width + 2 * 2 * width;
  const ends = 4 * 4 * 3 * width + width + tokens * width + 2 * width + width * 10 + 10;
  const transformer = createModel({ name: 'transformer', initialization: 'glorot-normal' }, [32, 32, 3], 10);
  expect(transformer.size).toBe(blocks * perBlock + ends);
  expect(transformer.spec).toMatchObject({ patch: 4, heads: 4, feedForward: 256, activation: 'gelu' });
});

test('softmax regression has one kernel and one bias', () => {
  const { layout, spec } = createModel({ name: 'linear', initialization: 'he-normal' }, [28, 28, 1], 10);
  expect(layout.map(({ shape }) => shape)).toEqual([[784, 10], [10]]);
  expect(spec).toEqual({ name: 'linear', initialization: 'he-normal' });
});

describe('a network of given layers', () => {
  const build = (layers: readonly LayerSpec[], shape: ImageShape = [28, 28, 1]) =>
    createModel({ name: 'custom', layers, initialization: 'he-normal' }, shape, 10);

  test('can be LeNet', () => {
    const own = build(
      [
        { kind: 'conv', filters: 6, size: 5 },
        { kind: 'pool', size: 2 },
        { kind: 'conv', filters: 16, size: 5 },
        { kind: 'pool', size: 2 },
        { kind: 'flatten' },
        { kind: 'dense', units: 120 },
        { kind: 'dense', units: 84 },
      ],
      [32, 32, 3],
    );
    expect(own.layout).toEqual(lenet.layout);
  });

  test('flattens by itself before the classes', () => {
    expect(build([{ kind: 'conv', filters: 3, size: 5, stride: 2, padding: 'valid' }]).layout).toMatchObject([
      { name: 'conv1/kernel', shape: [5, 5, 1, 3] },
      { name: 'conv1/bias' },
      { name: 'dense1/kernel', shape: [12 * 12 * 3, 10] },
      { name: 'dense1/bias' },
    ]);
  });

  test.each<[string, readonly LayerSpec[], RegExp, RegExp]>([
    ['a dense layer of maps', [{ kind: 'dense', units: 3 }], /layers\[0\].*28 x 28 x 1/, /flatten/],
    [
      'a convolution of a vector',
      [{ kind: 'flatten' }, { kind: 'conv', filters: 2, size: 3 }],
      /layers\[1\]: a convolution .*vector of 784/,
      /before/,
    ],
    [
      'a pool larger than its maps',
      [
        { kind: 'pool', size: 7 },
        { kind: 'pool', size: 5, padding: 'valid' },
      ],
      /layers\[1\]: 5x5 without padding .*4x4/,
      /smaller/,
    ],
  ])('cannot have %s', (_name, layers, message, cure) => expectError(() => build(layers), message, cure));
});

test.each<[string, Partial<ModelSpec>, RegExp, RegExp]>([
  ['patches that do not tile', { patch: 5 }, /5x5 pixels do not tile images of 32x32/, /divides/],
  ['heads that do not divide', { width: 10, heads: 4 }, /10 does not divide into 4 heads/, /multiple/],
])('a transformer cannot have %s', (_name, options, message, cure) => {
  const spec: ModelSpec = { name: 'transformer', initialization: 'he-normal', ...options };
  expectError(() => createModel(spec, [32, 32, 3], 10), message, cure);
});

function expectError(build: () => unknown, message: RegExp, cure: RegExp): void {
  const error = (() => {
    try {
      return build();
    } catch (thrown) {
      return thrown;
    }
  })();
  expect(error).toBeInstanceOf(ModelError);
  expect((error as ModelError).message).toMatch(message);
  expect((error as ModelError).cure).toMatch(cure);
}

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

  test('of norms are one, and of the embedding of places small', () => {
    const { layout, initialize } = createModel(
      { name: 'transformer', initialization: 'he-normal' },
      [32, 32, 3],
      10,
    );
    const weights = initialize(1);
    const own = (name: string) => {
      const { offset, shape, kernel } = layout.find((tensor) => tensor.name === name)!;
      expect(kernel).toBe(false);
      return weights.subarray(offset, offset + shape.reduce((a, b) => a * b, 1));
    };
    expect(own('block1/norm1/scale')).toEqual(new Float32Array(64).fill(1));
    const places = own('places/embedding');
    expect(Math.sqrt(places.reduce((sum, x) => sum + x ** 2, 0) / places.length)).toBeCloseTo(0.02, 3);
  });

  test('depend on the seed alone', () => {
    expect(lenet.initialize(1)).toEqual(lenet.initialize(1));
    expect(lenet.initialize(2)).not.toEqual(lenet.initialize(1));
  });
});
