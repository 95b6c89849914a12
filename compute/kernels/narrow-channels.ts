import type { Tensor } from '@tensorflow/tfjs-node';
import type { TensorFlow } from '../native-backend.ts';
import { nativeKernel, replaceNativeKernel } from './native-kernel.ts';

/** Channels below which the library's loops over the last axis are too short to be fast. */
const narrow = 16;

/**
 * Replaces adding a bias to few channels, and summing over all but the channels, by the same with whole rows in place of single pixels: the bias
 * repeated for each pixel of a row, and the sum over rows first. Adding gives the same bits; of the sum only the order differs. Measured on
 * 50 x 32 x 32 x 6 (Zen 4, one thread): bias 0.31 -> 0.12 ms, sum 0.30 -> 0.09 ms.
 */
export function registerNarrowChannels(tf: TensorFlow): void {
  const add = nativeKernel<object>(tf, 'Add');
  replaceNativeKernel<object>(tf, 'Add', (inputs, attributes) => {
    const { a, b } = inputs as { a: Tensor; b: Tensor };
    const [channels] = b.shape;
    if (a.rank !== 4 || b.rank !== 1 || a.shape[3] !== channels || channels! >= narrow)
      return add(inputs, attributes);
    const width = a.shape[2]! * channels!;
    const sum = add({ a: a.reshape([-1, width]), b: tf.tile(b, [a.shape[2]!]) }, attributes);
    return sum.reshape(a.shape);
  });
  interface Reduction {
    readonly axis: number | number[];
    readonly keepDims?: boolean;
  }
  const sum = nativeKernel<Reduction>(tf, 'Sum');
  replaceNativeKernel<Reduction>(tf, 'Sum', (inputs, attributes) => {
    const { x } = inputs as { x: Tensor };
    const axes = tf.util.parseAxisParam(attributes.axis, x.shape);
    const channels = x.shape.at(-1)!;
    if (x.rank !== 4 || channels >= narrow || axes.join() !== '0,1,2') return sum(inputs, attributes);
    const width = x.shape[2]!;
    const row = sum({ x: x.reshape([-1, width * channels]) }, { axis: [0] });
    const total = sum({ x: row.reshape([width, channels]) }, { axis: [0] });
    return attributes.keepDims ? total.reshape([1, 1, 1, channels]) : total;
  });
}
