import { describe, expect, test } from 'vitest';
import { loadTensorFlow } from '../../../../compute/tensorflow.ts';
import { standardize } from '../../../../science/examples.ts';
import { createHessianProduct } from '../../../../science/hessian/product.ts';
import { kernelMask } from '../../../../science/loss.ts';
import { RandomStream } from '../../../../science/random.ts';
import { specimens } from '../models/model-specimens.ts';
import { zoo } from '../models/zoo.ts';
import { lossAndGradient } from '../oracle/double-network.ts';

const { tf } = await loadTensorFlow({ threads: 1 });
const l2 = 2e-3;
const how = 'scale';

function direction(size: number): Float32Array {
  const random = new RandomStream(1, 'direction');
  return Float32Array.from({ length: size }, () => random.normal());
}

function expectClose(actual: Float64Array, expected: Float64Array): void {
  const squares = (values: Float64Array) => values.reduce((sum, value) => sum + value * value, 0);
  const difference = squares(actual.map((value, i) => value - expected[i]!));
  expect(Math.sqrt(difference / squares(expected))).toBeLessThan(1e-5);
}

/**
 * The Gauss-Newton matrix of cross-entropy is Fisher's information, the mean over examples of sum_c p_c g_c g_c^T with g_c the gradient if the
 * label were c and p_c = exp(-loss_c): here in double precision, by back-propagation alone.
 */
describe.each(zoo(12))('the Gauss-Newton matrix of $name', ({ model, network, data, weights }) => {
  test.each([12, 5])('is Fisher’s information, in batches of at most %i examples', async (batchSize) => {
    const vector = direction(model.size);
    const inputs = standardize(data, how);
    const pixels = inputs.length / data.examples;
    const mask = kernelMask(model);
    const expected = Float64Array.from(vector, (value, i) => 2 * l2 * mask[i]! * value);
    for (let example = 0; example < data.examples; example++) {
      const image = inputs.subarray(example * pixels, (example + 1) * pixels);
      for (let label = 0; label < data.classes; label++) {
        const one = { inputs: image, labels: [label] };
        const { loss, gradient } = lossAndGradient(network, Float64Array.from(weights), one, 0);
        const along = gradient.reduce((sum, entry, i) => sum + entry * vector[i]!, 0);
        const share = (Math.exp(-loss) * along) / data.examples;
        for (const [i, entry] of gradient.entries()) expected[i]! += share * entry;
      }
    }
    const product = createHessianProduct({
      ...{ tf, model, data, standardize: how, loss: 'cross-entropy', l2, weights, batchSize },
      matrix: 'gauss-newton',
    });
    expectClose(await product.product(vector), expected);
    product.dispose();
  });
});

test.each(specimens.filter(({ model }) => model.spec.name === 'linear'))(
  'the Gauss-Newton matrix of $name with $loss is the Hessian, for its logits are linear',
  async ({ model, loss, data, weights }) => {
    const vector = direction(model.size);
    const images: Float64Array[] = [];
    for (const matrix of ['hessian', 'gauss-newton'] as const) {
      const product = createHessianProduct({
        ...{ tf, model, data, standardize: how, loss, l2, weights },
        matrix,
      });
      images.push(await product.product(vector));
      product.dispose();
    }
    expectClose(images[1]!, images[0]!);
  },
);
