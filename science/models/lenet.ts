import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs-node';
import { initialWeights, layOut } from './layout.ts';
import type { ImageShape, Model, ModelSpec } from './model.ts';

const kernelSize = 5;

/**
 * LeNet (LeCun et al. 1998) as in Kühn and Rosenow: two convolutions of 5x5 'same' filters, each followed by the activation and 2x2 max
 * pooling, then dense layers. With 6 and 16 filters and 120-84-10 on 32x32x3 images it has 136,886 weights.
 */
export function createLenet(spec: ModelSpec, imageShape: ImageShape, classes: number): Model {
  const [height, width, channels] = imageShape;
  const [first, second] = spec.filters as readonly [number, number];
  const halved = (length: number) => Math.ceil(length / 2);
  const flat = halved(halved(height)) * halved(halved(width)) * second;
  const widths = [flat, ...spec.hidden, classes];
  const { layout, size } = layOut([
    { name: 'conv1/kernel', shape: [kernelSize, kernelSize, channels, first] },
    { name: 'conv1/bias', shape: [first] },
    { name: 'conv2/kernel', shape: [kernelSize, kernelSize, first, second] },
    { name: 'conv2/bias', shape: [second] },
    ...widths.slice(1).flatMap((outputs, index) => [
      { name: `dense${index + 1}/kernel`, shape: [widths[index]!, outputs] },
      { name: `dense${index + 1}/bias`, shape: [outputs] },
    ]),
  ]);
  return {
    spec,
    imageShape,
    classes,
    layout,
    size,
    initialize: (seed) => initialWeights(layout, size, spec.initialization, seed),
    logits(tf, parameters, images) {
      const activate = tf[spec.activation];
      let maps: Tensor4D = images;
      for (const layer of [0, 1]) {
        const filtered = tf.conv2d(maps, parameters[2 * layer] as Tensor4D, 1, 'same');
        maps = tf.maxPool(activate(tf.add(filtered, parameters[2 * layer + 1]!)) as Tensor4D, 2, 2, 'same');
      }
      let hidden = maps.reshape([images.shape[0], flat]) as Tensor2D;
      for (let layer = 0; layer < widths.length - 1; layer++) {
        hidden = tf.add(tf.matMul(hidden, parameters[4 + 2 * layer] as Tensor2D), parameters[5 + 2 * layer]!);
        if (layer < widths.length - 2) hidden = activate(hidden);
      }
      return hidden;
    },
  };
}
