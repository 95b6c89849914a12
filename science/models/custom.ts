import {
  activation,
  convolution,
  dense,
  flatten,
  globalAverage,
  type Layer,
  modelOf,
  pool,
  sequence,
} from './layers.ts';
import { type Activation, type ImageShape, type LayerSpec, type ModelBuilder, ModelError } from './model.ts';
import { Parameters } from './parameters.ts';

/** What flows between two layers: maps of height x width x channels, or a vector. */
type Shape = ImageShape | readonly [number];

/**
 * The layers of the list one after the other, then a dense layer to the classes (after flattening, if maps are left). A convolution or dense
 * layer is followed by its own `activation`, or else the network's. Tensors are named by kind and number: conv1, conv2, dense1.
 */
export const createCustom: ModelBuilder = (spec, imageShape, classes) => {
  const { name, layers: list = [], activation: kind = 'relu', initialization } = spec;
  const parameters = new Parameters();
  const numbers = { conv: 0, dense: 0 };
  const layers: Layer[] = [];
  let shape: Shape = imageShape;
  for (const [index, layer] of list.entries()) {
    if (layer.kind === 'conv' || layer.kind === 'dense') numbers[layer.kind]++;
    const number = layer.kind === 'conv' ? numbers.conv : numbers.dense;
    const built = build(layer, shape, { parameters, number, kind, at: `layers[${index}]` });
    layers.push(built.layer);
    shape = built.shape;
  }
  if (shape.length === 3) layers.push(flatten);
  const inputs = shape.length === 3 ? shape[0] * shape[1] * shape[2] : shape[0];
  layers.push(dense(parameters, `dense${numbers.dense + 1}`, inputs, classes));
  const complete = { name, layers: list, activation: kind, initialization };
  return modelOf(complete, imageShape, classes, parameters, sequence(...layers));
};

interface Place {
  readonly parameters: Parameters;
  /** Of the layer among those of its kind, from 1. */
  readonly number: number;
  /** The network's activation. */
  readonly kind: Activation;
  /** Where the layer stands, for messages. */
  readonly at: string;
}

function build(spec: LayerSpec, shape: Shape, place: Place): { layer: Layer; shape: Shape } {
  const { parameters, number, kind, at } = place;
  const activated = (layer: Layer, own: Activation | 'none' = kind) =>
    own === 'none' ? layer : sequence(layer, activation(own));
  if (spec.kind === 'dense') {
    if (shape.length !== 1) {
      throw new ModelError(
        `${at}: a dense layer takes a vector, but here are maps of ${shape.join(' x ')} (height x width x channels).`,
        'Put `{ kind: flatten }` or `{ kind: global-average }` before it.',
      );
    }
    const layer = dense(parameters, `dense${number}`, shape[0], spec.units);
    return { layer: activated(layer, spec.activation), shape: [spec.units] };
  }
  if (shape.length !== 3) {
    throw new ModelError(
      `${at}: ${phrases[spec.kind]} takes maps of height x width x channels, but here is a vector of ${shape[0]}.`,
      'Move it before the layer that flattens the maps.',
    );
  }
  const [height, width, channels] = shape;
  if (spec.kind === 'flatten') return { layer: flatten, shape: [height * width * channels] };
  if (spec.kind === 'global-average') return { layer: globalAverage, shape: [channels] };
  const { size, padding = 'same', stride = spec.kind === 'pool' ? size : 1 } = spec;
  const along = (length: number) => Math.ceil((padding === 'same' ? length : length - size + 1) / stride);
  if (along(height) < 1 || along(width) < 1) {
    throw new ModelError(
      `${at}: ${size}x${size} without padding does not fit into maps of ${height}x${width}.`,
      'Choose a smaller `size`, or `padding: same`.',
    );
  }
  if (spec.kind === 'pool') {
    const layer = pool(spec.pooling ?? 'max', size, stride, padding);
    return { layer, shape: [along(height), along(width), channels] };
  }
  const { filters } = spec;
  const layer = convolution(parameters, `conv${number}`, {
    ...{ channels, filters, size, stride, padding },
    positions: along(height) * along(width),
  });
  return { layer: activated(layer, spec.activation), shape: [along(height), along(width), filters] };
}

const phrases = {
  conv: 'a convolution',
  pool: 'a pool',
  flatten: 'flatten',
  'global-average': 'a global average',
} as const;
