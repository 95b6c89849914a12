import { activation, convolution, flatten, modelOf, pool, sequence } from './layers.ts';
import { denseStack } from './mlp.ts';
import type { ModelBuilder } from './model.ts';
import { Parameters } from './parameters.ts';

const kernelSize = 5;

/**
 * LeNet (LeCun et al. 1998) as in Kühn and Rosenow: two convolutions of 5x5 'same' filters, each followed by the activation and 2x2 max
 * pooling, then dense layers. With 6 and 16 filters and 120-84-10 on 32x32x3 images it has 136,886 weights.
 */
export const createLenet: ModelBuilder = (spec, imageShape, classes) => {
  const { name, initialization, hidden = [120, 84], filters = [6, 16], activation: kind = 'relu' } = spec;
  const parameters = new Parameters();
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
  const complete = { name, hidden, filters, activation: kind, initialization };
  return modelOf(complete, imageShape, classes, parameters, sequence(...convolutions, flatten, stack));
};
