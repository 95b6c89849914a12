import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs-node';
import type { TensorFlow } from '../../compute/tensorflow.ts';
import type { Activation, ImageShape, Model, ModelSpec } from './model.ts';
import { type Moments, momentsOfBatch } from './moments.ts';
import type { Parameters } from './parameters.ts';

/** What one pass through a network needs at each of its layers. */
export interface Pass {
  readonly tf: TensorFlow;
  readonly parameters: readonly Tensor[];
  readonly moments: Moments;
}

export type Layer = (x: Tensor, pass: Pass) => Tensor;

export interface ConvolutionShape {
  readonly channels: number;
  readonly filters: number;
  readonly size: number;
  readonly stride?: number;
  readonly padding?: 'same' | 'valid';
  /** Height times width of what it makes. */
  readonly positions: number;
  /** Default true; superfluous before a batch normalization. */
  readonly bias?: boolean;
}

/** x W + b for x of (examples * rows) x inputs. */
export function dense(
  parameters: Parameters,
  name: string,
  inputs: number,
  outputs: number,
  rows = 1,
): Layer {
  parameters.work(rows * inputs * outputs);
  const kernel = parameters.add(`${name}/kernel`, [inputs, outputs], 'kernel');
  const bias = parameters.add(`${name}/bias`, [outputs], 'bias');
  return (x, pass) =>
    pass.tf.add(pass.tf.matMul(x as Tensor2D, pass.parameters[kernel] as Tensor2D), pass.parameters[bias]!);
}

/** A convolution of square filters, with zeros around the image if padding is `same` (the default). */
export function convolution(parameters: Parameters, name: string, shape: ConvolutionShape): Layer {
  const { channels, filters, size, stride = 1, padding = 'same', positions } = shape;
  parameters.work(positions * size * size * channels * filters);
  const kernel = parameters.add(`${name}/kernel`, [size, size, channels, filters], 'kernel');
  const bias = shape.bias === false ? undefined : parameters.add(`${name}/bias`, [filters], 'bias');
  return (x, { tf, parameters: own }) => {
    const filtered = tf.conv2d(x as Tensor4D, own[kernel] as Tensor4D, stride, padding);
    return bias === undefined ? filtered : tf.add(filtered, own[bias]!);
  };
}

/** The largest value or the mean of each square; zeros around the image never count. */
export function pool(
  pooling: 'max' | 'average',
  size: number,
  stride: number,
  padding: 'same' | 'valid',
): Layer {
  return (x, { tf }) =>
    pooling === 'max'
      ? tf.maxPool(x as Tensor4D, size, stride, padding)
      : tf.avgPool(x as Tensor4D, size, stride, padding);
}

/** The mean over height and width. */
export const globalAverage: Layer = (x, { tf }) => tf.mean(x, [1, 2]);

/** examples x (all else, row by row) */
export const flatten: Layer = (x) => x.reshape([x.shape[0]!, x.size / x.shape[0]!]);

/** The activation of this name; gelu is the exact x Phi(x) (Hendrycks and Gimpel 2016), Phi the normal distribution function. */
export function activation(name: Activation): Layer {
  if (name !== 'gelu') return (x, { tf }) => tf[name](x);
  return (x, { tf }) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
}

/** The layers one after the other. What each computes on its way is given back at once, unless a gradient needs it. */
export function sequence(...layers: readonly Layer[]): Layer {
  return (x, pass) => layers.reduce((value, layer) => pass.tf.tidy(() => layer(value, pass)), x);
}

/** Dense layers of these widths, the first of which is the input's, with the activation between them. */
export function denseStack(parameters: Parameters, widths: readonly number[], kind: Activation): Layer {
  const layers = widths.slice(1).map((width, index) => {
    const layer = dense(parameters, `dense${index + 1}`, widths[index]!, width);
    return index < widths.length - 2 ? sequence(layer, activation(kind)) : layer;
  });
  return sequence(...layers);
}

/** The branch plus its input, which goes through the shortcut if there is one. */
export function residual(branch: Layer, shortcut: Layer = (x) => x): Layer {
  return (x, pass) => pass.tf.add(branch(x, pass), shortcut(x, pass));
}

/** A network from its parameters and the layer that makes logits of images. */
export function modelOf(
  spec: ModelSpec,
  imageShape: ImageShape,
  classes: number,
  parameters: Parameters,
  network: Layer,
): Model {
  const { layout, size, normalizations, multiplyAdds } = parameters;
  return {
    spec,
    imageShape,
    classes,
    layout,
    size,
    normalizations,
    multiplyAdds,
    initialize: (seed) => parameters.initialize(spec.initialization, seed),
    logits: (tf, own, images, moments = momentsOfBatch) => network(images, { tf, parameters: own, moments }),
  };
}
