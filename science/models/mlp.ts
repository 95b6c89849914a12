import { activation, dense, flatten, type Layer, modelOf, sequence } from './layers.ts';
import type { Activation, ModelBuilder } from './model.ts';
import { Parameters } from './parameters.ts';

/** A multilayer perceptron: the flattened image through dense layers with the activation between them. */
export const createMlp: ModelBuilder = (spec, imageShape, classes) => {
  const { name, hidden = [64], activation: kind = 'relu', initialization } = spec;
  const parameters = new Parameters();
  const pixels = imageShape[0] * imageShape[1] * imageShape[2];
  const network = sequence(flatten, denseStack(parameters, [pixels, ...hidden, classes], kind));
  return modelOf(
    { name, hidden, activation: kind, initialization },
    imageShape,
    classes,
    parameters,
    network,
  );
};

/** Dense layers of these widths, the first of which is the input's, with the activation between them. */
export function denseStack(parameters: Parameters, widths: readonly number[], kind: Activation): Layer {
  const layers = widths.slice(1).map((width, index) => {
    const layer = dense(parameters, `dense${index + 1}`, widths[index]!, width);
    return index < widths.length - 2 ? sequence(layer, activation(kind)) : layer;
  });
  return sequence(...layers);
}
