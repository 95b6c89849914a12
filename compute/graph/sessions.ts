import type { Tensor } from '@tensorflow/tfjs-node';
import { nativeBackend, type TensorFlow } from '../native-backend.ts';
import { inGraphFolder } from './graph-folder.ts';
import { type ResidentInput, ResidentValues } from './resident-inputs.ts';

/** A graph that the native library has loaded. It holds memory outside of JavaScript until it is disposed of. */
export interface Session {
  /** About how much that is; see {@link sessionBytes}. */
  readonly bytes: number;
  /** Computes the tensors `to` from the tensors `from`, whose values are `inputs`; names are `node:output`. The caller disposes of the outputs. */
  run(inputs: readonly Tensor[], from: readonly string[], to: readonly string[]): Tensor[];
  /** Gives back what of its inputs stays on the device; the graph can be run again. */
  forget(): void;
  dispose(): void;
}

/** Sessions of this process that were not disposed of. */
const open = new Set<Session>();

/** Loads a serialized SavedModel with the tag `serve`, of so many nodes, some inputs of which may stay on the device. */
export function openSession(
  tf: TensorFlow,
  savedModel: Uint8Array,
  nodes: number,
  residents: readonly ResidentInput[] = [],
): Session {
  const backend = nativeBackend(tf);
  const { binding } = backend;
  const id = inGraphFolder(savedModel, (folder) => binding.loadSavedModel(folder, 'serve'));
  const values = new ResidentValues(residents, (inputs, from, to) =>
    binding
      .runSavedModel(id, backend.getInputTensorIds(inputs), from.join(','), to.join(','))
      .map((output) => backend.createOutputTensor(output)),
  );
  const session: Session = {
    bytes: sessionBytes(savedModel.byteLength, nodes),
    run: (inputs, from, to) => (to.length === 0 ? [] : values.run(inputs, from, to)),
    forget: () => values.forget(() => tf.zeros([0])),
    dispose() {
      if (open.delete(session)) binding.deleteSavedModel(id);
    },
  };
  open.add(session);
  return session;
}

/** The sessions of this process. */
export function openSessions(): ReadonlySet<Session> {
  return open;
}

/**
 * The library keeps a graph as it was given, as it was made faster, and ready to be run. Ten steps of SGD took 12 MB (14 by this formula) for a small MLP, 40 (28)
 * for LeNet, 70 (119) for a transformer and 130 (230) for a ResNet-20.
 */
function sessionBytes(serialized: number, nodes: number): number {
  return 10 * serialized + 10_000 * nodes;
}
