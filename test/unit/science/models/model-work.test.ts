import type { Tensor4D } from '@tensorflow/tfjs-node';
import { expect, test } from 'vitest';
import { loadTensorFlow } from '../../../../compute/tensorflow.ts';
import { createModel, type ImageShape, type Model } from '../../../../science/models/index.ts';
import { specimens } from './model-specimens.ts';

const { tf } = await loadTensorFlow({ threads: 1 });

/** Multiplications with an addition of one pass over one example, counted from the shapes that TensorFlow's kernels were given. */
async function countKernels(model: Model): Promise<number> {
  const weights = model.initialize(1);
  const { kernels } = await tf.profile(() =>
    tf.tidy(() => {
      const parameters = model.layout.map(({ shape, offset }) =>
        tf.tensor(weights.slice(offset, offset + shape.reduce((a, b) => a * b, 1)), [...shape]),
      );
      return model.logits(tf, parameters, tf.ones([1, ...model.imageShape]) as Tensor4D).clone();
    }),
  );
  let total = 0;
  for (const { name, inputShapes, outputShapes } of kernels) {
    const [a, b] = inputShapes as number[][];
    const outputs = (outputShapes[0] as number[]).reduce((x, y) => x * y, 1);
    if (name === 'Conv2D') total += outputs * b![0]! * b![1]! * b![2]!;
    // Each output of a matrix product sums over the last axis of its first factor.
    if (name === 'BatchMatMul' || name === '_FusedMatMul') total += outputs * a!.at(-1)!;
  }
  return total;
}

const sized: readonly [string, Model][] = [
  ['lenet of the paper', createModel({ name: 'lenet', initialization: 'glorot-normal' }, [32, 32, 3], 10)],
  ['resnet20 of the paper', createModel({ name: 'resnet20', initialization: 'he-normal' }, [32, 32, 3], 10)],
];

test.each([...sized, ...specimens.map(({ name, model }) => [name, model] as const)])(
  'the work of %s is what its kernels do',
  async (_name, model) => {
    expect(model.multiplyAdds).toBe(await countKernels(model));
  },
);

test("LeNet's work by hand", () => {
  const shape: ImageShape = [32, 32, 3];
  const { multiplyAdds } = createModel({ name: 'lenet', initialization: 'glorot-normal' }, shape, 10);
  expect(multiplyAdds).toBe(32 * 32 * 25 * 3 * 6 + 16 * 16 * 25 * 6 * 16 + 1024 * 120 + 120 * 84 + 84 * 10);
});
