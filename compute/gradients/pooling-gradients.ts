import { registerMaxPoolGradGrad } from '../kernels/max-pool-grad-grad.ts';
import type { TensorFlow } from '../tensorflow.ts';
import { registerGradient, runKernel } from './register-gradient.ts';

/** Gradients of the pooling operations and of their gradients. */
export function registerPoolingGradients(tf: TensorFlow): void {
  registerGradient(tf, 'MaxPool', ['x'], (dy, [x], attributes) => ({
    x: () => {
      const output = runKernel(tf, 'MaxPool', { x: x! }, attributes);
      return runKernel(tf, 'MaxPoolGrad', { dy, input: x!, output }, attributes);
    },
  }));
  registerMaxPoolGradGrad(tf);
  // The choice of the largest element is constant almost everywhere, so the gradient depends on dy alone.
  registerGradient(tf, 'MaxPoolGrad', ['input', 'output'], (dd, [input, output], attributes) => ({
    dy: () => runKernel(tf, 'MaxPoolGradGrad', { dd, input: input!, output: output! }, attributes),
    input: () => tf.zerosLike(input!),
    output: () => tf.zerosLike(output!),
  }));
  // An average is linear: the gradient of its adjoint is the average itself.
  registerGradient(tf, 'AvgPoolGrad', ['input'], (dd, [input], attributes) => ({
    dy: () => runKernel(tf, 'AvgPool', { x: dd }, attributes),
    input: () => tf.zerosLike(input!),
  }));
}
