import type { Tensor } from '@tensorflow/tfjs-node';
import { expect, test } from 'vitest';
import { CaptureError } from '../../../compute/graph/capture-error.ts';
import { captureGraph } from '../../../compute/graph/graph.ts';
import { loadTensorFlow } from '../../../compute/tensorflow.ts';

const { tf, backend } = await loadTensorFlow({ threads: 1, backend: 'cpu' });

test('without the native library a captured graph runs eagerly, on the inputs of each call', () => {
  expect(backend).toBe('cpu');
  const graph = captureGraph(tf, ([a, b]) => [tf.add(a!, tf.mul(b!, 2))], [
    tf.tensor1d([0, 0]),
    tf.scalar(0),
  ]);
  expect(graph.nodes).toBe(0);
  for (const value of [1, 5]) {
    const [sum] = graph.run([tf.tensor1d([1, 2]), tf.scalar(value)]);
    expect([...sum!.dataSync()]).toEqual([1 + 2 * value, 2 + 2 * value]);
  }
});

test('an input handed through can be disposed of as a result, and stays an input', () => {
  const x = tf.tensor1d([1, 2]);
  const graph = captureGraph(tf, ([a]) => [a!, a!], [x]);
  tf.dispose(graph.run([x]));
  expect([...x.dataSync()]).toEqual([1, 2]);
});

test('refuses other shapes, and calls after it was disposed of, as with the native library', () => {
  const graph = captureGraph(tf, ([x]) => [tf.neg(x!)], [tf.zeros([2, 3])]);
  expect(() => graph.run([tf.zeros([3, 2])])).toThrow('takes (float32[2, 3]); got (float32[3, 2])');
  graph.dispose();
  expect(() => graph.run([tf.zeros([2, 3])])).toThrow(CaptureError);
});

test('leaves no tensor behind in 1,000 calls', () => {
  const x: Tensor = tf.ones([4]);
  const graph = captureGraph(tf, ([a]) => [tf.sum(tf.square(tf.sub(a!, tf.mean(a!))))], [x]);
  const before = tf.memory().numTensors;
  for (let call = 0; call < 1000; call++) tf.dispose(graph.run([x]));
  expect(tf.memory().numTensors).toBe(before);
});
