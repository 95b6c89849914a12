import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadTensorFlow } from '../../../compute/tensorflow.ts';
import { createEvaluator } from '../../../science/evaluate.ts';
import { standardize } from '../../../science/examples.ts';
import { createHessianProduct } from '../../../science/hessian/product.ts';
import { laneSizes, sharingFor } from '../../../science/lanes.ts';
import { createModel } from '../../../science/models/index.ts';
import { RandomStream } from '../../../science/random.ts';
import { createTrainer, type SgdState } from '../../../science/sgd.ts';
import { zoo, zooTraining } from './models/zoo.ts';
import { lossAndGradient } from './oracle/double-network.ts';

const { tf } = await loadTensorFlow({ threads: 1 });
const { model, network, data, weights } = zoo(230).at(-1)!;
const training = { ...zooTraining, batchSize: 35 };
const { l2 } = training;
const labelled = { inputs: standardize(data, 'scale'), labels: data.labels };
const exactGradient = (at: Float64Array<ArrayBuffer>) => lossAndGradient(network, at, labelled, l2).gradient;

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [difference, length] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    length += b[i]! ** 2;
  }
  return Math.sqrt(difference / length);
}

test('lanes hold all examples, as equal as can be, and at least eight each', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 70 }), (count, lanes) => {
      const sizes = laneSizes(count, lanes);
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(count);
      expect(sizes.length).toBe(Math.max(1, Math.min(lanes, Math.floor(count / 8))));
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }),
  );
});

describe('three lanes compute what one does', () => {
  test('in SGD', async () => {
    const trained = async (lanes: number) => {
      const trainer = createTrainer({ tf, model, data, standardize: 'scale', training, lanes });
      let state: SgdState = { weights, velocity: new Float32Array(model.size), step: 0 };
      const losses: number[] = [];
      for await (const chunk of trainer.epoch(state, 0, 0.05)) {
        losses.push(...chunk.losses);
        state = chunk.state;
      }
      trainer.dispose();
      return { losses, change: state.weights.map((weight, i) => weight - weights[i]!) };
    };
    const [one, three] = [await trained(1), await trained(3)];
    expect(distance(three.losses, one.losses)).toBeLessThan(1e-6);
    expect(distance(three.change, one.change)).toBeLessThan(1e-5);
    expect(three.change).not.toEqual(one.change);
  });

  test.each(['hessian', 'gauss-newton'] as const)('in products with the %s', async (matrix) => {
    const random = new RandomStream(1, 'direction');
    const vector = Float32Array.from({ length: model.size }, () => random.normal());
    const product = async (lanes: number) => {
      const options = { tf, model, data, standardize: 'scale', loss: 'cross-entropy', l2, weights } as const;
      const hessian = createHessianProduct({ ...options, matrix, batchSize: 100, lanes });
      const images = [await hessian.product(vector), await hessian.product(vector)];
      hessian.dispose();
      expect(images[1]).toEqual(images[0]);
      return images[0]!;
    };
    const tensors = tf.memory().numTensors;
    const [one, three] = [await product(1), await product(3)];
    expect(distance(three, one)).toBeLessThan(2e-6);
    expect(three).not.toEqual(one);
    expect(tf.memory().numTensors).toBe(tensors);
  });

  test('in an evaluation', () => {
    const of = (lanes: number) =>
      createEvaluator({ tf, model, standardize: 'scale', loss: 'cross-entropy', l2, lanes })(weights, data);
    expect(of(3).accuracy).toBe(of(1).accuracy);
    expect(of(3).loss).toBeCloseTo(of(1).loss, 6);
  });
});

test('three lanes have the gradient and the product of double precision', async () => {
  const common = { tf, model, data, standardize: 'scale', lanes: 3 } as const;
  const trainer = createTrainer({ ...common, training: { ...training, batchSize: 230 } });
  const start: SgdState = { weights, velocity: new Float32Array(model.size), step: 0 };
  let velocity = start.velocity;
  for await (const chunk of trainer.epoch(start, 0, 1)) velocity = chunk.state.velocity;
  trainer.dispose();
  const theta = Float64Array.from(weights);
  const descent = exactGradient(theta).map((slope) => -slope);
  expect(distance(velocity, descent)).toBeLessThan(2e-6);

  const random = new RandomStream(2, 'direction');
  const vector = Float32Array.from({ length: model.size }, () => random.normal());
  const hessian = createHessianProduct({ ...common, loss: 'cross-entropy', l2, weights });
  const image = await hessian.product(vector);
  hessian.dispose();
  const step = 1e-6;
  const [above, below] = [step, -step].map((h) => exactGradient(theta.map((at, i) => at + h * vector[i]!)));
  const exact = above!.map((slope, i) => (slope - below![i]!) / (2 * step));
  expect(distance(image, exact)).toBeLessThan(1e-5);
});

test('a network whose examples depend on one another has no lanes', () => {
  const resnet = createModel(
    { name: 'resnet20', activation: 'relu', initialization: 'he-normal' },
    [8, 8, 1],
    3,
  );
  expect(sharingFor(resnet)).toBe('operations');
  expect(sharingFor(model)).toBe('graphs');
});

test('two threads give two lanes the bits that one thread gives them, each time', async () => {
  const script = fileURLToPath(new URL('./lanes-process.ts', import.meta.url));
  const run = async (threads: number) => {
    const { stdout } = await promisify(execFile)(process.execPath, [script, String(threads)]);
    return JSON.parse(stdout) as { lanes: number; digest: string };
  };
  const [one, two] = [await run(1), await run(2)];
  expect(one.lanes).toBe(1);
  expect(two.lanes).toBe(2);
  expect(two.digest).toBe(one.digest);
});
