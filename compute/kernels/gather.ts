import type { Tensor, Tensor1D } from '@tensorflow/tfjs-node';
import { nativeBackend, type TensorFlow } from '../tensorflow.ts';

/**
 * Rows of `values` at `indices` (int32), in that order; not differentiable. TensorFlow.js' own gather reads the indices back to check them,
 * which a recorded graph cannot; here the native operation checks them.
 */
export function gatherRows<T extends Tensor>(tf: TensorFlow, values: T, indices: Tensor1D): T {
  if (tf.getBackend() !== 'tensorflow') return tf.gather(values, indices);
  const backend = nativeBackend(tf);
  const { TF_ATTR_TYPE } = backend.binding;
  const int32 = backend.getDTypeInteger('int32');
  const attributes = [
    { name: 'Tparams', type: TF_ATTR_TYPE, value: backend.getDTypeInteger(values.dtype) },
    { name: 'Tindices', type: TF_ATTR_TYPE, value: int32 },
    { name: 'Taxis', type: TF_ATTR_TYPE, value: int32 },
    { name: 'batch_dims', type: backend.binding.TF_ATTR_INT, value: 0 },
  ];
  const axis = tf.scalar(0, 'int32');
  return backend.executeSingleOutput('GatherV2', attributes, [values, indices, axis]) as T;
}
