import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-node';
import { describe, expect, test } from 'vitest';
import { prepareSecondDerivatives } from '../../../../compute/gradients/second-derivatives.ts';
import { captureGraph } from '../../../../compute/graph/graph.ts';
import { loadTensorFlow } from '../../../../compute/tensorflow.ts';
import { createEvaluator } from '../../../../science/evaluate.ts';
import { standardize } from '../../../../science/examples.ts';
import { createHessianProduct } from '../../../../science/hessian/product.ts';
import { batchLoss, kernelMask } from '../../../../science/loss.ts';
import { withMoments } from '../../../../science/models/model.ts';
import { fixedMoments } from '../../../../science/models/moments.ts';
import { statisticsAt } from '../../../../science/models/statistics.ts';
import { RandomStream } from '../../../../science/random.ts';
import { createTrainer, type SgdState } from '../../../../science/sgd.ts';
import { doubleHessianProduct, doubleLoss } from '../oracle/double-loss.ts';
import { specimens } from './model-specimens.ts';

const { tf } = await loadTensorFlow({ threads: 1 });
prepareSecondDerivatives(tf);

describe.each(specimens)('$name', ({ model, loss, data, weights, l2, problem }) => {
  const theta = Float64Array.from(weights);
  const how = 'per-image';
  const images = tf.tensor4d(standardize(data, how), [data.examples, ...data.shape]);
  const labels = tf.tensor1d(data.labels, 'int32');
  const mask = kernelMask(model);
  const statistics = statisticsAt({ tf, model, data, standardize: how }, weights);
  const fixed = { ...problem, statistics: [...statistics] };
  const normalized = model.normalizations.length > 0;

  const gradientOf =
    (own = model) =>
    ([at, x, y]: Tensor[]): Tensor[] => {
      const f = (w: Tensor) =>
        batchLoss(tf, { model: own, loss }, w as Tensor1D, x as Tensor4D, y as Tensor1D);
      const { value, grad } = tf.valueAndGrad(f)(at!);
      return [value, grad];
    };

  test('has the loss and gradient of double precision, with the moments of the batch', () => {
    const [value, gradient] = gradientOf()([tf.tensor1d(weights), images, labels]);
    const expected = doubleLoss({ ...problem, l2: 0 }, theta);
    expect(value!.dataSync()[0]).toBeCloseTo(expected.loss, 5);
    expect(relativeDistance(gradient!.dataSync(), expected.gradient)).toBeLessThan(1e-5);
  });

  test('is evaluated like in double precision, with the fixed moments', () => {
    const evaluate = createEvaluator({ tf, model, standardize: how, loss, l2, population: data });
    expect(evaluate(weights, data).loss).toBeCloseTo(doubleLoss(fixed, theta).loss, 5);
  });

  test.each([
    ['one batch', {}],
    ['batches of 4 and 3 examples', { batchSize: 4 }],
  ])('has the Hessian of double precision, in %s', async (_name, cut) => {
    const options = { tf, model, data, standardize: how, loss, l2, statistics, weights, ...cut } as const;
    const hessian = createHessianProduct(options);
    const random = new RandomStream(1, 'direction');
    const v = Float32Array.from({ length: model.size }, () => random.normal());
    const product = await hessian.product(v);
    const expected = doubleHessianProduct(fixed, theta, v);
    expect(relativeDistance(product, expected)).toBeLessThan(2e-5);
    // Each tensor by itself too, since a wrong one among small ones would not show in the whole.
    const scale = norm(expected) / Math.sqrt(model.size);
    for (const { name, offset, shape } of model.layout) {
      const until = offset + shape.reduce((a, b) => a * b);
      const own = expected.subarray(offset, until);
      const size = norm(own) + scale * Math.sqrt(own.length);
      expect(distance(product.subarray(offset, until), own) / size, name).toBeLessThan(1e-4);
    }
    hessian.dispose();
  });

  test.runIf(normalized)('has the Hessian of double precision, with the moments of the batch', async () => {
    const options = { tf, model, data, standardize: how, loss, l2, weights } as const;
    const random = new RandomStream(2, 'direction');
    const v = Float32Array.from({ length: model.size }, () => random.normal());
    const hessian = createHessianProduct({ ...options, statistics: 'batch', batchSize: data.examples });
    const product = await hessian.product(v);
    expect(relativeDistance(product, doubleHessianProduct(problem, theta, v))).toBeLessThan(2e-5);
    // The moments move with the weights: the matrix with fixed ones is another.
    expect(relativeDistance(product, doubleHessianProduct(fixed, theta, v))).toBeGreaterThan(0.01);
    hessian.dispose();
  });

  test('gives, as a recorded graph, the numbers of eager operations, and the same bits each time it is recorded', () => {
    const frozen = withMoments(model, fixedMoments(tf.tensor1d(statistics), model.normalizations));
    const random = new RandomStream(3, 'direction');
    const v = tf.tensor1d(Float32Array.from({ length: model.size }, () => random.normal()));
    const product = ([at, x, y]: Tensor[]): Tensor[] => {
      const slope = (w: Tensor) => tf.sum(tf.mul(gradientOf(frozen)([w, x!, y!])[1]!, v));
      return [tf.grad(slope)(at!)];
    };
    const inputs = [tf.tensor1d(weights), images, labels];
    for (const f of [gradientOf(), product]) {
      const graphs = [captureGraph(tf, f, inputs), captureGraph(tf, f, inputs)];
      const [once, again] = graphs.map((graph) => graph.run(inputs)) as [Tensor[], Tensor[]];
      for (const [i, eager] of f(inputs).entries()) {
        expect(bits(once[i]!)).toEqual(bits(again[i]!));
        // TensorFlow regroups the sums of normalizations and gelu (compute/graph/graph.ts), so the last bits may differ.
        expect(relativeDistance(once[i]!.dataSync(), eager.dataSync())).toBeLessThan(2e-6);
      }
      for (const graph of graphs) graph.dispose();
    }
  });

  test('learns', async () => {
    const training = {
      batchSize: 3,
      sampling: 'without-replacement',
      seed: 1,
      momentum: 0.8,
      loss,
      l2,
    } as const;
    const trainer = createTrainer({ tf, model, data, standardize: how, training });
    let state: SgdState = { weights: model.initialize(1), velocity: new Float32Array(model.size), step: 0 };
    const lossAt = ({ weights: at }: SgdState) => doubleLoss(problem, Float64Array.from(at)).loss;
    const before = lossAt(state);
    for (let epoch = 0; epoch < 12; epoch++)
      for await (const chunk of trainer.epoch(state, epoch, 0.02)) state = chunk.state;
    trainer.dispose();
    expect(lossAt(state)).toBeLessThan(0.8 * before);
  });

  test.runIf(normalized)('has the moments of its data at these weights', () => {
    expect(relativeDistance(statistics, doubleLoss(problem, theta).moments)).toBeLessThan(1e-6);
  });

  test.runIf(normalized)('is not evaluated without the training examples', () => {
    expect(() => createEvaluator({ tf, model, standardize: how, loss, l2 })).toThrow(/batch normalization/);
  });

  test.runIf(normalized)('is not differentiated twice without statistics', () => {
    expect(() => createHessianProduct({ tf, model, data, standardize: how, loss, l2, weights })).toThrow(
      `take ${statistics.length} statistics, got 0`,
    );
  });

  test('has its L2 term on kernels alone', () => {
    for (const { name, kernel, offset } of model.layout) {
      expect(kernel).toBe(/\/(kernel)$/.test(name));
      expect(mask[offset]).toBe(kernel ? 1 : 0);
    }
  });
});

