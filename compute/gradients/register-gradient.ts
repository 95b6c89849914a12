import type { NamedAttrMap, NamedTensorMap, Tensor } from '@tensorflow/tfjs-node';
import type { TensorFlow } from '../native-backend.ts';

/** What an operation gives its inputs, by their names, when its output gets `dy`. `saved` are the inputs that were asked for, in order. */
export type Gradient = (
  dy: Tensor,
  saved: Tensor[],
  attributes: NamedAttrMap,
) => Record<string, () => Tensor>;

/** Registers the gradient of an operation, in place of the one that is there. It saves inputs only: an output would count as a constant. */
export function registerGradient(
  tf: TensorFlow,
  kernelName: string,
  inputsToSave: string[],
  gradient: Gradient,
): void {
  if (tf.getGradient(kernelName) !== undefined) tf.unregisterGradient(kernelName);
  tf.registerGradient({
    kernelName,
    inputsToSave,
    gradFunc: (dy, saved, attributes) => gradient(dy as Tensor, saved, attributes),
  });
}

/** Runs one operation so that it can be differentiated. */
export function runKernel(
  tf: TensorFlow,
  kernel: string,
  inputs: Record<string, Tensor>,
  attributes: NamedAttrMap = {},
): Tensor {
  return tf.engine().runKernel(kernel, inputs as NamedTensorMap, attributes) as Tensor;
}
