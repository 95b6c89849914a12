import type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-node';
import { describe, expect, test } from 'vitest';
import {
  checkedForSecondDerivatives,
  prepareSecondDerivatives,
  SecondDerivativeError,
  twiceDifferentiable,
} from '../../../compute/gradients/second-derivatives.ts';
import { loadTensorFlow } from '../../../compute/tensorflow.ts';
import { crossEntropy } from '../../../science/loss.ts';
import { RandomStream } from '../../../science/random.ts';

const { tf } = await loadTensorFlow({ threads: 1 });
prepareSecondDerivatives(tf);

/** Operations that the cases below use, found by listening to the engine. */
const used = new Set<string>();
const engine = tf.engine() as unknown as { runKernel(name: string, ...rest: unknown[]): unknown };
const { runKernel } = engine;
engine.runKernel = function (name, ...rest) {
  used.add(name);
  return runKernel.call(this, name, ...rest);
};

/** The same scalar function of a vector twice: in TensorFlow.js, and in plain double precision. */
interface Case {
  readonly name: string;
  readonly size: number;
  /** Domain of the random arguments; default [-1, 1]. */
  readonly domain?: readonly [number, number];
  readonly tensors: (x: Tensor1D) => Tensor;
  readonly doubles: (x: Float64Array) => number;
}

const sum = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((total, value) => total + value, 0);
const cube = (x: Tensor) => tf.mul(x, tf.mul(x, x));
const sumOf = (f: (value: number) => number) => (x: Float64Array) => sum(x.map(f));

/** y[o] = sum_i x[i] w[i, o] for row-major a (n x k) and b (k x m). */
function product(a: ArrayLike<number>, b: ArrayLike<number>, n: number, k: number, m: number): Float64Array {
  return Float64Array.from({ length: n * m }, (_, at) => {
    let total = 0;
    for (let i = 0; i < k; i++) total += a[Math.floor(at / m) * k + i]! * b[i * m + (at % m)]!;
    return total;
  });
}

/** 3x3 'same' convolution of one height x width image with one channel. */
function filtered(
  image: ArrayLike<number>,
  kernel: ArrayLike<number>,
  height: number,
  width: number,
): Float64Array {
  return Float64Array.from({ length: height * width }, (_, at) => {
    let total = 0;
    for (let a = -1; a <= 1; a++)
      for (let b = -1; b <= 1; b++) {
        const [row, column] = [Math.floor(at / width) + a, (at % width) + b];
        if (row < 0 || row >= height || column < 0 || column >= width) continue;
        total += image[row * width + column]! * kernel[(a + 1) * 3 + b + 1]!;
      }
    return total;
  });
}

/** The 2x2 windows of a 3x5 image at stride 2, as far as they lie inside. */
const windows = [0, 2].flatMap((row) =>
  [0, 2, 4].map((column) =>
    [0, 1].flatMap((a) =>
      [0, 1].flatMap((b) => (row + a < 3 && column + b < 5 ? [(row + a) * 5 + column + b] : [])),
    ),
  ),
);

/** The transpose of a row-major matrix. */
function turned(a: ArrayLike<number>, rows: number, columns: number): Float64Array {
  return Float64Array.from(
    { length: rows * columns },
    (_, at) => a[(at % rows) * columns + Math.floor(at / rows)]!,
  );
}

