import type { Tensor, Tensor4D } from '@tensorflow/tfjs-node';
import { describe, expect, test } from 'vitest';
import { packedColumns } from '../../../compute/kernels/packed-convolution.ts';
import { loadTensorFlow } from '../../../compute/tensorflow.ts';
import { RandomStream } from '../../../science/random.ts';

const { tf } = await loadTensorFlow({ threads: 1 });
const random = new RandomStream(1, 'native-kernels');
const normal = (shape: number[]) =>
  tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    shape,
  );

const shapes = [
  { examples: 2, height: 6, width: 32, inputs: 3, outputs: 6, taps: 5, stride: 1, packed: 2 },
  { examples: 2, height: 5, width: 16, inputs: 6, outputs: 16, taps: 5, stride: 1, packed: 1 },
  { examples: 1, height: 9, width: 8, inputs: 2, outputs: 3, taps: 5, stride: 1, packed: 4 },
  { examples: 2, height: 7, width: 7, inputs: 3, outputs: 4, taps: 3, stride: 1, packed: 1 },
  { examples: 1, height: 4, width: 12, inputs: 2, outputs: 1, taps: 3, stride: 1, packed: 6 },
  { examples: 2, height: 8, width: 8, inputs: 3, outputs: 4, taps: 3, stride: 2, packed: 1 },
  { examples: 1, height: 6, width: 8, inputs: 3, outputs: 4, taps: 4, stride: 1, packed: 1 },
  { examples: 1, height: 6, width: 8, inputs: 3, outputs: 4, taps: 1, stride: 1, packed: 1 },
  { examples: 2, height: 5, width: 28, inputs: 1, outputs: 6, taps: 5, stride: 1, packed: 2 },
  { examples: 2, height: 5, width: 4, inputs: 1, outputs: 3, taps: 5, stride: 1, packed: 2 },
] as const;

describe.each(shapes)(
  'a convolution with $outputs of $inputs channels, $taps taps, stride $stride',
  (shape) => {
    const { examples, height, width, inputs, outputs, taps, stride, packed } = shape;
    const x = normal([examples, height, width, inputs]) as Tensor4D;
    const filter = normal([taps, taps, inputs, outputs]) as Tensor4D;
    const [rows, columns] = [Math.ceil(height / stride), Math.ceil(width / stride)];
    const dy = normal([examples, rows, columns, outputs]);
    const convolve = (image: Tensor, kernel: Tensor) =>
      tf.conv2d(image as Tensor4D, kernel as Tensor4D, stride, 'same');
    const [xs, fs, dys] = [x, filter, dy].map((tensor) => tensor.dataSync());

    /** Calls back with the places in output, image and filter of each product of the sum that defines a 'same' convolution. */
    function products(visit: (y: number, x: number, f: number) => void): void {
      const margin = (length: number, count: number) =>
        Math.floor(Math.max((count - 1) * stride + taps - length, 0) / 2);
      const [top, left] = [margin(height, rows), margin(width, columns)];
      for (let n = 0; n < examples; n++)
        for (let r = 0; r < rows; r++)
          for (let c = 0; c < columns; c++)
            for (let a = 0; a < taps; a++)
              for (let b = 0; b < taps; b++) {
                const [h, w] = [r * stride + a - top, c * stride + b - left];
                if (h < 0 || h >= height || w < 0 || w >= width) continue;
                for (let i = 0; i < inputs; i++)
                  for (let o = 0; o < outputs; o++)
                    visit(
                      ((n * rows + r) * columns + c) * outputs + o,
                      ((n * height + h) * width + w) * inputs + i,
                      ((a * taps + b) * inputs + i) * outputs + o,
                    );
              }
    }

    test('takes as many columns at once as fit', () => {
      const attributes = { strides: stride, pad: 'same', dataFormat: 'NHWC' };
      expect(packedColumns(attributes, filter.shape, width, outputs)).toBe(packed);
    });

    test('and its gradients are the sums that define them', () => {
      const [y, dx, df] = [
        new Float64Array(dys!.length),
        new Float64Array(xs!.length),
        new Float64Array(fs!.length),
      ];
      products((to, from, weight) => {
        y[to]! += xs![from]! * fs![weight]!;
        dx[from]! += dys![to]! * fs![weight]!;
        df[weight]! += dys![to]! * xs![from]!;
      });
      expectClose(convolve(x, filter), y);
      const [byImage, byFilter] = tf.grads(convolve)([x, filter], dy);
      expectClose(byImage!, dx);
      expectClose(byFilter!, df);
    });

    test('leaves no tensor behind', () => {
      const before = tf.memory().numTensors;
      tf.dispose([convolve(x, filter), ...tf.grads(convolve)([x, filter], dy)]);
      expect(tf.memory().numTensors).toBe(before);
    });
  },
);

describe.each([1, 3, 6, 15, 16, 20])('%i channels', (channels) => {
  const x = normal([3, 4, 5, channels]) as Tensor4D;
  const bias = normal([channels]);
  const [xs, bs] = [x.dataSync(), bias.dataSync()];

  test('a bias is added to each pixel, to the bit', () => {
    const expected = Float32Array.from(xs, (value, i) => value + bs[i % channels]!);
    expect(tf.add(x, bias).dataSync()).toEqual(expected);
    expect(tf.add(x, bias).shape).toEqual(x.shape);
  });

  test.each([false, true])(
    'the gradient of a bias is the sum over pixels; sums keep dimensions: %s',
    (keep) => {
      const expected = new Float64Array(channels);
      for (const [i, value] of xs.entries()) expected[i % channels]! += value;
      const summed = tf.sum(x, [0, 1, 2], keep);
      expect(summed.shape).toEqual(keep ? [1, 1, 1, channels] : [channels]);
      expectClose(summed, expected);
      expectClose(tf.grads((a: Tensor, b: Tensor) => tf.add(a, b))([x, bias], x)[1]!, expected);
    },
  );
});

function expectClose(actual: Tensor, expected: Float64Array): void {
  const scale = Math.max(...expected.map(Math.abs));
  const values = actual.dataSync();
  expect(values).toHaveLength(expected.length);
  for (const [i, value] of expected.entries())
    expect(Math.abs(values[i]! - value) / scale).toBeLessThan(2e-6);
}
