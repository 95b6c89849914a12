import type { Tensor4D } from '@tensorflow/tfjs-node';
import { count } from '../../options.ts';
import { activationOption, modelKind } from '../kind.ts';
import {
  activation,
  convolution,
  dense,
  globalAverage,
  type Layer,
  pool,
  residual,
  sequence,
} from '../layers.ts';
import { batchNormalization } from '../normalization.ts';

/**
 * The residual network of He et al. (2016), "Deep residual learning for image recognition", for CIFAR-10: a 3x3 convolution, three stages of
 * `blocks` = 3 blocks of two 3x3 convolutions with `width` = 16, 32 and 64 filters, each convolution followed by batch normalization, the
 * mean over the image, and a dense layer. The second and third stage begin at stride 2; there the shortcut is the thinned-out input with
 * zeros for the new channels (their option A). On 32x32x3 images it has 269,722 weights ("0.27M").
 *
 * While training, batch normalization takes the moments of the batch, so the gradient of a batch is *not* a sum over its examples: the theory's
 * noise covariance, of a batch drawn from independent examples, holds for it only approximately. In evaluation and in the Hessian the
 * moments are fixed numbers of the training set (statistics.ts), and the loss is a sum over examples again.
 */
export const model = modelKind({
  name: 'resnet20',
  description: 'the residual network of He et al. (2016) for CIFAR-10, with batch normalization',
  options: {
    width: count({
      default: 16,
      description: 'Filters of the first stage, which the second and third double.',
    }),
    blocks: count({ default: 3, description: 'Blocks in each of the three stages.' }),
    activation: activationOption('relu'),
  },
  build({ width, blocks, activation: kind }, { imageShape, classes }, parameters) {
    const activate = activation(kind);
    let [rows, columns] = imageShape;
    const normalized = (layer: string, channels: number, filters: number, stride: number): Layer => {
      [rows, columns] = [Math.ceil(rows / stride), Math.ceil(columns / stride)];
      const shape = { channels, filters, size: 3, stride, bias: false, positions: rows * columns };
      return sequence(
        convolution(parameters, `${layer}/conv`, shape),
        batchNormalization(parameters, `${layer}/norm`, filters),
      );
    };

    const layers: Layer[] = [normalized('stem', imageShape[2], width, 1), activate];
    let channels = width;
    for (const [stage, factor] of [1, 2, 4].entries()) {
      for (let block = 0; block < blocks; block++) {
        const filters = factor * width;
        const stride = stage > 0 && block === 0 ? 2 : 1;
        const at = `stage${stage + 1}/block${block + 1}`;
        const first = normalized(`${at}/1`, channels, filters, stride);
        const second = normalized(`${at}/2`, filters, filters, 1);
        const shortcut = stride === 1 ? undefined : thinned(filters - channels);
        layers.push(residual(sequence(first, activate, second), shortcut), activate);
        channels = filters;
      }
    }
    layers.push(globalAverage, dense(parameters, 'dense1', channels, classes));
    return sequence(...layers);
  },
});

/** Every other row and column, and `channels` channels of zeros after those that are there. */
function thinned(channels: number): Layer {
  const halve = pool('average', 1, 2, 'same');
  return (x, pass) =>
    pass.tf.pad(halve(x, pass) as Tensor4D, [
      [0, 0],
      [0, 0],
      [0, 0],
      [0, channels],
    ]);
}