/** erf x = 2 / sqrt(pi) sum_n (-1)^n x^(2n+1) / (n! (2n+1)). */
function errorFunction(x: number): number {
  let [term, total] = [x, x];
  for (let n = 1; n < 60; n++) {
    term *= (-x * x) / n;
    total += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
}

const cases: Case[] = [
  { name: 'Multiply', size: 4, tensors: (x) => tf.sum(cube(x)), doubles: sumOf((v) => v ** 3) },
  {
    name: 'Multiply with broadcasting',
    size: 5,
    tensors: (x) => tf.sum(cube(tf.mul(x.slice(0, 2).reshape([2, 1]), x.slice(2, 3).reshape([1, 3])))),
    doubles: (x) => sum([0, 1].flatMap((i) => [2, 3, 4].map((j) => (x[i]! * x[j]!) ** 3))),
  },
  {
    name: 'Add and Sub with broadcasting',
    size: 6,
    tensors: (x) => tf.sum(cube(tf.sub(tf.add(x.reshape([2, 3]), x.slice(0, 3)), x.slice(3, 1)))),
    doubles: (x) => sum(x.map((v, i) => (v + x[i % 3]! - x[3]!) ** 3)),
  },
  { name: 'Square', size: 3, tensors: (x) => tf.sum(tf.square(tf.square(x))), doubles: sumOf((v) => v ** 4) },
  { name: 'Neg', size: 3, tensors: (x) => tf.sum(cube(tf.neg(x))), doubles: sumOf((v) => -(v ** 3)) },
  {
    name: 'Exp',
    size: 4,
    tensors: (x) => tf.sum(tf.exp(tf.mul(x, x))),
    doubles: sumOf((v) => Math.exp(v * v)),
  },
  { name: 'Log', size: 4, domain: [0.5, 2], tensors: (x) => tf.sum(tf.log(x)), doubles: sumOf(Math.log) },
  {
    name: 'Tanh',
    size: 4,
    tensors: (x) => tf.sum(cube(tf.tanh(x))),
    doubles: sumOf((v) => Math.tanh(v) ** 3),
  },
  {
    name: 'Relu and ReluGrad',
    size: 6,
    tensors: (x) => tf.sum(cube(tf.relu(x))),
    doubles: sumOf((v) => Math.max(v, 0) ** 3),
  },
  {
    name: 'Step',
    size: 6,
    tensors: (x) => tf.sum(tf.mul(tf.step(x), cube(x))),
    doubles: sumOf((v) => Math.max(v, 0) ** 3),
  },
  {
    name: 'RealDiv',
    size: 4,
    domain: [0.5, 1.5],
    tensors: (x) => tf.sum(tf.div(x.slice(0, 2), x.slice(2, 2))),
    doubles: (x) => x[0]! / x[2]! + x[1]! / x[3]!,
  },
  {
    name: 'Sum along an axis',
    size: 6,
    tensors: (x) => tf.sum(cube(tf.sum(x.reshape([2, 3]), 1))),
    doubles: (x) => (x[0]! + x[1]! + x[2]!) ** 3 + (x[3]! + x[4]! + x[5]!) ** 3,
  },
  {
    name: 'Slice, PadV2 and Reshape',
    size: 6,
    tensors: (x) => tf.sum(cube(x.reshape([3, 2]).slice([1, 0], [2, 1]))),
    doubles: (x) => x[2]! ** 3 + x[4]! ** 3,
  },
  {
    name: 'BatchMatMul',
    size: 10,
    tensors: (x) => {
      const [a, b] = [x.slice(0, 4).reshape([2, 2]), x.slice(4, 6).reshape([2, 3])];
      return tf.sum(cube(tf.matMul(a as Tensor2D, b as Tensor2D)));
    },
    doubles: (x) => sum(product(x.subarray(0, 4), x.subarray(4), 2, 2, 3).map((v) => v ** 3)),
  },
  {
    name: 'Conv2D, its two gradients, in image and kernel',
    size: 12 + 9,
    tensors: (x) => {
      const image = x.slice(0, 12).reshape([1, 3, 4, 1]) as Tensor4D;
      return tf.sum(cube(tf.conv2d(image, x.slice(12, 9).reshape([3, 3, 1, 1]) as Tensor4D, 1, 'same')));
    },
    doubles: (x) => sum(filtered(x.subarray(0, 12), x.subarray(12), 3, 4).map((v) => v ** 3)),
  },
  {
    name: 'MaxPool, its gradient, at an odd size',
    size: 15,
    tensors: (x) => tf.sum(cube(tf.maxPool(tf.mul(x, x).reshape([1, 3, 5, 1]) as Tensor4D, 2, 2, 'same'))),
    doubles: (x) => sum(windows.map((window) => Math.max(...window.map((at) => x[at]! ** 2)) ** 3)),
  },
  {
    name: 'Rsqrt',
    size: 4,
    domain: [0.5, 2],
    tensors: (x) => tf.sum(cube(tf.rsqrt(x))),
    doubles: sumOf((v) => v ** -1.5),
  },
  {
    name: 'Erf, by a series',
    size: 5,
    tensors: (x) => tf.sum(cube(tf.erf(x))),
    doubles: sumOf((v) => errorFunction(v) ** 3),
  },
  {
    name: 'Mean of all, along axes, and with a dimension kept',
    size: 12,
    tensors: (x) => {
      const cuboid = x.reshape([2, 3, 2]);
      const centred = cube(tf.sub(cuboid, tf.mean(cuboid, 1, true)));
      return tf.add(tf.mean(cube(tf.add(tf.mean(cuboid, [0, 2]), 1))), tf.mean(centred));
    },
    doubles: (x) => {
      const at = (i: number, j: number, k: number) => x[i * 6 + j * 2 + k]!;
      const [two, three] = [
        [0, 1],
        [0, 1, 2],
      ];
      const inside = three.map((j) => sum(two.flatMap((i) => two.map((k) => at(i, j, k)))) / 4);
      const centred = two.flatMap((i) =>
        two.flatMap((k) => three.map((j) => at(i, j, k) - sum(three.map((l) => at(i, l, k))) / 3)),
      );
      return sum(inside.map((v) => (v + 1) ** 3)) / 3 + sum(centred.map((v) => v ** 3)) / 12;
    },
  },
  {
    name: 'Sum over several axes, that are spread again (BroadcastTo)',
    size: 8,
    tensors: (x) => {
      const cuboid = x.reshape([2, 2, 2]);
      return tf.sum(cube(tf.mul(cuboid, tf.square(tf.sum(cuboid, [0, 1])))));
    },
    doubles: (x) => {
      const totals = [0, 1].map((k) => sum([0, 2, 4, 6].map((i) => x[i + k]!)));
      return sum(x.map((v, i) => (v * totals[i % 2]! ** 2) ** 3));
    },
  },
  ...([false, true] as const).flatMap((transposeA) =>
    ([false, true] as const).map(
      (transposeB): Case => ({
        name: `BatchMatMul of two pairs${transposeA ? ', the left transposed' : ''}${transposeB ? ', the right transposed' : ''}`,
        size: 2 * (2 * 3 + 3 * 2),
        tensors: (x) => {
          const a = x.slice(0, 12).reshape(transposeA ? [2, 3, 2] : [2, 2, 3]);
          const b = x.slice(12, 12).reshape(transposeB ? [2, 2, 3] : [2, 3, 2]);
          return tf.sum(cube(tf.matMul(a, b, transposeA, transposeB)));
        },
        doubles: (x) =>
          sum(
            [0, 1].flatMap((pair) => {
              const a = x.subarray(pair * 6, pair * 6 + 6);
              const b = x.subarray(12 + pair * 6, 18 + pair * 6);
              return [
                ...product(transposeA ? turned(a, 3, 2) : a, transposeB ? turned(b, 2, 3) : b, 2, 3, 2),
              ].map((v) => v ** 3);
            }),
          ),
      }),
    ),
  ),
  {
    name: 'Transpose',
    size: 12,
    tensors: (x) => tf.sum(cube(tf.mul(tf.transpose(x.reshape([2, 3, 2]), [1, 2, 0]), x.reshape([3, 2, 2])))),
    doubles: (x) => sum(x.map((v, at) => (v * x[(at % 2) * 6 + Math.floor(at / 2)]!) ** 3)),
  },
  {
    name: 'Concat and its gradient SplitV',
    size: 6,
    tensors: (x) => {
      const [left, right] = [x.slice(0, 2).reshape([2, 1]), x.slice(2, 4).reshape([2, 2])];
      return tf.sum(cube(tf.mul(tf.concat([right, tf.square(left)], 1), x.reshape([2, 3]))));
    },
    doubles: (x) => {
      const joined = [x[2]!, x[3]!, x[0]! ** 2, x[4]!, x[5]!, x[1]! ** 2];
      return sum(joined.map((v, i) => (v * x[i]!) ** 3));
    },
  },
  ...(['same', 'valid'] as const).map(
    (padding): Case => ({
      name: `Conv2D with stride 2, ${padding}`,
      size: 20 + 9,
      tensors: (x) => {
        const image = x.slice(0, 20).reshape([1, 4, 5, 1]) as Tensor4D;
        return tf.sum(cube(tf.conv2d(image, x.slice(20, 9).reshape([3, 3, 1, 1]) as Tensor4D, 2, padding)));
      },
      doubles: (x) => {
        // 'same' of four rows pads one below, of five columns one on each side: the centres lie at odd rows and even columns.
        const all = filtered(x.subarray(0, 20), x.subarray(20), 4, 5);
        const centres = padding === 'same' ? [5, 7, 9, 15, 17, 19] : [6, 8];
        return sum(centres.map((at) => all[at]! ** 3));
      },
    }),
  ),
  {
    name: 'AvgPool, its gradient, at an odd size',
    size: 15,
    tensors: (x) => tf.sum(cube(tf.avgPool(tf.mul(x, x).reshape([1, 3, 5, 1]) as Tensor4D, 2, 2, 'same'))),
    doubles: (x) => sum(windows.map((window) => (sum(window.map((at) => x[at]! ** 2)) / window.length) ** 3)),
  },
  {
    name: 'AvgPool of single places, which thins a map out',
    size: 12,
    tensors: (x) => tf.sum(cube(tf.avgPool(tf.mul(x, x).reshape([1, 3, 4, 1]) as Tensor4D, 1, 2, 'same'))),
    doubles: (x) => sum([0, 2, 8, 10].map((at) => x[at]! ** 6)),
  },
  {
    name: 'cross-entropy',
    size: 6,
    domain: [-3, 3],
    tensors: (x) => crossEntropy(tf, x.reshape([2, 3]) as Tensor2D, tf.tensor1d([2, 0], 'int32')),
    doubles: (x) => {
      const entropy = (z: Float64Array, label: number) => Math.log(sum(z.map(Math.exp))) - z[label]!;
      return (entropy(x.subarray(0, 3), 2) + entropy(x.subarray(3), 0)) / 2;
    },
  },
];

describe.each(cases)('$name', ({ name, size, domain = [-1, 1], tensors, doubles }) => {
  const random = new RandomStream(3, name);
  const x = Float32Array.from({ length: size }, () => domain[0] + (domain[1] - domain[0]) * random.uniform());
  const exact = Float64Array.from(x);
  const shifted = (...moves: [number, number][]) => {
    const at = exact.slice();
    for (const [i, by] of moves) at[i]! += by;
    return doubles(at);
  };
  const scalar = (theta: Tensor) => tensors(theta as Tensor1D) as Scalar;

  test('has the value and gradient of double precision', () => {
    const { value, grad } = tf.valueAndGrad(scalar)(tf.tensor1d(x));
    expect(value.dataSync()[0]).toBeCloseTo(doubles(exact), 5);
    const h = 1e-5;
    const expected = Array.from(x, (_, i) => (shifted([i, h]) - shifted([i, -h])) / (2 * h));
    expectClose(grad.dataSync(), expected);
  });

  test('has the second derivatives of double precision', () => {
    const h = 1e-4;
    const hessian = Array.from(x, (_, i) =>
      Array.from(x, (_, j) => {
        const corner = (a: number, b: number) => shifted([i, a * h], [j, b * h]);
        return (corner(1, 1) - corner(1, -1) - corner(-1, 1) + corner(-1, -1)) / (4 * h * h);
      }),
    );
    const gradient = tf.grad(scalar);
    for (let i = 0; i < size; i++) {
      const direction = tf.tensor1d(Array.from(x, (_, j) => (i === j ? 1 : 0)));
      const slope = (theta: Tensor) =>
        checkedForSecondDerivatives(tf, () => tf.sum(tf.mul(gradient(theta), direction)));
      expectClose(tf.grad(slope)(tf.tensor1d(x)).dataSync(), hessian[i]!, hessian.flat());
    }
  });
});

test('every operation that counts as verified is used above', () => {
  expect([...twiceDifferentiable].filter((name) => !used.has(name))).toEqual([]);
});

test.each<[string, (x: Tensor) => Tensor]>([
  ['Sigmoid', (x) => tf.sum(tf.sigmoid(x))],
  ['Pow', (x) => tf.sum(tf.pow(x, 3))],
  ['Softmax', (x) => tf.sum(tf.mul(tf.softmax(x), x))],
  ['Max', (x) => tf.mul(tf.max(x), tf.max(x))],
  ['a custom gradient', (x) => tf.losses.softmaxCrossEntropy(tf.tensor2d([[0, 1, 0]]), x.reshape([1, 3]))],
])('%s is refused by name, as not verified', (name, f) => {
  const gradient = tf.grad((x: Tensor) => f(x) as Scalar);
  const slope = (x: Tensor) => checkedForSecondDerivatives(tf, () => tf.sum(gradient(x)) as Scalar);
  const error = (() => {
    try {
      return tf.grad(slope)(tf.tensor1d([0.1, 0.5, -0.3]));
    } catch (thrown) {
      return thrown;
    }
  })();
  expect(error).toBeInstanceOf(SecondDerivativeError);
  expect((error as Error).message).toContain(name);
});

function expectClose(actual: ArrayLike<number>, expected: readonly number[], all = expected): void {
  const scale = Math.max(...all.map(Math.abs), 1e-3);
  for (const [i, value] of expected.entries())
    expect(Math.abs(actual[i]! - value) / scale).toBeLessThan(3e-5);
}
