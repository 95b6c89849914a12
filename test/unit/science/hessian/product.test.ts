import type { Tensor } from '@tensorflow/tfjs-node';
import { describe, expect, test } from 'vitest';
import {
  checkedForSecondDerivatives,
  prepareSecondDerivatives,
} from '../../../../compute/gradients/second-derivatives.ts';
import { prepareWindowPooling } from '../../../../compute/gradients/window-pooling.ts';
import { captureGraph } from '../../../../compute/graph/graph.ts';
import { boundaryOf, captureInTwoParts } from '../../../../compute/graph/two-part-graph.ts';
import { loadTensorFlow } from '../../../../compute/tensorflow.ts';
import { createHessianProduct } from '../../../../science/hessian/product.ts';
import { RandomStream } from '../../../../science/random.ts';
import { zoo } from '../models/zoo.ts';

const { tf } = await loadTensorFlow({ threads: 1 });
const random = new RandomStream(4, 'product');
const normal = (...shape: number[]) =>
  tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    shape,
  );
const bits = (tensor: Tensor) => new Uint32Array((tensor.dataSync() as Float32Array).slice().buffer);

describe('a function in two parts', () => {
  const f = ([a, b]: Tensor[], [v]: Tensor[]): Tensor[] => {
    const fixed = tf.tanh(tf.matMul(a!, b!));
    return [tf.mul(tf.add(fixed, v!), tf.onesLike(fixed)), tf.mul(v!, a!)];
  };
  const fixed = [normal(3, 3), normal(3, 3)];
  const varying = [normal(3, 3)];

  test('has the bits of the whole', () => {
    const parts = captureInTwoParts(tf, f, fixed, varying);
    const whole = captureGraph(tf, ([a, b, v]) => f([a!, b!], [v!]), [...fixed, ...varying]);
    const prepared = parts.prepare(fixed);
    for (let call = 0; call < 3; call++) {
      const v = normal(3, 3);
      const results = parts.run(prepared, [v]);
      for (const [i, expected] of whole.run([...fixed, v]).entries())
        expect(bits(results[i]!)).toEqual(bits(expected));
    }
  });

  test('is cut where what is fixed meets what varies, without what is not used', () => {
    const nodes = [
      { name: 'in0', inputs: [] },
      { name: 'in1', inputs: [] },
      { name: 'constant', inputs: [] },
      { name: 'early', inputs: ['in0', 'constant'] },
      { name: 'late', inputs: ['early'] },
      { name: 'unused', inputs: ['early', 'in1'] },
      { name: 'pair', inputs: ['in0'] },
      { name: 'sum', inputs: ['late', 'in1', 'pair:1', 'constant'] },
    ];
    expect(boundaryOf(nodes, ['in0:0'], ['in1:0'], ['sum:0'])).toEqual(['late:0', 'pair:1']);
    expect(() => boundaryOf(nodes, ['in0:0'], ['in1:0'], ['sum:0', 'late:0'])).toThrow(
      /Result 1 .* depends on no varying input/,
    );
  });
});

prepareSecondDerivatives(tf);
const poolings = [
  { size: 2, shape: [3, 6, 8, 5] },
  { size: 3, shape: [2, 9, 6, 2] },
  // Windows that do not tile the image keep TensorFlow's own operations.
  { size: 2, shape: [2, 5, 7, 3] },
].map(({ size, shape }) => {
  const x = normal(...shape);
  const upstream = normal(shape[0]!, Math.ceil(shape[1]! / size), Math.ceil(shape[2]! / size), shape[3]!);
  const along = normal(...shape);
  const loss = (at: Tensor) =>
    tf.sum(tf.mul(tf.square(tf.maxPool(at as never, size, size, 'same')), upstream));
  const gradient = (at: Tensor) => tf.grad(loss)(at);
  const slope = (at: Tensor) =>
    checkedForSecondDerivatives(tf, () => tf.sum(tf.mul(gradient(at), along))) as Tensor;
  const derivatives = () =>
    [gradient(x), tf.grad(slope)(x)].map((tensor) => tensor.dataSync() as Float32Array);
  return { name: `${size} x ${size} on ${shape.join(' x ')}`, derivatives, general: derivatives() };
});

test.each(poolings)(
  'max pooling over windows of $name has the derivatives of the general formula',
  (pooling) => {
    prepareWindowPooling(tf);
    for (const [order, values] of pooling.derivatives().entries()) {
      const expected = pooling.general[order]!;
      expect(expected.some((value) => value !== 0)).toBe(true);
      for (const [j, value] of values.entries())
        expect(Math.abs(value - expected[j]!)).toBeLessThanOrEqual(1e-6 * Math.abs(expected[j]!));
    }
  },
);

test('batches are chosen from what is kept of each example: as equal as can be, with products as of any batches', async () => {
  const [{ model, data, weights }] = zoo(23) as [ReturnType<typeof zoo>[number]];
  const options = {
    tf,
    model,
    data,
    standardize: 'scale',
    loss: 'cross-entropy',
    l2: 1e-3,
    weights,
  } as const;
  const products = [];
  for (const batchSize of [undefined, 10, 3]) {
    const hessian = createHessianProduct({ ...options, ...(batchSize === undefined ? {} : { batchSize }) });
    products.push(await hessian.product(weights));
    hessian.dispose();
  }
  const largest = Math.max(...products[0]!.map(Math.abs));
  for (const product of products.slice(1))
    for (const [i, value] of product.entries())
      expect(Math.abs(value - products[0]![i]!)).toBeLessThan(2e-6 * largest);
});
