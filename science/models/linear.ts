import { dense, flatten, modelOf, sequence } from './layers.ts';
import type { ModelBuilder } from './model.ts';
import { Parameters } from './parameters.ts';

/**
 * One dense layer from the pixels to the classes: softmax regression with cross-entropy. With the mean squared error the loss is exactly
 * quadratic, so its Hessian is the same at all weights.
 */
export const createLinear: ModelBuilder = ({ name, initialization }, imageShape, classes) => {
  const parameters = new Parameters();
  const pixels = imageShape[0] * imageShape[1] * imageShape[2];
  const network = sequence(flatten, dense(parameters, 'dense1', pixels, classes));
  return modelOf({ name, initialization }, imageShape, classes, parameters, network);
};
