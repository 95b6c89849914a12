import { createRequire } from 'node:module';
import { fixEnvironment, instructionSet } from './environment.ts';
import { listGpus } from './gpus.ts';
import { preparedPurposes, restoreGradients, settleGradients } from './gradients/register-gradient.ts';
import { registerReluGradient } from './gradients/relu-gradient.ts';
import { countGraphs, keepGraphs, releaseGraphs } from './graph/kept-graphs.ts';
import { registerNarrowChannels } from './kernels/narrow-channels.ts';
import { registerPackedConvolutions } from './kernels/packed-convolution.ts';
import { nativeBackend, type TensorFlow } from './native-backend.ts';
import { isGpuBuild, nativePackage } from './native-package.ts';

export {
  type NativeBackend,
  type NativeBinding,
  nativeBackend,
  type OpAttribute,
  type TensorFlow,
  type TensorMetadata,
} from './native-backend.ts';

const require = createRequire(import.meta.url);

/** What computes: kept beside each artifact, never inside it. */
export interface Backend {
  readonly backend: 'tensorflow' | 'cpu';
  /** Version of libtensorflow, or of TensorFlow.js for the `cpu` backend. */
  readonly library: string;
  /** The processor's widest instructions, on which the last bits depend. */
  readonly instructions: string;
  /** What the binding says that it computes on. */
  readonly device: 'cpu' | 'gpu';
}

/**
 * What threads share. `operations`: each operation runs on all threads. `graphs`: each operation runs on one, and a captured graph runs as
 * many side by side as there are threads; for functions that are made of parallel parts, which short operations do not keep waiting.
 */
export type ThreadSharing = 'operations' | 'graphs';

export interface LoadedTensorFlow extends Backend {
  readonly tf: TensorFlow;
  readonly threads: number;
  readonly sharing: ThreadSharing;
  /**
   * Lanes, the parts of a computation that run side by side in a captured graph, each on one thread: as many as there are threads if graphs share
   * them, else 1; 1 on a GPU.
   */
  readonly lanes: number;
}

export interface LoadOptions {
  /** Results depend on their number, not on the cores there are. */
  readonly threads: number;
  /** Default: `operations`. */
  readonly sharing?: ThreadSharing;
  /** `auto` (default) is `tensorflow`. `cpu`, pure JavaScript, is slow and only for machines without the native parts. */
  readonly backend?: 'auto' | 'tensorflow' | 'cpu';
}

/** Thrown when the native part of TensorFlow is missing or does not load. It could be because the set-up has not been run on this machine. */
export class MissingBackendError extends Error {
  override readonly name = 'MissingBackendError';
  readonly cure =
    'Run `npm run setup` in a clone, `npx epochal setup` elsewhere; `npx epochal doctor` tells what is missing.';
}

/** Thrown when TensorFlow runs in this process already, with another number of threads or another way to share them. Another process can do what was asked for. */
export class FixedThreadsError extends RangeError {
  override readonly name = 'FixedThreadsError';
}

/** Thrown when this process was given a GPU, and TensorFlow computes on the CPU. It could be because the driver is gone, or too old for the CUDA libraries. */
export class MissingGpuError extends Error {
  override readonly name = 'MissingGpuError';
  readonly cure = '`npx epochal doctor` says what is missing. Without a GPU: `resources: { gpu: 0 }`.';
}

let loaded: LoadedTensorFlow | undefined;
let needsGpu = false;
/** Whether the piece of work of the moment has asked for TensorFlow; undefined where none was begun. */
let asked: boolean | undefined;
let keeps = false;
/** Scopes of tensors that were open when it did. */
let outerScopes = 0;

/** From now on {@link loadTensorFlow} throws {@link MissingGpuError} where a GPU does not compute. */
export function requireGpu(): void {
  needsGpu = true;
}

/** The backend of this process, once it was loaded; within a piece of work, once that has asked for it. */
export function loadedBackend(): Backend | undefined {
  if (loaded === undefined || asked === false) return undefined;
  const { backend, library, instructions, device } = loaded;
  return { backend, library, instructions, device };
}

/** How threads are shared in this process, once TensorFlow was loaded. */
export function loadedSharing(): ThreadSharing | undefined {
  return loaded?.sharing;
}

/**
 * Begins a piece of work in a process that does one after another: what it leaves in TensorFlow's memory is given back by {@link endWork}.
 *
 * @param mayKeep Whether it may find graphs that others have recorded, and leave some of its own: not if it runs code that could change more than this room knows.
 */
export function beginWork(mayKeep: boolean): void {
  asked = false;
  keeps = mayKeep;
}

