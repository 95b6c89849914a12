import type { TensorFlow } from '../tensorflow.ts';
import { registerGradient } from './register-gradient.ts';

/** Gradients of elementwise functions from their input alone, so that they can be differentiated again. */
export function registerElementwiseGradients(tf: TensorFlow): void {
  registerGradient(tf, 'Exp', ['x'], (dy, [x]) => ({ x: () => tf.mul(dy, tf.exp(x!)) }));
  registerGradient(tf, 'Tanh', ['x'], (dy, [x]) => ({
    x: () => {
      const y = tf.tanh(x!);
      return tf.mul(dy, tf.sub(1, tf.mul(y, y)));
    },
  }));
  // d x^(-1/2) = -x^(-3/2) / 2, without Pow, whose gradient saves its output.
  registerGradient(tf, 'Rsqrt', ['x'], (dy, [x]) => ({
    x: () => {
      const y = tf.rsqrt(x!);
      return tf.mul(dy, tf.mul(tf.mul(y, tf.mul(y, y)), -0.5));
    },
  }));
}
