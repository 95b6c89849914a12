import type { Tensor4D } from '@tensorflow/tfjs-node';
import { expect, test } from 'vitest';
import { prepareSecondDerivatives } from '../../../compute/gradients/second-derivatives.ts';
import { loadTensorFlow } from '../../../compute/tensorflow.ts';
import { RandomStream } from '../../../science/random.ts';

const { tf } = await loadTensorFlow({ threads: 1 });
prepareSecondDerivatives(tf);

interface Shape {
  readonly padding: 'same' | 'valid';
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly size: number;
  readonly filters: number;
  readonly stride: number;
}

/** Calls back with the indices of output, input and filter of each product in the convolution of two images. */
function products(shape: Shape, visit: (y: number, x: number, f: number) => void): [number, number] {
  const { padding, height, width, channels, size, filters, stride } = shape;
  const along = (length: number) =>
    padding === 'same' ? Math.ceil(length / stride) : Math.floor((length - size) / stride) + 1;
  const [rows, columns] = [along(height), along(width)];
  const before = (length: number, count: number) =>
    padding === 'same' ? Math.floor(Math.max((count - 1) * stride + size - length, 0) / 2) : 0;
  const [top, left] = [before(height, rows), before(width, columns)];
  for (let image = 0; image < 2; image++)
    for (let place = 0; place < rows * columns; place++)
      for (let tap = 0; tap < size * size; tap++) {
        const row = Math.floor(place / columns) * stride - top + Math.floor(tap / size);
        const column = (place % columns) * stride - left + (tap % size);
        if (row < 0 || row >= height || column < 0 || column >= width) continue;
        for (let i = 0; i < channels; i++)
          for (let o = 0; o < filters; o++)
            visit(
              (image * rows * columns + place) * filters + o,
              ((image * height + row) * width + column) * channels + i,
              (tap * channels + i) * filters + o,
            );
      }
  return [rows, columns];
}

const sizes: [number, number][] = [
  [1, 1],
  [3, 3],
  [4, 4],
  [3, 8],
  [6, 2],
];

// Narrow images of one channel are among these since the library has a convolution that is wrong for some of them.
test.each(sizes)(
  'convolutions of %ix%i images and their gradients are those of double precision',
  (height, width) => {
    const random = new RandomStream(1, 'convolution');
    const normal = (length: number) => Float32Array.from({ length }, () => random.normal());
    for (const padding of ['same', 'valid'] as const)
      for (const channels of [1, 2])
        for (const size of [1, 2, 3, 5])
          for (const filters of [1, 8])
            for (const stride of [1, 2, 4]) {
              if (padding === 'valid' && size > Math.min(height, width)) continue;
              const shape = { padding, height, width, channels, size, filters, stride };
              const x = normal(2 * height * width * channels);
              const f = normal(size ** 2 * channels * filters);
              const [rows, columns] = products(shape, () => undefined);
              const g = normal(2 * rows * columns * filters);
              const [y, dx, df] = [g, x, f].map(({ length }) => new Float64Array(length));
              products(shape, (at, from, weight) => {
                y![at]! += x[from]! * f[weight]!;
                dx![from]! += g[at]! * f[weight]!;
                df![weight]! += g[at]! * x[from]!;
              });
              tf.tidy(() => {
                const image = tf.tensor4d(x, [2, height, width, channels]);
                const filter = tf.tensor4d(f, [size, size, channels, filters]);
                const upstream = tf.tensor4d(g, [2, rows, columns, filters]);
                const convolve = (a: Tensor4D, b: Tensor4D) => tf.conv2d(a, b, stride, padding);
                const gradients = tf.grads(convolve as never)([image, filter], upstream);
                const actual = [convolve(image, filter), ...gradients].map((tensor) => tensor.dataSync());
                for (const [part, expected] of [y!, dx!, df!].entries()) {
                  const worst = expected.reduce(
                    (most, v, i) => Math.max(most, Math.abs(v - actual[part]![i]!)),
                    0,
                  );
                  expect(worst, JSON.stringify(shape)).toBeLessThan(2e-5);
                }
              });
            }
  },
);
