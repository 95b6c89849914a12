import { modelKind } from '../kind.ts';
import { dense, flatten, sequence } from '../layers.ts';

/**
 * One dense layer from the pixels to the classes: softmax regression with cross-entropy. With the mean squared error the loss is exactly
 * quadratic, so its Hessian is the same at all weights.
 */
export const model = modelKind({
  name: 'linear',
  description: 'one dense layer (softmax regression)',
  options: {},
  build(_options, { imageShape, classes }, parameters) {
    const pixels = imageShape[0] * imageShape[1] * imageShape[2];
    return sequence(flatten, dense(parameters, 'dense1', pixels, classes));
  },
});
