import { counts } from '../../options.ts';
import { activationOption, modelKind } from '../kind.ts';
import { activation, convolution, denseStack, flatten, pool, sequence } from '../layers.ts';

const kernelSize = 5;

/**
 * LeNet (LeCun et al. 1998) as in Kühn and Rosenow: two convolutions of 5x5 'same' filters, each followed by the activation and 2x2 max
 * pooling, then dense layers. With 6 and 16 filters and 120-84-10 on 32x32x3 images it has 136,886 weights.
 */
export const model = modelKind({
  name: 'lenet',
  description: "two 5x5 'same' convolutions with 2x2 max pooling, then dense layers",
  options: {
    hidden: counts({ default: [120, 84], description: 'Widths of the hidden dense layers.' }),
    filters: counts({ length: 2, default: [6, 16], description: 'Filters of the two convolutions.' }),
    activation: activationOption('relu'),
  },
  build({ hidden, filters, activation: kind }, { imageShape, classes }, parameters) {
    let [height, width, channels] = imageShape;
    const convolutions = filters.map((own, index) => {
      const shape = { channels, filters: own, size: kernelSize, positions: height * width };
      [height, width, channels] = [Math.ceil(height / 2), Math.ceil(width / 2), own];
      return sequence(
        convolution(parameters, `conv${index + 1}`, shape),
        activation(kind),
        pool('max', 2, 2, 'same'),
      );
    });
    const stack = denseStack(parameters, [height * width * channels, ...hidden, classes], kind);
    return sequence(...convolutions, flatten, stack);
  },
});
