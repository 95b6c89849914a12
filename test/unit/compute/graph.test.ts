import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-node';
import { describe, expect, test } from 'vitest';
import { prepareSecondDerivatives } from '../../../compute/gradients/second-derivatives.ts';
import { CaptureError } from '../../../compute/graph/capture-error.ts';
import { captureGraph } from '../../../compute/graph/graph.ts';
import { gatherRows } from '../../../compute/kernels/gather.ts';
import { loadedBackend, loadTensorFlow } from '../../../compute/tensorflow.ts';
import { batchLoss } from '../../../science/loss.ts';
import { createModel } from '../../../science/models/index.ts';
import { RandomStream } from '../../../science/random.ts';

const { tf } = await loadTensorFlow({ threads: 1 });
prepareSecondDerivatives(tf);

const random = new RandomStream(1, 'graph');
const normal = (shape: number[]) =>
  tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    shape,
  );
const bits = (tensor: Tensor) => [...new Uint32Array((tensor.dataSync() as Float32Array).slice().buffer)];

test('says what computes', async () => {
  expect(loadedBackend()).toEqual({
    backend: 'tensorflow',
    library: expect.stringMatching(/^2\.\d+\.\d+/),
    instructions: expect.stringMatching(/^(AMX|AVX|SVE|NEON)/),
    device: expect.stringMatching(/^(cpu|gpu)$/),
  });
});

test('refuses another number of threads in the same process', async () => {
  await expect(loadTensorFlow({ threads: 2 })).rejects.toThrow(/runs with 1 threads.*2 were asked for/);
});

describe('a recorded graph equals the eager function to the bit', () => {
  const model = createModel(
    { name: 'lenet', filters: [3, 4], hidden: [7], activation: 'tanh', initialization: 'glorot-normal' },
    [9, 8, 2],
    5,
  );
  const weights = tf.tensor1d(model.initialize(1));
  const images = normal([20, 9, 8, 2]) as Tensor4D;
  const labels = tf.tensor1d(
    Int32Array.from({ length: 20 }, () => random.below(5)),
    'int32',
  );
  const loss = (theta: Tensor, x: Tensor, y: Tensor) =>
    batchLoss(tf, { model, loss: 'cross-entropy' }, theta as Tensor1D, x as Tensor4D, y as Tensor1D);
  const gradient = ([theta, x, y]: Tensor[]): Tensor[] => {
    const { value, grad } = tf.valueAndGrad((at: Tensor) => loss(at, x!, y!) as Tensor<never>)(theta!);
    return [value, grad];
  };
  const functions: Record<string, { f: (inputs: Tensor[]) => Tensor[]; inputs: Tensor[] }> = {
    'the gradient of a convolutional network': { f: gradient, inputs: [weights, images, labels] },
    'a Hessian-vector product': {
      f: ([theta, x, y, v]) => {
        const g = (at: Tensor) => gradient([at, x!, y!])[1]!;
        return [tf.grad((at: Tensor) => tf.sum(tf.mul(g(at), v!)))(theta!)];
      },
      inputs: [weights, images, labels, normal([model.size])],
    },
    'ten steps that depend on one another': {
      f: ([theta, x, y]) => {
        let at = theta!;
        for (let step = 0; step < 10; step++) at = tf.sub(at, tf.mul(gradient([at, x!, y!])[1]!, 0.1));
        return [at];
      },
      inputs: [weights, images, labels],
    },
    'rows gathered by index': {
      f: ([x, order]) => [gatherRows(tf, x as Tensor2D, order as Tensor1D)],
      inputs: [normal([6, 3]), tf.tensor1d([5, 0, 0, 3], 'int32')],
    },
    'an input handed through, and one result twice': {
      f: ([x]) => {
        const y = tf.mul(x!, 2);
        return [x!, y, y];
      },
      inputs: [normal([4])],
    },
  };
  test.each(Object.keys(functions))('%s', (name) => {
    const { f, inputs } = functions[name]!;
    const eager = tf.tidy(() => f(inputs));
    const graph = captureGraph(tf, f, inputs);
    for (let call = 0; call < 3; call++) expect(graph.run(inputs).map(bits)).toEqual(eager.map(bits));
    expect(graph.nodes).toBeGreaterThan(1);
    graph.dispose();
  });

  test('on inputs that it was not recorded with', () => {
    const graph = captureGraph(tf, gradient, [weights, images, labels]);
    const other = [tf.mul(weights, 1.5), tf.neg(images), tf.sub(4, labels).toInt()];
    expect(graph.run(other).map(bits)).toEqual(gradient(other).map(bits));
    graph.dispose();
  });
});

test('keeps constants from outside, large ones too', () => {
  const small = tf.tensor1d([1, 2, 3]);
  const large = normal([700, 1500]);
  expect(tf.sum(small).dataSync()[0]).toBe(6);
  expect(tf.sum(large).dataSync()).toHaveLength(1);
  const x = normal([3]);
  const f = ([at]: Tensor[]) => [
    tf.mul(at!, small),
    tf.matMul(at!.reshape([1, 3]) as Tensor2D, large.slice([0, 0], [3, 1500]) as Tensor2D),
  ];
  const graph = captureGraph(tf, f, [x]);
  const expected = f([x]).map(bits);
  tf.dispose([small, large]);
  expect(graph.run([x]).map(bits)).toEqual(expected);
  graph.dispose();
});

