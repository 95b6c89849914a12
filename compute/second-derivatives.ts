import type { NamedAttrMap, NamedTensorMap, Tensor, Tensor4D } from '@tensorflow/tfjs-node';
import { registerMaxPoolGradGrad } from './max-pool-grad-grad.ts';
import type { TensorFlow } from './tensorflow.ts';

/**
 * Operations whose second derivative is verified against finite differences (test/unit/compute/second-derivatives.test.ts): with the gradients
 * of TensorFlow.js as they are, or with those registered below.
 */
export const twiceDifferentiable: ReadonlySet<string> = new Set([
  'Add',
  'BatchMatMul',
  'Cast',
  'Conv2D',
  'Conv2DBackpropFilter',
  'Conv2DBackpropInput',
  'DetachedRowMax',
  'Exp',
  'Fill',
  'Identity',
  'Log',
  'MaxPool',
  'MaxPoolGrad',
  'Multiply',
  'Neg',
  'OneHot',
  'PadV2',
  'RealDiv',
  'Relu',
  'Reshape',
  'Slice',
  'Square',
  'Step',
  'Sub',
  'Sum',
  'Tanh',
  'ZerosLike',
]);

/** Thrown when a model uses an operation whose second derivative is not verified. TensorFlow.js would give a wrong Hessian without a word. */
export class SecondDerivativeError extends Error {
  override readonly name = 'SecondDerivativeError';
  constructor(operation: string) {
    super(
      `The second derivative of ${operation} is not verified, so the Hessian could be wrong without a sign. ` +
        'Register its gradient in compute/second-derivatives.ts and add it to the tests there.',
    );
  }
}

const prepared = new WeakSet<TensorFlow>();

interface ConvolutionAttributes {
  readonly strides: number | [number, number];
  readonly pad: 'same' | 'valid' | number;
  readonly dataFormat: 'NHWC';
  readonly dimRoundingMode?: 'floor';
}

/**
 * Makes differentiating twice right. A gradient of TensorFlow.js that saves its operation's *output* treats it as a constant the second time;
 * each is registered again so that it saves the *input* and computes the output anew. Gradients that are missing are added.
 */
export function prepareSecondDerivatives(tf: TensorFlow): void {
  if (prepared.has(tf)) return;
  prepared.add(tf);
  replaceGradient(tf, 'Exp', (dy, [x]) => ({ x: () => tf.mul(dy, tf.exp(x!)) }));
  replaceGradient(tf, 'Tanh', (dy, [x]) => ({ x: () => tf.mul(dy, oneMinusSquare(tf, tf.tanh(x!))) }));
  replaceGradient(tf, 'MaxPool', (dy, [x], attributes) => ({
    x: () => {
      const output = run(tf, 'MaxPool', { x: x! }, attributes);
      return run(tf, 'MaxPoolGrad', { dy, input: x!, output }, attributes);
    },
  }));
  registerMaxPoolGradGrad(tf);
  // The choice of the largest element is constant almost everywhere, so the gradient depends on dy alone.
  tf.registerGradient({
    kernelName: 'MaxPoolGrad',
    inputsToSave: ['input', 'output'],
    gradFunc: (dd, [input, output], attributes) => ({
      dy: () => run(tf, 'MaxPoolGradGrad', { dd: dd as Tensor, input: input!, output: output! }, attributes),
      input: () => tf.zerosLike(input!),
      output: () => tf.zerosLike(output!),
    }),
  });
  // d filter is bilinear in the input and dy.
  tf.registerGradient({
    kernelName: 'Conv2DBackpropFilter',
    inputsToSave: ['x', 'dy'],
    gradFunc: (dd, [x, dy], attributes) => {
      const { strides, pad, dataFormat, dimRoundingMode } = attributes as unknown as ConvolutionAttributes;
      const filter = dd as Tensor4D;
      return {
        x: () =>
          run(tf, 'Conv2DBackpropInput', { dy: dy!, filter }, {
            strides,
            pad,
            dataFormat,
            dimRoundingMode,
            inputShape: x!.shape,
          } as unknown as NamedAttrMap),
        dy: () => tf.conv2d(x as Tensor4D, filter, strides, pad, dataFormat, 1, dimRoundingMode),
      };
    },
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

type Gradient = (dy: Tensor, saved: Tensor[], attributes: NamedAttrMap) => Record<string, () => Tensor>;

function replaceGradient(tf: TensorFlow, kernelName: string, gradient: Gradient): void {
  tf.unregisterGradient(kernelName);
  tf.registerGradient({
    kernelName,
    inputsToSave: ['x'],
    gradFunc: (dy, saved, attributes) => gradient(dy as Tensor, saved, attributes),
  });
}

function run(
  tf: TensorFlow,
  kernel: string,
  inputs: Record<string, Tensor>,
  attributes: NamedAttrMap,
): Tensor {
  return tf.engine().runKernel(kernel, inputs as NamedTensorMap, attributes) as Tensor;
}

function oneMinusSquare(tf: TensorFlow, y: Tensor): Tensor {
  return tf.sub(1, tf.mul(y, y));
}
