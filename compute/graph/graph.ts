import type { Tensor } from '@tensorflow/tfjs-node';
import type { TensorFlow } from '../native-backend.ts';
import { CaptureError } from './capture-error.ts';
import { leaseRecording } from './recording.ts';

/** A function of tensors that runs as one call into the native library. */
export interface CapturedGraph {
  /** Operations in the graph; 0 if the function runs eagerly because the backend has no graphs. */
  readonly nodes: number;
  /** Inputs of the recorded shapes and types, in order. The caller disposes of the outputs. */
  run(inputs: readonly Tensor[]): Tensor[];
  dispose(): void;
}

/**
 * Records `fn` once, at the boundary of the native binding, and runs it from then on as one graph: the same kernels on the same inputs, so the
 * same bits, without the cost of some 20 microseconds an operation. Everything that `fn` does in JavaScript happens once, while recording; shapes
 * must not depend on values. Tensors from outside that are not among the inputs become constants.
 *
 * Three things change last bits, always in the same way, so that a graph recorded again has the bits it had. A session's optimizer, which the
 * binding has no switch for, folds constants (so write a product and not a division by a constant), and regroups sums and takes common factors
 * out of them, as they come with normalizations and gelu. And the gradient of overlapping max pooling adds up in another order.
 *
 * Runs `fn` as it is where the backend is not `tensorflow`. Throws {@link CaptureError}.
 *
 * @example
 * const { tf } = await loadTensorFlow({ threads: 1 });
 * const x = tf.tensor1d([1, 2, 3]);
 * const norm = captureGraph(tf, ([at]) => [tf.sum(tf.square(at))], [x]);
 * norm.run([x])[0].dataSync()[0]; // 14
 */
export function captureGraph(
  tf: TensorFlow,
  fn: (inputs: Tensor[]) => Tensor[],
  examples: readonly Tensor[],
): CapturedGraph {
  return captureKeyed(tf, fn, examples, undefined);
}

/** The same with a key by which the graph may be kept (recording.ts). */
export function captureKeyed(
  tf: TensorFlow,
  fn: (inputs: Tensor[]) => Tensor[],
  examples: readonly Tensor[],
  key: string | undefined,
): CapturedGraph {
  const expected = examples.map(({ shape, dtype }) => ({ shape: [...shape], dtype }));
  let disposed = false;
  const check = (inputs: readonly Tensor[]) => {
    if (disposed) throw new CaptureError('This captured graph was disposed of.');
    checkInputs(expected, inputs);
  };
  if (tf.getBackend() !== 'tensorflow') {
    return {
      nodes: 0,
      run(inputs) {
        check(inputs);
        return tf.tidy(() => separate(fn([...inputs]), inputs));
      },
      dispose() {
        disposed = true;
      },
    };
  }
  const { graph, release } = leaseRecording(tf, fn, examples, key);
  return {
    nodes: graph.nodes.length,
    run(inputs) {
      check(inputs);
      return graph.session.run(inputs, graph.inputs, graph.outputs);
    },
    dispose() {
      if (!disposed) release();
      disposed = true;
    },
  };
}

/** Results that are inputs, or one another, as tensors of their own, which the caller can dispose of. */
function separate(outputs: readonly Tensor[], inputs: readonly Tensor[]): Tensor[] {
  return outputs.map((output, index) =>
    inputs.includes(output) || outputs.indexOf(output) < index ? output.clone() : output,
  );
}

function checkInputs(expected: readonly { shape: number[]; dtype: string }[], got: readonly Tensor[]): void {
  const describe = ({ shape, dtype }: { shape: readonly number[]; dtype: string }) =>
    `${dtype}[${shape.join(', ')}]`;
  const want = expected.map(describe).join(', ');
  const have = got.map(describe).join(', ');
  if (want !== have) throw new CaptureError(`This captured graph takes (${want}); got (${have}).`);
}
