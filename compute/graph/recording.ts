import type { Tensor } from '@tensorflow/tfjs-node';
import { nativeBackend, type TensorFlow } from '../native-backend.ts';
import { GraphRecorder } from './graph-recorder.ts';
import { type Lease, leaseGraph } from './kept-graphs.ts';
import { residentBytes } from './resident-inputs.ts';
import { openSession, type Session } from './sessions.ts';

/** A function that was recorded, loaded as a graph. Tensors in it are named `node:output`. */
export interface Recording {
  readonly session: Session;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** In the order of computation. */
  readonly nodes: readonly GraphNode[];
  /** Whether it depends on no tensor from outside but its inputs. */
  readonly isClosed: boolean;
}

/** A node of TensorFlow's GraphDef. */
export interface GraphNode {
  readonly name: string;
  /** `node` or `node:output` */
  readonly inputs: readonly string[];
}

/**
 * Records `fn`, or finds its recording by `key`, which must tell it from all other functions. Inputs of other shapes or types, and other registered
 * gradients, are another recording; so is, each time, one that depends on tensors which are not among its inputs.
 */
export function leaseRecording(
  tf: TensorFlow,
  fn: (inputs: Tensor[]) => Tensor[],
  examples: readonly Tensor[],
  key: string | undefined,
): Lease<Recording> {
  const shapes = examples.map(({ dtype, shape }) => `${dtype}[${shape.join()}]`).join();
  return leaseGraph(
    key === undefined ? undefined : `${shapes} ${key}`,
    () => record(tf, fn, examples),
    ({ isClosed }) => isClosed,
  );
}

function record(tf: TensorFlow, fn: (inputs: Tensor[]) => Tensor[], examples: readonly Tensor[]): Recording {
  // Elsewhere the library takes the memory of a tensor as it is.
  const least = nativeBackend(tf).isUsingGpuDevice ? residentBytes : undefined;
  const recorder = new GraphRecorder(tf, examples, least);
  const outputs = tf.tidy(() => recorder.record(() => fn([...examples])));
  return {
    session: openSession(tf, recorder.savedModel(), recorder.nodes, recorder.residents),
    inputs: recorder.inputs,
    outputs,
    nodes: recorder.graph(),
    isClosed: recorder.isClosed,
  };
}
