import type { NamedAttrMap, Tensor } from '@tensorflow/tfjs-node';
import { nativeBackend, type TensorFlow } from '../native-backend.ts';

/** One operation of the native backend as a function. */
export type Kernel<Attributes> = (inputs: Record<string, Tensor>, attributes: Attributes) => Tensor;

/** The kernel that is registered now. */
export function nativeKernel<Attributes>(tf: TensorFlow, name: string): Kernel<Attributes> {
  const { kernelFunc } = tf.getKernel(name, 'tensorflow');
  const backend = nativeBackend(tf);
  return (inputs, attributes) =>
    kernelFunc({ inputs, backend, attrs: attributes as unknown as NamedAttrMap }) as Tensor;
}

/** Puts another kernel in place of the one that is registered. Its gradient stays as it is; what it makes on the way is disposed of. */
export function replaceNativeKernel<Attributes>(
  tf: TensorFlow,
  kernelName: string,
  kernel: Kernel<Attributes>,
): void {
  tf.unregisterKernel(kernelName, 'tensorflow');
  tf.registerKernel({
    kernelName,
    backendName: 'tensorflow',
    kernelFunc: ({ inputs, attrs }) =>
      tf.tidy(() => kernel(inputs as unknown as Record<string, Tensor>, attrs as unknown as Attributes)),
  });
}
