import type { Tensor2D } from '@tensorflow/tfjs-node';
import { initialWeights, layOut } from './layout.ts';
import type { ImageShape, Model, ModelSpec } from './model.ts';

/** A multilayer perceptron: the flattened image through dense layers with the activation between them. */
export function createMlp(spec: ModelSpec, imageShape: ImageShape, classes: number): Model {
  const widths = [imageShape[0] * imageShape[1] * imageShape[2], ...spec.hidden, classes];
  const { layout, size } = layOut(
    widths.slice(1).flatMap((width, index) => [
      { name: `dense${index + 1}/kernel`, shape: [widths[index]!, width] },
      { name: `dense${index + 1}/bias`, shape: [width] },
    ]),
  );
  return {
    spec,
    imageShape,
    classes,
    layout,
    size,
    initialize: (seed) => initialWeights(layout, size, spec.initialization, seed),
    logits(tf, parameters, images) {
      let hidden = images.reshape([images.shape[0], widths[0]!]) as Tensor2D;
      for (let layer = 0; layer < widths.length - 1; layer++) {
        hidden = tf.add(tf.matMul(hidden, parameters[2 * layer] as Tensor2D), parameters[2 * layer + 1]!);
        if (layer < widths.length - 2) hidden = tf[spec.activation](hidden);
      }
      return hidden;
    },
  };
}
