import { nativeBackend, type TensorFlow } from '../native-backend.ts';
import { registerGradient, runKernel } from './register-gradient.ts';

/**
 * Gives Relu a gradient of one operation, `ReluGrad`: dy where x > 0, else 0. TensorFlow.js multiplies with a step function that it makes of
 * four operations. ReluGrad is linear in dy, and constant in x but for the points where the second derivative does not exist.
 */
export function registerReluGradient(tf: TensorFlow): void {
  tf.registerKernel({
    kernelName: 'ReluGrad',
    backendName: 'tensorflow',
    kernelFunc: ({ inputs }) => {
      const backend = nativeBackend(tf);
      const { TF_ATTR_TYPE, TF_FLOAT } = backend.binding;
      const attributes = [{ name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT }];
      return backend.executeSingleOutput('ReluGrad', attributes, [inputs.dy, inputs.x]);
    },
  });
  registerGradient(tf, 'Relu', ['x'], (dy, [x]) => ({ x: () => runKernel(tf, 'ReluGrad', { dy, x: x! }) }));
  registerGradient(tf, 'ReluGrad', ['x'], (dd, [x]) => ({
    dy: () => runKernel(tf, 'ReluGrad', { dy: dd, x: x! }),
    x: () => tf.zerosLike(x!),
  }));
}
