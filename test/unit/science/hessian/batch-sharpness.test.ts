import { Matrix } from 'ml-matrix';
import { expect, test } from 'vitest';
import { loadTensorFlow } from '../../../../compute/tensorflow.ts';
import { standardize } from '../../../../science/examples.ts';
import {
  createBatchCurvature,
  meanOverBatches,
  stabilityThresholds,
} from '../../../../science/hessian/batch-sharpness.ts';
import { createModel } from '../../../../science/models/index.ts';
import { RandomStream } from '../../../../science/random.ts';
import { zoo } from '../models/zoo.ts';
import { lossAndGradient } from '../oracle/double-network.ts';
import { squaredErrorOf } from '../oracle/linear-squares.ts';
import { randomExamples } from '../oracle/random-examples.ts';

const { tf } = await loadTensorFlow({ threads: 1 });
const l2 = 3e-3;
const batches = [Int32Array.of(7, 0, 3, 11), Int32Array.of(1, 2, 8, 9, 4)];

test('of a linear model with squared error is the quotient of the dense Hessian of the batch', () => {
  const random = new RandomStream(3, 'batch sharpness');
  const shape = [3, 2, 1] as const;
  const data = randomExamples(random, shape, 3, 12);
  const spec = { name: 'linear', initialization: 'glorot-normal' } as const;
  const model = createModel(spec, shape, 3);
  const weights = model.initialize(2);
  const options = { tf, model, data, standardize: 'scale', loss: 'mean-squared-error', l2 } as const;
  const curvature = createBatchCurvature(options);
  for (const batch of batches) {
    const { gradient, hessian } = squaredErrorOf(model, data, weights, l2, batch);
    const g = Matrix.columnVector([...gradient]);
    const expected = g.transpose().mmul(hessian).mmul(g).get(0, 0) / g.dot(g);
    expect(curvature.along(weights, batch) / expected).toBeCloseTo(1, 5);
  }
  curvature.dispose();
});

test.each(zoo(12).filter(({ network }) => network.activation === 'tanh'))(
  'of $name is the change of its gradient along itself, in double precision',
  ({ model, network, data, weights }) => {
    const curvature = createBatchCurvature({
      tf,
      model,
      data,
      standardize: 'scale',
      loss: 'cross-entropy',
      l2,
    });
    const inputs = standardize(data, 'scale');
    const pixels = inputs.length / data.examples;
    for (const batch of batches) {
      const own = {
        inputs: Float64Array.from(
          [...batch].flatMap((n) => [...inputs.subarray(n * pixels, (n + 1) * pixels)]),
        ),
        labels: Int32Array.from(batch, (n) => data.labels[n]!),
      };
      const theta = Float64Array.from(weights);
      const gradientAt = (at: Float64Array<ArrayBuffer>) => lossAndGradient(network, at, own, l2).gradient;
      const g = gradientAt(theta);
      const square = g.reduce((sum, value) => sum + value ** 2, 0);
      const step = 1e-4 / Math.sqrt(square);
      const [ahead, behind] = [1, -1].map((sign) =>
        gradientAt(theta.map((value, i) => value + sign * step * g[i]!)),
      );
      const along = g.reduce((sum, value, i) => sum + (value * (ahead![i]! - behind![i]!)) / (2 * step), 0);
      expect(curvature.along(weights, batch) / (along / square)).toBeCloseTo(1, 4);
    }
    curvature.dispose();
  },
);

test('a batch without a gradient has no direction, and is left out of the mean', () => {
  expect(meanOverBatches([1, Number.NaN, 2, 6])).toEqual({
    mean: 3,
    standardError: Math.sqrt(14 / 2 / 3),
    batches: 3,
  });
  expect(meanOverBatches([4]).standardError).toBeNaN();
});

test('the thresholds are 2 / eta without momentum, and lie apart with it', () => {
  expect(stabilityThresholds(0.1, 0)).toEqual({ smallBatch: 20, fullBatch: 20 });
  const { smallBatch, fullBatch } = stabilityThresholds(0.5, 0.75);
  expect([smallBatch, fullBatch]).toEqual([1, 7]);
});
