/**
 * Entry of a compute process: runs one stage after another, until it is told to stop. TensorFlow blocks the JavaScript thread, so heartbeats
 * come from the worker that forked this process; it is told about progress over the IPC channel and has it give up a stage in the same way.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism, setPriority, totalmem } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { runsModules } from '../../artifacts/load-module.ts';
import { openStore } from '../../artifacts/store/open-store.ts';
import type { Checkpoint, Store } from '../../artifacts/store/store.ts';
import {
  beginWork,
  endWork,
  FixedThreadsError,
  holdings,
  loadedBackend,
  loadedSharing,
  loadTensorFlow,
  MissingGpuError,
  requireGpu,
} from '../../compute/tensorflow.ts';
import { stageOf } from '../kinds/own-kinds.ts';
import { loadStage, stageModulesVariable } from '../kinds/registry.ts';
import type { StageContext } from '../kinds/stage.ts';
import {
  type ComputeMessage,
  type ComputeRequest,
  type Preparation,
  type ProcessState,
  type Stop,
  toldToEnd,
} from './compute-protocol.ts';
import { Accountant } from './stage-account.ts';
import { commonMetadata } from './step-metadata.ts';
import { unhurried } from './unhurried-checkpoint.ts';

/** Progress goes out, and messages are let in, at most this often. */
const quietMs = 50;

/** Of what it has read and written, this much stays in memory for the next stage: at most a thirtieth of the memory by the processes of all cores. */
const mostRemembered = Math.min(128e6, totalmem() / availableParallelism() / 30);

/** Ends a stage that was told to stop or, without an answer, the process: its worker has lost it then, and tries the stage again. */
class StageCancelledError extends Error {
  override readonly name = 'StageCancelledError';
}

/** The process is to end. */
let cancelled = false;
/** The stage is to end. */
let stopping = false;
let busy = false;
/** It was given a GPU, and TensorFlow did not find it: another process may. */
let hasNoGpu = false;
let prepared: Promise<void> | undefined;
// Ctrl-C, the end of a terminal and the warning of a batch system reach every process: it is the worker that decides whether this one stops.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2']) process.on(signal, () => undefined);
process.on('SIGTERM', () => {
  cancelled = true;
  if (!busy) process.exit(0);
});
// The worker is gone; the work goes on from its checkpoint in another process.
process.on('disconnect', () => process.exit(1));
process.on('message', (message: ComputeRequest | Preparation | Stop) => {
  if ('stops' in message) stopping = busy;
  else if ('prepares' in message) prepared = prepare(message.prepares);
  else void serve(message);
});
yieldToTheRest();
if (process.env.CUDA_VISIBLE_DEVICES) requireGpu();

function send(message: ComputeMessage): Promise<void> {
  return new Promise((resolve) => process.send?.(message, undefined, undefined, () => resolve()));
}

/** Loads what most stages need. What is missing is for a stage to say that needs it. */
async function prepare(threads: number): Promise<void> {
  try {
    await Promise.all(['train', 'record', 'hessian', 'project'].map(loadStage));
    // How more of them are to be shared is not known yet.
    if (threads === 1) await loadTensorFlow({ threads });
    await send({ type: 'prepared', state: stateNow() });
  } catch {
    // As above.
  }
}

async function serve(request: ComputeRequest): Promise<void> {
  busy = true;
  stopping = false;
  const accountant = new Accountant(request.uses, request.trace);
  const account = (error?: unknown): void => void send({ type: 'account', account: accountant.close(error) });
  await prepared;
  try {
    const store = accountant.watch(await storeAt(request.storeUri));
    const stage = await stageOf(request, store);
    beginWork(!runsOwnCode());
    const checkpoint = store.checkpoint(request.key);
    // Code of one's own may have told others what it has saved.
    const outputs = runsOwnCode()
      ? await stage.run(stageContext(request, store, checkpoint))
      : await savingNowAndThen(checkpoint, (saving) => stage.run(stageContext(request, store, saving)));
    const backend = loadedBackend() ?? { backend: 'none', library: 'none' };
    endWork();
    account();
    await send({ type: 'done', outputs, backend, state: stateNow() });
  } catch (error) {
    account(error);
    if (error instanceof StageCancelledError) await sendStopped(error);
    else await sendFailure(error);
  }
  busy = false;
  if (cancelled) process.exit(0);
}

