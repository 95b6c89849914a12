import type { Tensor } from '@tensorflow/tfjs-node';
import { nativeBackend, type TensorFlow } from '../tensorflow.ts';
import { prepareOnce, registerGradient, runKernel } from './register-gradient.ts';

interface PoolingAttributes {
  readonly filterSize: number | [number, number];
  readonly strides: number | [number, number];
  readonly pad: 'same' | 'valid' | number;
}

/**
 * Gives max pooling a gradient whose own derivatives are cheap. Where the windows tile the image without overlap, the gradient is
 *
 *     dx = n mask * AvgPoolGrad(dy),   n the size of a window, mask 1 at the largest element of each window (the first of equals),
 *
 * and the mask is a constant, so that products with a Hessian repeat neither the search for the largest elements nor the slow operations
 * MaxPoolGrad and MaxPoolGradGrad. With n a power of two all products with n are exact. Other poolings keep the gradient that they have, which
 * must be registered before.
 */
export function prepareWindowPooling(tf: TensorFlow): void {
  if (tf.getBackend() !== 'tensorflow') return;
  prepareOnce(tf, 'window pooling', () => registerWindowPooling(tf));
}

function registerWindowPooling(tf: TensorFlow): void {
  const general = tf.getGradient('MaxPool').gradFunc;
  registerGradient(tf, 'MaxPool', ['x'], (dy, saved, attributes) => {
    const [x] = saved as [Tensor];
    const { filterSize, strides, pad } = attributes as unknown as PoolingAttributes;
    const [rows, columns] = pair(filterSize);
    const [down, across] = pair(strides);
    const tiled = rows === down && columns === across && typeof pad === 'string';
    if (!tiled || x.shape[1]! % rows !== 0 || x.shape[2]! % columns !== 0)
      return general(dy, saved, attributes) as Record<string, () => Tensor>;
    const window = [1, rows, columns, 1];
    return {
      x: () => {
        const mask = largestOfWindows(tf, x, window, rows * columns);
        return tf.mul(mask, runKernel(tf, 'AvgPoolGrad', { dy, input: x }, attributes));
      },
    };
  });
}

function pair(size: number | [number, number]): [number, number] {
  return Array.isArray(size) ? size : [size, size];
}

/** `value` where `x` is the first largest element of its window, else 0. Past the tape: it counts as a constant. */
function largestOfWindows(tf: TensorFlow, x: Tensor, window: number[], value: number): Tensor {
  const backend = nativeBackend(tf);
  const { TF_ATTR_TYPE, TF_ATTR_INT, TF_ATTR_STRING, TF_FLOAT } = backend.binding;
  const attributes = [
    { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT },
    { name: 'ksize', type: TF_ATTR_INT, value: window },
    { name: 'strides', type: TF_ATTR_INT, value: window },
    { name: 'padding', type: TF_ATTR_STRING, value: 'VALID' },
    { name: 'data_format', type: TF_ATTR_STRING, value: 'NHWC' },
  ];
  const largest = backend.executeSingleOutput('MaxPool', attributes, [x]);
  return backend.executeSingleOutput('MaxPoolGrad', attributes, [x, largest, tf.fill(largest.shape, value)]);
}
