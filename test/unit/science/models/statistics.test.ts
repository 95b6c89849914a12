import { expect, test } from 'vitest';
import { loadTensorFlow } from '../../../../compute/tensorflow.ts';
import { type Examples, standardize } from '../../../../science/examples.ts';
import { createModel } from '../../../../science/models/index.ts';
import { statisticsAt } from '../../../../science/models/statistics.ts';
import { RandomStream } from '../../../../science/random.ts';
import { type DoubleProblem, doubleLoss } from '../oracle/double-loss.ts';

const { tf } = await loadTensorFlow({ threads: 1 });
const shape = [3, 5, 2] as const;
const model = createModel(
  { name: 'resnet20', width: 1, blocks: 1, activation: 'tanh', initialization: 'he-normal' },
  shape,
  2,
);

function random(examples: number): Examples {
  const stream = new RandomStream(2, 'images');
  const images = Uint8Array.from({ length: examples * 30 }, () => stream.below(256));
  const labels = Int32Array.from({ length: examples }, () => stream.below(2));
  return { images, labels, shape, classes: 2, examples };
}

/** Means and variances of examples [from, until), in double precision. */
function momentsOf(data: Examples, weights: Float32Array, from: number, until: number): readonly number[] {
  const problem: DoubleProblem = {
    spec: model.spec,
    shape,
    classes: 2,
    inputs: standardize(data, 'scale').subarray(30 * from, 30 * until),
    labels: data.labels.subarray(from, until),
    loss: 'cross-entropy',
    l2: 0,
    kernels: [],
  };
  return doubleLoss(problem, Float64Array.from(weights)).moments;
}

test('of more than one batch are those of the mixture of its halves', () => {
  const data = random(501);
  const weights = model.initialize(4);
  const parts = [momentsOf(data, weights, 0, 250), momentsOf(data, weights, 250, 501)];
  const shares = [250 / 501, 251 / 501];
  const actual = statisticsAt({ tf, model, data, standardize: 'scale' }, weights);
  let offset = 0;
  for (const channels of model.normalizations) {
    for (let channel = offset; channel < offset + channels; channel++) {
      // The variance of a mixture is E[x^2] - E[x]^2.
      const first = shares.reduce((sum, share, part) => sum + share * parts[part]![channel]!, 0);
      const second = shares.reduce((sum, share, part) => {
        const [mean, variance] = [parts[part]![channel]!, parts[part]![channel + channels]!];
        return sum + share * (variance + mean ** 2);
      }, 0);
      expect(actual[channel]).toBeCloseTo(first, 5);
      expect(actual[channel + channels]).toBeCloseTo(second - first ** 2, 5);
    }
    offset += 2 * channels;
  }
  // What enters the first normalization does not depend on the others, so there the mixture is the whole set.
  const whole = momentsOf(data, weights, 0, 501);
  expect(actual[0]).toBeCloseTo(whole[0]!, 5);
  expect(actual[1]).toBeCloseTo(whole[1]!, 5);
});

test('are empty for a network without batch normalization', () => {
  const linear = createModel({ name: 'linear', initialization: 'he-normal' }, shape, 2);
  const options = { tf, model: linear, data: random(3), standardize: 'scale' } as const;
  expect(statisticsAt(options, linear.initialize(0))).toEqual(new Float32Array(0));
});

test('leave no tensor behind', () => {
  const options = { tf, model, data: random(20), standardize: 'scale' } as const;
  const before = tf.memory().numTensors;
  statisticsAt(options, model.initialize(0));
  expect(tf.memory().numTensors).toBe(before);
});
