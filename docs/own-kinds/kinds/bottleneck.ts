import { denseStack, flatten, type OwnModel, sequence } from 'epochal/kinds';

export const model: OwnModel<{ readonly width: number; readonly bottleneck: number }> = {
  build({ width, bottleneck }, { imageShape, classes }, parameters) {
    const pixels = imageShape[0] * imageShape[1] * imageShape[2];
    return sequence(flatten, denseStack(parameters, [pixels, width, bottleneck, classes], 'tanh'));
  },
};