/** A stage gives up between two pieces of work, as one does that fails with an error that is foreseen. */
async function sendStopped({ message }: StageCancelledError): Promise<void> {
  if (cancelled) {
    console.error(message);
    process.exit(toldToEnd);
  }
  endWork();
  await send({ type: 'stopped', state: stateNow() });
}

/**
 * Tells the worker how the stage has failed. The process goes on after errors that are foreseen, which say what to do: they are thrown between two pieces of
 * work, and leave nothing that {@link endWork} does not give back. After any other it is not trusted, and ends.
 */
async function sendFailure(thrown: unknown): Promise<void> {
  const { name, message, stack, cure } = (
    thrown instanceof Error ? thrown : new Error(String(thrown))
  ) as Error & { cure?: string };
  const error = { name, message, stack, cure };
  hasNoGpu ||= thrown instanceof MissingGpuError;
  const isUnfit = thrown instanceof FixedThreadsError;
  if (isUnfit || cure !== undefined) {
    endWork();
    await send({ type: isUnfit ? 'unfit' : 'failed', error, state: stateNow() });
    return;
  }
  await send({ type: 'broken', error });
  process.exit(1);
}

/** Code of one's own may have changed when the next stage names it, but not in a process that has loaded it. */
function runsOwnCode(): boolean {
  return runsModules() || process.env[stageModulesVariable] !== undefined;
}

function stateNow(): ProcessState {
  return {
    sharing: loadedSharing(),
    memory: process.memoryUsage.rss(),
    resources: process.getActiveResourcesInfo().length,
    holds: holdings(),
    spent: cancelled || hasNoGpu || runsOwnCode(),
  };
}

/** The store of the last stage, with what it remembers. */
let opened: { readonly uri: string; readonly store: Store } | undefined;

async function storeAt(uri: string): Promise<Store> {
  if (opened?.uri !== uri) opened = { uri, store: await openStore(uri, { mostRemembered }) };
  return opened.store;
}

/** Runs a stage with a checkpoint that holds back what it is given; one that is told to stop leaves all of it. */
async function savingNowAndThen<T>(
  checkpoint: Checkpoint,
  run: (checkpoint: Checkpoint) => Promise<T>,
): Promise<T> {
  const saving = unhurried(checkpoint);
  try {
    return await run(saving);
  } catch (error) {
    if (error instanceof StageCancelledError) await saving.flush();
    throw error;
  }
}

function stageContext(request: ComputeRequest, store: Store, checkpoint: Checkpoint): StageContext<unknown> {
  let lastSent = -Infinity;
  let lastBreath = performance.now();
  return {
    with: request.with,
    key: request.key,
    inputs: request.inputs,
    store,
    checkpoint,
    threads: request.threads,
    baseDirectory: request.baseDirectory,
    progress(progress) {
      const now = performance.now();
      if (now - lastSent < quietMs && progress.done < progress.total) return;
      lastSent = now;
      void send({ type: 'progress', progress });
    },
    note(text, kind) {
      void send({ type: 'note', text, kind });
    },
    async breathe() {
      if (performance.now() - lastBreath >= quietMs) {
        await setImmediate();
        lastBreath = performance.now();
      }
      if (cancelled || stopping) throw new StageCancelledError('It was told to stop.');
    },
    write(kind, metadata, fill) {
      return store.write(kind, { ...metadata, ...commonMetadata(request) }, fill);
    },
  };
}

/** Heartbeats and the server come first when cores are scarce, and memory is taken from here first when it is: this process is retried. */
function yieldToTheRest(): void {
  try {
    setPriority(10);
    writeFileSync('/proc/self/oom_score_adj', '500');
  } catch {
    // Not on this system: a courtesy only.
  }
}
