import type { Tensor, Tensor2D } from '@tensorflow/tfjs-node';
import type { TensorFlow } from '../tensorflow.ts';

const kernelName = 'DetachedRowMax';
const registered = new WeakSet<TensorFlow>();

/**
 * The largest element of each row, n x 1, as a constant: all its derivatives are zero. For formulas that subtract it only to keep numbers small.
 * A kernel with a gradient of its own, since a `customGrad` is a black box to the check of second derivatives.
 */
export function detachedRowMax(tf: TensorFlow, x: Tensor2D): Tensor2D {
  if (!registered.has(tf)) {
    registered.add(tf);
    tf.registerKernel({
      kernelName,
      backendName: tf.getBackend(),
      kernelFunc: ({ inputs }) => tf.max(inputs.x as unknown as Tensor, 1, true),
    });
    tf.registerGradient({
      kernelName,
      inputsToSave: ['x'],
      gradFunc: (_dy, [x]) => ({ x: () => tf.zerosLike(x!) }),
    });
  }
  return tf.engine().runKernel(kernelName, { x }) as Tensor2D;
}