/**
 * Gives back every tensor and graph that the piece of work has made and not disposed of, but for the graphs that are kept (graph/kept-graphs.ts), and takes back
 * the gradients that it has registered.
 */
export function endWork(): void {
  if (asked && loaded !== undefined) {
    releaseGraphs();
    // An error may have left scopes within it.
    for (const engine = scopesOf(loaded.tf); engine.state.scopeStack.length > outerScopes; )
      engine.endScope();
    loaded.tf.disposeVariables();
    restoreGradients(loaded.tf);
  }
  asked = undefined;
}

interface ScopedEngine {
  readonly state: { readonly scopeStack: readonly unknown[] };
  endScope(): void;
}

function scopesOf(tf: TensorFlow): ScopedEngine {
  return tf.engine() as unknown as ScopedEngine;
}

/** The tensors of a piece of work belong to a scope of its own. */
function openScope({ tf }: LoadedTensorFlow): void {
  if (asked !== false) return;
  asked = true;
  outerScopes = scopesOf(tf).state.scopeStack.length;
  if (keeps) keepGraphs(() => preparedPurposes(tf));
  tf.engine().startScope();
}

/** What this process holds in TensorFlow. */
export interface Holdings {
  readonly tensors: number;
  /** Graphs that are loaded, and those of them that are kept. */
  readonly graphs: number;
  readonly kept: number;
  /** Graphs that were recorded since the process began. */
  readonly recorded: number;
}

/** What this process holds in TensorFlow; undefined until that is loaded. */
export function holdings(): Holdings | undefined {
  if (loaded === undefined) return undefined;
  const { open, kept, recorded } = countGraphs();
  return { tensors: loaded.tf.memory().numTensors, graphs: open, kept, recorded };
}

/**
 * Loads TensorFlow into this process. The thread counts are read by the native library when it starts, so they are fixed by the first call:
 * a later call with another count, or another way to share them, throws {@link FixedThreadsError}. Throws {@link MissingBackendError} without the native parts, and
 * {@link MissingGpuError} after {@link requireGpu}.
 */
export async function loadTensorFlow(options: LoadOptions): Promise<LoadedTensorFlow> {
  const { threads, backend = 'auto' } = options;
  // One thread is shared by nothing.
  const sharing = threads === 1 ? 'operations' : (options.sharing ?? 'operations');
  if (loaded !== undefined) {
    if (loaded.threads !== threads || loaded.sharing !== sharing) {
      throw new FixedThreadsError(
        `TensorFlow runs with ${loaded.threads} threads in this process (shared by ${loaded.sharing}); ${threads} were asked for (${sharing}).`,
      );
    }
    openScope(loaded);
    return loaded;
  }
  const graphs = sharing === 'graphs';
  fixEnvironment(graphs ? 1 : threads, graphs ? threads : 1, isGpuBuild() && listGpus().length > 0);
  const tf = backend === 'cpu' ? loadJavaScript() : loadNative();
  const isNative = tf.getBackend() === 'tensorflow';
  const device = isNative && nativeBackend(tf).isUsingGpuDevice ? 'gpu' : 'cpu';
  if (needsGpu && device === 'cpu')
    throw new MissingGpuError(
      `TensorFlow computes on the CPU, although this process has GPU ${process.env.CUDA_VISIBLE_DEVICES}.`,
    );
  const hasLanes = sharing === 'graphs' && isNative && device === 'cpu';
  loaded = {
    tf,
    threads,
    sharing,
    lanes: hasLanes ? threads : 1,
    backend: isNative ? 'tensorflow' : 'cpu',
    instructions: instructionSet(),
    device,
    library: isNative ? nativeBackend(tf).binding.TF_Version : tf.version_core,
  };
  openScope(loaded);
  return loaded;
}

function loadNative(): TensorFlow {
  const name = nativePackage();
  if (name === undefined) {
    throw new MissingBackendError('The native binding of TensorFlow.js is not installed.');
  }
  // tfjs-node calls both: Node 23 removed the first, and warns about the second.
  const util = require('node:util') as Record<string, unknown>;
  util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  util.isArray = Array.isArray;
  try {
    const tf = require(name) as TensorFlow;
    // Otherwise the first operation prints an advertisement for the very package that is in use.
    tf.env().set('IS_NODE', true);
    registerPackedConvolutions(tf);
    registerNarrowChannels(tf);
    registerReluGradient(tf);
    settleGradients(tf);
    return tf;
  } catch (error) {
    throw new MissingBackendError(`The native part of TensorFlow does not load: ${(error as Error).message}`);
  }
}

function loadJavaScript(): TensorFlow {
  const tf = require('@tensorflow/tfjs') as TensorFlow;
  tf.setBackend('cpu');
  return tf;
}