test('softmax regression by least squares has the Hessian of its inputs, at any weights', async () => {
  const { model, loss, data, weights, l2 } = specimens[1]!;
  const inputs = standardize(data, 'per-image');
  const pixels = inputs.length / data.examples;
  // Of each class: the mean of x x^T over the examples, x with a one for the bias, plus 2 l2 on the kernel.
  const x = (example: number, i: number) => (i < pixels ? inputs[example * pixels + i]! : 1);
  const v = Float32Array.from({ length: model.size }, (_, i) => Math.cos(i));
  const expected = v.map((own, at) => {
    const [row, column] = [Math.floor(at / data.classes), at % data.classes];
    let sum = row < pixels ? 2 * l2 * own : 0;
    for (let example = 0; example < data.examples; example++)
      for (let i = 0; i <= pixels; i++)
        sum += (x(example, row) * x(example, i) * v[i * data.classes + column]!) / data.examples;
    return sum;
  });
  for (const at of [weights, weights.map((weight) => 3 * weight + 1)]) {
    const hessian = createHessianProduct({
      tf,
      model,
      data,
      standardize: 'per-image',
      loss,
      l2,
      weights: at,
    });
    expect(relativeDistance(await hessian.product(v), expected)).toBeLessThan(1e-6);
    hessian.dispose();
  }
});

function norm(a: ArrayLike<number>): number {
  return Math.sqrt(Array.from(a).reduce((sum, value) => sum + value ** 2, 0));
}

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return norm(Array.from(a, (value, i) => value - b[i]!));
}

function relativeDistance(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  return distance(actual, expected) / norm(expected);
}

function bits(tensor: Tensor): number[] {
  return [...new Uint32Array((tensor.dataSync() as Float32Array).slice().buffer)];
}
