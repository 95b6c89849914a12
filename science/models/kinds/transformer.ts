import { count } from '../../options.ts';
import { selfAttention } from '../attention.ts';
import { activationOption, modelKind } from '../kind.ts';
import { activation, convolution, dense, type Layer, residual, sequence } from '../layers.ts';
import { ModelError } from '../model.ts';
import { layerNormalization } from '../normalization.ts';
import type { Parameters } from '../parameters.ts';

/**
 * A small vision transformer (Dosovitskiy et al. 2021): the image in square patches, a dense layer of each plus a learned embedding of its
 * place, `blocks` blocks of self-attention and a two-layer perceptron, each after a layer normalization and around a shortcut (pre-norm), a
 * last layer normalization, the mean over the patches (Zhai et al. 2022) and a dense layer.
 */
export const model = modelKind({
  name: 'transformer',
  description: 'patches, self-attention blocks, mean over the patches',
  options: {
    patch: count({
      default: 4,
      description: "Pixels along the side of a patch, a divisor of the image's height and width.",
    }),
    width: count({ default: 64, description: 'Width, a multiple of `heads`.' }),
    heads: count({ default: 4, description: 'Attention heads.' }),
    blocks: count({ default: 2, description: 'Blocks of attention and perceptron.' }),
    feedForward: count({
      default: { from: 'width', times: 4 },
      description: 'Width of the hidden dense layer in each block.',
    }),
    activation: activationOption('gelu'),
  },
  build(options, { imageShape, classes }, parameters) {
    const { patch, width, heads, blocks, feedForward, activation: kind } = options;
    const [rows, columns, channels] = imageShape;
    if (rows % patch !== 0 || columns % patch !== 0) {
      throw new ModelError(
        `Patches of ${patch}x${patch} pixels do not tile images of ${rows}x${columns}.`,
        'Choose a `patch` that divides both sides.',
      );
    }
    if (width % heads !== 0) {
      throw new ModelError(
        `A width of ${width} does not divide into ${heads} heads.`,
        'Choose a `width` that is a multiple of `heads`.',
      );
    }
    const tokens = (rows / patch) * (columns / patch);
    const layers: Layer[] = [
      convolution(parameters, 'patches', {
        channels,
        filters: width,
        size: patch,
        stride: patch,
        padding: 'valid',
        positions: tokens,
      }),
      placed(parameters, tokens, width),
    ];
    for (let block = 1; block <= blocks; block++) {
      const attention = sequence(
        layerNormalization(parameters, `block${block}/norm1`, width),
        selfAttention(parameters, `block${block}/attention`, { tokens, width, heads }),
      );
      const perceptron = sequence(
        layerNormalization(parameters, `block${block}/norm2`, width),
        dense(parameters, `block${block}/dense1`, width, feedForward, tokens),
        activation(kind),
        dense(parameters, `block${block}/dense2`, feedForward, width, tokens),
      );
      layers.push(residual(attention), residual(perceptron));
    }
    layers.push(
      layerNormalization(parameters, 'norm', width),
      (x, { tf }) => tf.mean(x.reshape([-1, tokens, width]), 1),
      dense(parameters, 'dense1', width, classes),
    );
    return sequence(...layers);
  },
});

/** Adds its embedding to each place, and lays the places of all examples one below the other: (examples * tokens) x width. */
function placed(parameters: Parameters, tokens: number, width: number): Layer {
  const embedding = parameters.add('places/embedding', [tokens, width], 'embedding');
  return (x, { tf, parameters: own }) =>
    tf.add(x.reshape([-1, tokens, width]), own[embedding]!).reshape([-1, width]);
}
