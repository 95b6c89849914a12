import type { NamedAttrMap, Tensor4D } from '@tensorflow/tfjs-node';
import type { TensorFlow } from '../tensorflow.ts';
import { registerGradient, runKernel } from './register-gradient.ts';

interface ConvolutionAttributes {
  readonly strides: number | [number, number];
  readonly pad: 'same' | 'valid' | number;
  readonly dataFormat: 'NHWC';
  readonly dimRoundingMode?: 'floor';
}

/** The gradient of a convolution's gradient in its filter, which TensorFlow.js lacks: it is bilinear in the input and dy. */
export function registerConvolutionGradients(tf: TensorFlow): void {
  registerGradient(tf, 'Conv2DBackpropFilter', ['x', 'dy'], (dd, [x, dy], attributes) => {
    const { strides, pad, dataFormat, dimRoundingMode } = attributes as unknown as ConvolutionAttributes;
    const filter = dd as Tensor4D;
    const back = { strides, pad, dataFormat, dimRoundingMode, inputShape: x!.shape };
    return {
      x: () => runKernel(tf, 'Conv2DBackpropInput', { dy: dy!, filter }, back as unknown as NamedAttrMap),
      dy: () => tf.conv2d(x as Tensor4D, filter, strides, pad, dataFormat, 1, dimRoundingMode),
    };
  });
}
