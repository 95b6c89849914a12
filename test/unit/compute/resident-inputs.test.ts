import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-node';
import { expect, test } from 'vitest';
import { captureGraph } from '../../../compute/graph/graph.ts';
import { GraphRecorder } from '../../../compute/graph/graph-recorder.ts';
import { ResidentValues } from '../../../compute/graph/resident-inputs.ts';
import { openSession } from '../../../compute/graph/sessions.ts';
import { gatherRows } from '../../../compute/kernels/gather.ts';
import { loadTensorFlow } from '../../../compute/tensorflow.ts';
import { batchLoss } from '../../../science/loss.ts';
import { createModel } from '../../../science/models/index.ts';
import { RandomStream } from '../../../science/random.ts';

const { tf } = await loadTensorFlow({ threads: 1 });
const random = new RandomStream(1, 'resident');
const model = createModel(
  { name: 'lenet', filters: [3, 4], hidden: [7], activation: 'tanh', initialization: 'glorot-normal' },
  [9, 8, 2],
  5,
);
const weights = (seed: number) => tf.tensor1d(model.initialize(seed));
const images = () =>
  tf.tensor4d(
    Float32Array.from({ length: 40 * 144 }, () => random.normal()),
    [40, 9, 8, 2],
  );
const labels = tf.tensor1d(
  Int32Array.from({ length: 40 }, (_, index) => index % 5),
  'int32',
);
const batch = (...rows: number[]) => tf.tensor1d(rows, 'int32');

/** A step of training, as it is recorded: inputs are weights, rows of the batch, images and labels. */
function step([theta, rows, x, y]: Tensor[]): Tensor[] {
  const [some, their] = [gatherRows(tf, x!, rows as Tensor1D), gatherRows(tf, y!, rows as Tensor1D)];
  const loss = (at: Tensor) =>
    batchLoss(
      tf,
      { model, loss: 'cross-entropy' },
      at as Tensor1D,
      some as Tensor4D,
      their as Tensor1D,
    ) as Tensor<never>;
  const { value, grad } = tf.valueAndGrad(loss)(theta!);
  return [value, tf.sub(theta!, grad.mul(0.1)), x!];
}
const bits = (tensors: readonly Tensor[]) =>
  tensors.map((tensor) => [...new Uint32Array((tensor.dataSync() as Float32Array).slice().buffer)]);

/** The step as a graph in which inputs of `least` bytes stay on the device, and what its calls were fed with. */
function residentStep(inputs: Tensor[], least: number) {
  const recorder = new GraphRecorder(tf, inputs, least);
  const outputs = tf.tidy(() => recorder.record(() => step(inputs)));
  const session = openSession(tf, recorder.savedModel(), recorder.nodes);
  const fed: string[] = [];
  const values = new ResidentValues(recorder.residents, (tensors, from, to) => {
    fed.push(from.join());
    return session.run(tensors, from, to);
  });
  const run = (of: Tensor[]) => bits(values.run(of, recorder.inputs, outputs));
  return { run, values, session, fed: () => fed.splice(0) };
}

test('inputs that stay on the device give the bits of those that are fed, and are fed once', () => {
  const [first, second] = [images(), images()];
  const inputs = [weights(1), batch(3, 1, 4), first, labels];
  const plain = captureGraph(tf, step, inputs);
  const [one, other] = [residentStep(inputs, 10_000), residentStep(inputs, 10_000)];
  const calls = [
    inputs,
    [weights(2), batch(9, 2, 6), first, labels],
    [weights(2), batch(9, 2, 6), first.clone(), labels],
    [weights(3), batch(5, 5, 5), second, labels],
    [weights(4), batch(0, 1, 2), second, labels],
    [weights(5), batch(0, 1, 2), first, labels],
  ];
  const expected = calls.map((of) => bits(plain.run(of)));
  const rest = 'input0:0,input1:0,input3:0';
  for (const [index, of] of calls.entries()) {
    expect(one.run(of), String(index)).toEqual(expected[index]);
    expect(one.fed()).toEqual([0, 3, 5].includes(index) ? ['input2:0', rest] : [rest]);
    // Another graph with the same names holds values of its own.
    if (index === 3) expect(other.run(calls[0]!)).toEqual(expected[0]);
  }
  expect(other.run(calls[1]!)).toEqual(expected[1]);

  const before = tf.memory().numTensors;
  one.values.forget(() => tf.zeros([0]));
  expect(tf.memory().numTensors).toBe(before);
  one.fed();
  expect(one.run(calls[5]!)).toEqual(expected[5]);
  expect(one.fed()).toEqual(['input2:0', rest]);
});

test('whole numbers and what is small are fed with each call; on a CPU all inputs are', () => {
  const inputs = [weights(1), batch(3, 1, 4), images(), labels];
  const size = (least: number) => new GraphRecorder(tf, inputs, least).residents.map(({ feed }) => feed);
  expect(size(10_000)).toEqual(['input2:0']);
  expect(size(0)).toEqual(['input0:0', 'input2:0']);
  expect(new GraphRecorder(tf, inputs).residents).toEqual([]);
});
