import type { TensorFlow } from '../tensorflow.ts';
import { registerConvolutionGradients } from './convolution-gradients.ts';
import { registerElementwiseGradients } from './elementwise-gradients.ts';
import { registerPoolingGradients } from './pooling-gradients.ts';
import { prepareReductionGradients } from './reduction-gradients.ts';
import { prepareOnce } from './register-gradient.ts';

/**
 * Operations whose second derivative is verified against finite differences (test/unit/compute/second-derivatives.test.ts): with the gradients
 * of TensorFlow.js as they are, or with those registered below.
 */
export const twiceDifferentiable: ReadonlySet<string> = new Set([
  'Add',
  'AvgPool',
  'AvgPoolGrad',
  'BatchMatMul',
  'BroadcastTo',
  'Cast',
  'Concat',
  'Conv2D',
  'Conv2DBackpropFilter',
  'Conv2DBackpropInput',
  'DetachedRowMax',
  'Erf',
  'Exp',
  'Fill',
  'Identity',
  'Log',
  'MaxPool',
  'MaxPoolGrad',
  'Mean',
  'Multiply',
  'Neg',
  'OneHot',
  'PadV2',
  'RealDiv',
  'Relu',
  'ReluGrad',
  'Reshape',
  'Rsqrt',
  'Slice',
  'SplitV',
  'Square',
  'Step',
  'Sub',
  'Sum',
  'Tanh',
  'Transpose',
  'ZerosLike',
]);

/** Thrown when a model uses an operation whose second derivative is not verified. TensorFlow.js would give a wrong Hessian without a word. */
export class SecondDerivativeError extends Error {
  override readonly name = 'SecondDerivativeError';
  constructor(operation: string) {
    super(
      `The second derivative of ${operation} is not verified, so the Hessian could be wrong without a sign. ` +
        'Write it with operations of `twiceDifferentiable`, or register its gradient (compute/gradients/second-derivatives.ts) and add it to ' +
        'the cases that verify them.',
    );
  }
}

/**
 * Makes differentiating twice right. A gradient of TensorFlow.js that saves its operation's *output* treats it as a constant the second time;
 * each is registered again so that it saves the *input* and computes the output anew. Gradients that are missing are added.
 */
export function prepareSecondDerivatives(tf: TensorFlow): void {
  prepareReductionGradients(tf);
  prepareOnce(tf, 'second derivatives', () => {
    registerElementwiseGradients(tf);
    registerPoolingGradients(tf);
    registerConvolutionGradients(tf);
  });
}

/** The parts of TensorFlow.js' engine through which every differentiable operation passes. */
interface Engine {
  readonly state: { readonly kernelDepth: number };
  runKernel(name: string, ...rest: unknown[]): unknown;
  customGrad(f: unknown): unknown;
}

/**
 * Runs `fn` and throws {@link SecondDerivativeError} if it uses an operation that is not in {@link twiceDifferentiable}, or a `customGrad`. Give
 * it the function that is differentiated *and* its gradient: what the second derivative goes through. Operations within an operation do not
 * count, since only the outer one is differentiated.
 *
 * @example
 * const { tf } = await loadTensorFlow({ threads: 1 });
 * prepareSecondDerivatives(tf);
 * const slope = (x) => checkedForSecondDerivatives(tf, () => tf.grad((at) => tf.exp(tf.mul(at, 2)))(x));
 * tf.grad(slope)(tf.scalar(0)).dataSync()[0]; // 4
 */
export function checkedForSecondDerivatives<T>(tf: TensorFlow, fn: () => T): T {
  const engine = tf.engine() as unknown as Engine;
  const { runKernel, customGrad } = engine;
  engine.runKernel = function (this: Engine, name, ...rest) {
    if (this.state.kernelDepth === 0 && !twiceDifferentiable.has(name)) throw new SecondDerivativeError(name);
    return runKernel.call(this, name, ...rest);
  };
  engine.customGrad = () => {
    throw new SecondDerivativeError('a custom gradient');
  };
  try {
    return fn();
  } finally {
    Object.assign(engine, { runKernel, customGrad });
  }
}
