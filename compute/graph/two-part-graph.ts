import type { Tensor } from '@tensorflow/tfjs-node';
import type { TensorFlow } from '../native-backend.ts';
import { CaptureError } from './capture-error.ts';
import { type GraphNode, leaseRecording } from './recording.ts';

/** A function f(fixed, varying) for many calls with the same fixed inputs: what depends on these alone is computed once. */
export interface TwoPartFunction {
  /** All that f needs of its fixed inputs. The caller disposes of it. */
  prepare(fixed: readonly Tensor[]): Tensor[];
  /** f, from what {@link prepare} gave. The caller disposes of the outputs. */
  run(prepared: readonly Tensor[], varying: readonly Tensor[]): Tensor[];
  dispose(): void;
}

/**
 * Records `fn` as one graph and cuts it in two by partial evaluation: `prepare` computes each tensor that depends on no varying input but is
 * read by an operation that does, and `run` is fed with these tensors. The same kernels run on the same inputs, so the result has the bits of
 * the whole graph. What depends on no input at all (zeros, constants) is left to the graph.
 *
 * Where the backend is not `tensorflow`, `prepare` keeps the fixed inputs and `run` computes everything. Throws {@link CaptureError}.
 *
 * @example
 * const { tf } = await loadTensorFlow({ threads: 1 });
 * const [a, v] = [tf.scalar(3), tf.scalar(1)];
 * const scaled = captureInTwoParts(tf, ([fixed], [varying]) => [tf.mul(tf.square(fixed), varying)], [a], [v]);
 * const prepared = scaled.prepare([a]);
 * scaled.run(prepared, [tf.scalar(2)])[0].dataSync()[0]; // 18
 */
export function captureInTwoParts(
  tf: TensorFlow,
  fn: (fixed: Tensor[], varying: Tensor[]) => Tensor[],
  fixed: readonly Tensor[],
  varying: readonly Tensor[],
): TwoPartFunction {
  return captureKeyedInTwoParts(tf, fn, fixed, varying, undefined);
}

/** The same with a key by which the graph may be kept (recording.ts). */
export function captureKeyedInTwoParts(
  tf: TensorFlow,
  fn: (fixed: Tensor[], varying: Tensor[]) => Tensor[],
  fixed: readonly Tensor[],
  varying: readonly Tensor[],
  key: string | undefined,
): TwoPartFunction {
  if (tf.getBackend() !== 'tensorflow') {
    return {
      prepare: (inputs) => inputs.map((input) => input.clone()),
      run: (prepared, inputs) => tf.tidy(() => fn([...prepared], [...inputs])),
      dispose: () => undefined,
    };
  }
  const count = fixed.length;
  const whole = (inputs: Tensor[]) => fn(inputs.slice(0, count), inputs.slice(count));
  const { graph, release } = leaseRecording(tf, whole, [...fixed, ...varying], key);
  const { session, outputs } = graph;
  const [fixedNames, varyingNames] = [graph.inputs.slice(0, count), graph.inputs.slice(count)];
  const boundary = orElse(release, () => boundaryOf(graph.nodes, fixedNames, varyingNames, outputs));
  // A session does not give back what it is fed.
  const computed = boundary.filter((name) => !fixedNames.includes(name));
  return {
    prepare(inputs) {
      const results = session.run(inputs, fixedNames, computed);
      return boundary.map((name) => {
        const at = fixedNames.indexOf(name);
        return at >= 0 ? inputs[at]!.clone() : results[computed.indexOf(name)]!;
      });
    },
    run: (prepared, inputs) => session.run([...prepared, ...inputs], [...boundary, ...varyingNames], outputs),
    dispose: release,
  };
}

/** What `get` gives; if it throws, `undo` comes first. */
function orElse<T>(undo: () => void, get: () => T): T {
  try {
    return get();
  } catch (error) {
    undo();
    throw error;
  }
}

/**
 * The tensors that depend on a fixed input and on no varying one, and are read by a node that varies on the way to an output. `nodes` are in the
 * order of computation; tensors are named `node:output`. Throws {@link CaptureError} for an output that does not vary.
 */
export function boundaryOf(
  nodes: readonly GraphNode[],
  fixed: readonly string[],
  varying: readonly string[],
  outputs: readonly string[],
): string[] {
  const nodeOf = (tensor: string) => tensor.replace(/:\d+$/, '');
  const varies = new Set(varying.map(nodeOf));
  const isFixed = new Set(fixed.map(nodeOf));
  for (const { name, inputs } of nodes) {
    const sources = inputs.map(nodeOf);
    if (sources.some((source) => varies.has(source))) varies.add(name);
    else if (sources.some((source) => isFixed.has(source))) isFixed.add(name);
  }
  const needed = new Set(outputs.map(nodeOf));
  const boundary = new Set<string>();
  for (const { name, inputs } of [...nodes].reverse()) {
    if (!needed.has(name) || !varies.has(name)) continue;
    for (const input of inputs) {
      if (isFixed.has(nodeOf(input))) boundary.add(input.includes(':') ? input : `${input}:0`);
      else needed.add(nodeOf(input));
    }
  }
  const idle = outputs.find((output) => !varies.has(nodeOf(output)));
  if (idle !== undefined)
    throw new CaptureError(
      `Result ${outputs.indexOf(idle)} of a function in two parts depends on no varying input.`,
    );
  return [...boundary].sort();
}
