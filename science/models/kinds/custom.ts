import type { Option } from '../../options.ts';
import { activationOption, modelKind } from '../kind.ts';
import {
  activation,
  convolution,
  dense,
  flatten,
  globalAverage,
  type Layer,
  pool,
  sequence,
} from '../layers.ts';
import { type Activation, activations, type ImageShape, ModelError } from '../model.ts';
import type { Parameters } from '../parameters.ts';

/** One layer of the list. Convolutions and pools are of squares. */
export type LayerSpec =
  | {
      readonly kind: 'conv';
      readonly filters: number;
      readonly size: number;
      readonly stride?: number;
      readonly padding?: 'same' | 'valid';
      readonly activation?: Activation | 'none';
    }
  | {
      readonly kind: 'pool';
      readonly pooling?: 'max' | 'average';
      readonly size: number;
      readonly stride?: number;
      readonly padding?: 'same' | 'valid';
    }
  | { readonly kind: 'dense'; readonly units: number; readonly activation?: Activation | 'none' }
  | { readonly kind: 'flatten' }
  | { readonly kind: 'global-average' };

/** What flows between two layers: maps of height x width x channels, or a vector. */
type Shape = ImageShape | readonly [number];

/**
 * The layers of the list one after the other, then a dense layer to the classes (after flattening, if maps are left). A convolution or dense
 * layer is followed by its own `activation`, or else the network's. Tensors are named by kind and number: conv1, conv2, dense1.
 */
export const model = modelKind({
  name: 'custom',
  description: 'the `layers` given, then a dense layer to the classes',
  options: { layers: layersOption(), activation: activationOption('relu') },
  build({ layers: list, activation: kind }, { imageShape, classes }, parameters) {
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
    return sequence(...layers);
  },
});

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

/** The list of layers, each with the keys of its kind; what a layer leaves out is filled in. */
function layersOption(): Option<readonly LayerSpec[]> {
  const size = { type: 'integer', minimum: 1 };
  const padding = { enum: ['same', 'valid'] };
  const own = { enum: [...activations, 'none'] };
  const kinds: Record<string, { required: readonly string[]; properties: object }> = {
    conv: {
      required: ['filters', 'size'],
      properties: { filters: size, size, stride: size, padding, activation: own },
    },
    pool: {
      required: ['size'],
      properties: { pooling: { enum: ['max', 'average'] }, size, stride: size, padding },
    },
    dense: { required: ['units'], properties: { units: size, activation: own } },
    flatten: { required: [], properties: {} },
    'global-average': { required: [], properties: {} },
  };
  const ofNetwork = { from: '../../activation' };
  return {
    type: 'array',
    description:
      "Layers of custom, one after the other: `{ kind: conv, filters, size }` with stride (default 1), padding (`same`, the default, or `valid`) and activation; `{ kind: pool, size }` with pooling (`max`, the default, or `average`), stride (default size) and padding; `{ kind: dense, units }` with activation; `{ kind: flatten }`; `{ kind: global-average }`. A layer's own activation may also be `none`; default: the network's.",
    items: {
      type: 'object',
      required: ['kind'],
      defaults: {
        by: 'kind',
        of: {
          conv: { stride: 1, padding: 'same', activation: ofNetwork },
          pool: { pooling: 'max', stride: { from: 'size' }, padding: 'same' },
          dense: { activation: ofNetwork },
        },
      },
      properties: { kind: { enum: Object.keys(kinds) } },
      allOf: Object.entries(kinds).map(([kind, { required, properties }]) => ({
        if: { properties: { kind: { const: kind } }, required: ['kind'] },
        // biome-ignore lint/suspicious/noThenProperty: `then` is a keyword of JSON Schema.
        then: {
          additionalProperties: false,
          required: ['kind', ...required],
          properties: { kind: { const: kind }, ...properties },
        },
      })),
    },
  };
}
