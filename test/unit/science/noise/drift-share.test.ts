import { expect, test } from 'vitest';
import { loadTensorFlow } from '../../../../compute/tensorflow.ts';
import { driftShares } from '../../../../science/noise/drift-share.ts';
import { createGradients } from '../../../../science/noise/gradients.ts';
import { lossProblem } from '../../../../science/own/loss-problem.ts';
import { RandomStream } from '../../../../science/random.ts';

const { tf } = await loadTensorFlow({ threads: 1 });

/** The loss of example n is (x_n . w - y_n)^2 / 2, whose gradient is x_n (x_n . w - y_n). */
const [examples, size] = [40, 3];
const random = new RandomStream(7, 'test');
const x = Float32Array.from({ length: examples * size }, () => random.normal());
const y = Float32Array.from({ length: examples }, () => random.normal());
const problem = lossProblem({
  parameters: { w: [size] },
  data: { x: { values: x, shape: [size] }, y: { values: y } },
  loss: (tf, { w }, { x, y }) => {
    const predicted = tf.sum(tf.mul(x, tf.reshape(w, [1, size])), 1);
    return tf.div(tf.mean(tf.square(tf.sub(predicted, y))), 2);
  },
});
const at = (n: number, i: number) => x[n * size + i]!;
const gradient = (n: number, w: Float32Array, i: number) =>
  at(n, i) * (at(n, 0) * w[0]! + at(n, 1) * w[1]! + at(n, 2) * w[2]! - y[n]!);

/** Over examples, divided by N - 1: the variance of a batch of one that is half the mean square of two of them. */
function variance(value: (n: number) => number): number {
  const values = Array.from({ length: examples }, (_, n) => value(n));
  const mean = values.reduce((sum, one) => sum + one, 0) / examples;
  return values.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (examples - 1);
}

test.each([1, 4])(
  'the share is the variance of the change over the variance of the noise, for batches of %d',
  (batchSize) => {
    const gradients = createGradients({ tf, ...problem });
    const mean = Float32Array.of(0.3, -0.2, 0.5);
    const steps = [Float32Array.of(0.5, -0.1, 0.2), Float32Array.of(0.1, -0.3, 0.9)];
    const repeats = 1500;
    const many = Array.from({ length: repeats }, () => ({ mean, steps }));
    const project = (vector: Float32Array) => Float64Array.from(vector);
    const measured = driftShares(many, {
      gradients,
      examples,
      batchSize,
      project,
      random: new RandomStream(1, 'drift'),
    });
    for (let i = 0; i < size; i++) {
      const changes = steps.map((w) => variance((n) => gradient(n, w, i) - gradient(n, mean, i)));
      const noise = steps.map((w) => variance((n) => gradient(n, w, i)));
      const share = (changes[0]! + changes[1]!) / (noise[0]! + noise[1]!);
      // 3,000 squares scatter by some per cent.
      expect(measured.share[i]! / share).toBeGreaterThan(0.88);
      expect(measured.share[i]! / share).toBeLessThan(1.12);
      const level = (noise[0]! + noise[1]!) / 2 / batchSize;
      expect(measured.noiseVariance[i]! / level).toBeGreaterThan(0.88);
      expect(measured.noiseVariance[i]! / level).toBeLessThan(1.12);
    }
    gradients.dispose();
  },
);

test('weights that do not move leave nothing over', () => {
  const gradients = createGradients({ tf, ...problem });
  const mean = Float32Array.of(0.3, -0.2, 0.5);
  const project = (vector: Float32Array) => Float64Array.from(vector);
  const options = { gradients, examples, batchSize: 4, project, random: new RandomStream(1, 'drift') };
  expect([...driftShares([{ mean, steps: [mean] }], options).share]).toEqual([0, 0, 0]);
  expect(() => driftShares([], options)).toThrow(RangeError);
  gradients.dispose();
});
