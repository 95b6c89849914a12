import { counts } from '../../options.ts';
import { activationOption, modelKind } from '../kind.ts';
import { denseStack, flatten, sequence } from '../layers.ts';

/** A multilayer perceptron: the flattened image through dense layers with the activation between them. */
export const model = modelKind({
  name: 'mlp',
  description: 'dense layers',
  options: {
    hidden: counts({ default: [64], description: 'Widths of the hidden dense layers.' }),
    activation: activationOption('relu'),
  },
  build({ hidden, activation: kind }, { imageShape, classes }, parameters) {
    const pixels = imageShape[0] * imageShape[1] * imageShape[2];
    return sequence(flatten, denseStack(parameters, [pixels, ...hidden, classes], kind));
  },
});
