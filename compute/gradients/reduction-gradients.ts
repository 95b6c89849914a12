import type { Tensor } from '@tensorflow/tfjs-node';
import { nativeBackend, type TensorFlow } from '../tensorflow.ts';
import { prepareOnce, registerGradient, runKernel } from './register-gradient.ts';

/**
 * Gradients of Sum and Mean that spread dy with the operation `BroadcastTo`, which TensorFlow has and TensorFlow.js does not expose. The ones of
 * TensorFlow.js multiply by a tensor of ones as large as the input, which a recorded graph would hold as a constant for each sum. The numbers
 * are the same.
 */
export function prepareReductionGradients(tf: TensorFlow): void {
  prepareOnce(tf, 'reductions', () => {
    registerBroadcastTo(tf);
    registerGradient(tf, 'Sum', ['x'], (dy, [x], { axis }) => ({ x: () => spread(tf, dy, x!.shape, axis) }));
    registerGradient(tf, 'Mean', ['x'], (dy, [x], { axis }) => ({
      x: () => tf.mul(spread(tf, dy, x!.shape, axis), dy.size / x!.size),
    }));
  });
}

/** dy of a sum along `axis` at each place that was summed. */
function spread(tf: TensorFlow, dy: Tensor, shape: number[], axis: unknown): Tensor {
  const summed = tf.util.parseAxisParam(axis as number[], shape);
  const kept = shape.map((length, dimension) => (summed.includes(dimension) ? 1 : length));
  const x = dy.reshape(kept);
  return kept.every((length, dimension) => length === shape[dimension])
    ? x
    : runKernel(tf, 'BroadcastTo', { x }, { shape, inputShape: kept });
}

function registerBroadcastTo(tf: TensorFlow): void {
  registerBroadcastToKernel(tf);
  registerGradient(tf, 'BroadcastTo', [], (dy, _saved, attributes) => {
    const inputShape = attributes.inputShape as number[];
    const widened = inputShape.flatMap((length, dimension) =>
      length === dy.shape[dimension] ? [] : [dimension],
    );
    return { x: () => tf.sum(dy, widened, true) };
  });
}

function registerBroadcastToKernel(tf: TensorFlow): void {
  if (tf.getKernel('BroadcastTo', tf.getBackend()) !== undefined) return;
  const native = tf.getBackend() === 'tensorflow';
  tf.registerKernel({
    kernelName: 'BroadcastTo',
    backendName: tf.getBackend(),
    kernelFunc: ({ inputs, attrs }) => {
      const x = inputs.x as unknown as Tensor;
      const shape = attrs!.shape as number[];
      if (!native) return tf.mul(x, tf.ones(shape));
      const backend = nativeBackend(tf);
      const type = backend.binding.TF_ATTR_TYPE;
      const shapeTensor = tf.tensor1d(shape, 'int32');
      const result = backend.executeSingleOutput(
        'BroadcastTo',
        [
          { name: 'T', type, value: backend.getDTypeInteger(x.dtype) },
          { name: 'Tidx', type, value: backend.getDTypeInteger('int32') },
        ],
        [x, shapeTensor],
      );
      shapeTensor.dispose();
      return result;
    },
  });
}