test('a recorded function must be able to tell its inputs apart', () => {
  const x = tf.tensor1d([1, 2]);
  expect(() => captureGraph(tf, ([a, b]) => [tf.sub(a!, b!)], [x, x])).toThrow(
    /Input 1 is the tensor of input0 again/,
  );
});

test('a recorded function must not read values', () => {
  const read = ([x]: Tensor[]) => [tf.scalar(x!.dataSync()[0]!)];
  expect(() => captureGraph(tf, read, [tf.tensor1d([1, 2])])).toThrow(CaptureError);
  expect(() => captureGraph(tf, read, [tf.tensor1d([1, 2])])).toThrow(/must not read the value of a tensor/);
  expect(tf.add(1, 2).dataSync()[0]).toBe(3);
});

test('other shapes, types or numbers of inputs are refused', () => {
  const graph = captureGraph(tf, ([x]) => [tf.mul(x!, 2)], [tf.zeros([2, 3])]);
  expect(() => graph.run([tf.zeros([3, 2])])).toThrow('takes (float32[2, 3]); got (float32[3, 2])');
  expect(() => graph.run([tf.zeros([2, 3], 'int32')])).toThrow('got (int32[2, 3])');
  expect(() => graph.run([])).toThrow(CaptureError);
  graph.dispose();
  expect(() => graph.run([tf.zeros([2, 3])])).toThrow(/disposed/);
});

test.each<[string, (x: Tensor) => unknown, RegExp]>([
  ['tf.unique', (x) => [tf.unique(x).values], /shape of the result of UniqueV2 depends on values/],
  ['tf.booleanMaskAsync', (x) => tf.booleanMaskAsync(x, tf.greater(x, 1)), /not a promise/],
  ['a number', () => [3], /must give tensors/],
])('%s is refused in a recorded function, with a reason', (_, fn, reason) => {
  const record = () => captureGraph(tf, ([x]) => fn(x!) as Tensor[], [tf.tensor1d([1, 2, 2])]);
  expect(record).toThrow(CaptureError);
  expect(record).toThrow(reason);
  expect(tf.add(1, 2).dataSync()[0]).toBe(3);
});

/** Bytes of this process in memory, from the kernel. */
const residentBytes = () => Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[1]) * 4096;

test('leaves neither tensors, sessions, files nor memory behind in 10,000 calls', {
  timeout: 120_000,
}, () => {
  const native = (
    tf.backend() as unknown as { binding: { getNumOfTensors(): number; getNumOfSavedModels(): number } }
  ).binding;
  const ours = () => readdirSync(tmpdir()).filter((name) => name.startsWith(`epochal-graph-${process.pid}-`));
  const x = normal([20_000]);
  expect(tf.sum(x).dataSync()).toHaveLength(1);
  const count = () => [tf.memory().numTensors, native.getNumOfTensors(), native.getNumOfSavedModels()];
  const before = count();
  const f = ([at]: Tensor[]) => [tf.mul(at!, tf.fill([20_000], 3)), tf.sum(at!)];
  const graph = captureGraph(tf, f, [x]);
  const callOften = (calls: number) => {
    for (let call = 0; call < calls; call++) {
      const outputs = graph.run([x]);
      expect(outputs[1]!.dataSync()).toHaveLength(1);
      tf.dispose(outputs);
    }
  };
  callOften(2000);
  const bytes = residentBytes();
  callOften(8000);
  // One result kept of each call would be 640 MB.
  expect(residentBytes() - bytes).toBeLessThan(200e6);
  graph.dispose();
  expect(count()).toEqual(before);
  expect(ours()).toEqual([]);
});

test('leaves nothing behind when recording fails', () => {
  const before = tf.memory().numTensors;
  const x = tf.tensor1d([1, 2]);
  const fail = ([a]: Tensor[]) => [tf.unique(tf.mul(a!, 2)).values];
  for (let attempt = 0; attempt < 20; attempt++)
    expect(() => captureGraph(tf, fail, [x])).toThrow(CaptureError);
  x.dispose();
  expect(tf.memory().numTensors).toBe(before);
});

test('graphs made and disposed of one after the other do not pile up', () => {
  const x = normal([10]);
  const values = new Float32Array(1_000_000).fill(2);
  const once = () => {
    const large = tf.tensor1d(values);
    const graph = captureGraph(tf, ([at]) => [tf.mul(at!, tf.sum(large))], [x]);
    tf.dispose(graph.run([x]));
    graph.dispose();
  };
  for (let i = 0; i < 20; i++) tf.tidy(once);
  const bytes = residentBytes();
  for (let i = 0; i < 60; i++) tf.tidy(once);
  // Each holds a constant of 4 MB.
  expect(residentBytes() - bytes).toBeLessThan(120e6);
});
