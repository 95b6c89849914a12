import type { ArtifactRef } from '../../artifacts/reference.ts';
import type { Progress } from '../kinds/stage.ts';
import {
  type ComputeBackend,
  type ComputeMessage,
  type ComputeRequest,
  type ErrorWords,
  type ProcessState,
  type Stop,
  toldToEnd,
} from './compute-protocol.ts';
import { countOomKills, OutOfMemoryError, wordsOfWant } from './out-of-memory.ts';
import { type ComputeProcess, ProcessPool } from './process-pool.ts';
import type { StageAccount } from './stage-account.ts';

/** What ends a stage. */
type Answer = Exclude<ComputeMessage, { type: 'prepared' | 'progress' | 'note' | 'account' }>;

/** A stage that was told to stop and does not is killed after this long. */
const killAfterMs = 5000;

/** Thrown when a compute process was killed from outside, or could not be started. */
export class ComputeProcessError extends Error {
  override readonly name = 'ComputeProcessError';
}

/** Thrown when a compute process ended by itself in the middle of a stage. It could be because the native library crashed. */
export class ProcessCrashError extends Error {
  override readonly name = 'ProcessCrashError';
  readonly cure = 'Its last words, and the log of the worker, may say why. Finished stages are kept.';
}

/** Thrown when a stage ran longer than its `timeout`. */
export class StageTimeoutError extends Error {
  override readonly name = 'StageTimeoutError';
  readonly cure = 'Raise `timeout` of the stage: what it has done is kept in its checkpoint.';
}

/** An error that a stage threw in its compute process, with the name and the cure it had there. */
export class StageError extends Error {
  readonly cure: string | undefined;
  constructor({ name, message, cure, stack }: ErrorWords) {
    super(message);
    this.name = name;
    this.cure = cure;
    if (stack !== undefined) this.stack = stack;
  }
}

export interface ComputeOptions {
  /** Aborts the computation: the process is told to give it up, and killed if it does not. */
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** `CUDA_VISIBLE_DEVICES` of the process; undefined hides every GPU. */
  readonly gpu?: string;
  /** In a new process, after all idle ones were told to go: it is to have the memory. */
  readonly alone?: boolean;
  readonly onProgress: (progress: Progress) => void;
  /** Is told what the stage has done, unless its process is lost. */
  readonly onAccount?: ((account: StageAccount) => void) | undefined;
}

export interface ComputeResult {
  readonly outputs: Readonly<Record<string, ArtifactRef>>;
  readonly notes: readonly string[];
  /** Those of the notes that are warnings. */
  readonly warnings: readonly string[];
  readonly backend: ComputeBackend;
}

/** That of a worker. */
const sharedPool = new ProcessPool();

/** Tells that this worker computes up to so many stages at the same time. */
export function expectStages(atOnce: number): void {
  sharedPool.atOnce = atOnce;
}

/** Compute processes of this worker: all of them, and those that wait for a stage. */
export function countComputeProcesses(): { readonly all: number; readonly idle: number } {
  return sharedPool.count;
}

/**
 * Runs one stage in a compute process, one that has done others before or a new one, and waits for it.
 *
 * Throws {@link StageError} with what the stage threw, {@link OutOfMemoryError} if it got no more memory, {@link ComputeProcessError} if the process was
 * killed, {@link ProcessCrashError} if it crashed, {@link StageTimeoutError}, or the signal's reason when it was aborted.
 *
 * @param oomKills Gives how many processes the kernel has killed for want of memory so far.
 */
export async function compute(
  request: ComputeRequest,
  options: ComputeOptions,
  pool = sharedPool,
  oomKills = countOomKills,
): Promise<ComputeResult> {
  options.signal.throwIfAborted();
  if (options.alone === true) pool.dismissIdle();
  const settings = { threads: request.threads, gpu: options.gpu };
  const deadline = performance.now() + options.timeoutMs;
  const tried = new Set<ComputeProcess>();
  for (;;) {
    const process = pool.take(settings, request.uses, tried, options.alone !== true);
    tried.add(process);
    const timeoutMs = deadline - performance.now();
    const killsBefore = oomKills();
    const { result, state } = await computeIn(
      process,
      request,
      { ...options, timeoutMs },
      options.timeoutMs,
    ).catch((error: unknown) => {
      throw error instanceof ProcessDeath ? errorOf(process, error, oomKills() > killsBefore) : error;
    });
    const hasComputed =
      typeof result === 'object' && 'backend' in result && result.backend.backend !== 'none';
    pool.giveBack(process, state, hasComputed ? request.uses : undefined);
    if (result instanceof StageError) throw result;
    if (result instanceof Stopped) throw result.reason;
    if (result !== 'unfit') return result;
  }
}

/** How a process has ended that was not told to. */
class ProcessDeath extends Error {}

/** Signals that a process gets from its own faults. Others come from outside. */
const ownFaults = ['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGTRAP', 'SIGSYS'];

/** @param kernelKilled Whether the kernel has killed processes for want of memory meanwhile. */
function errorOf(process: ComputeProcess, { message }: ProcessDeath, kernelKilled: boolean): Error {
  const { signalCode, exitCode, killed } = process.child;
  const want = wordsOfWant(process.said);
  if (want !== undefined) return new OutOfMemoryError(`The compute process got no more memory: ${want}`);
  if (signalCode === 'SIGKILL' && !killed && kernelKilled)
    return new OutOfMemoryError(
      `The kernel killed the compute process for want of memory.${process.lastWords()}`,
    );
  const crashed =
    signalCode === null ? exitCode !== null && exitCode !== toldToEnd : ownFaults.includes(signalCode);
  return crashed ? new ProcessCrashError(message) : new ComputeProcessError(message);
}

function stageErrorOf(error: ErrorWords): Error {
  // What is foreseen says what to do.
  const isMemory = error.cure === undefined && wordsOfWant(`${error.name}: ${error.message}`) !== undefined;
  return isMemory ? new OutOfMemoryError(error.message) : new StageError(error);
}

/** Why a stage was stopped. */
class Stopped {
  readonly reason: unknown;
  constructor(reason: unknown) {
    this.reason = reason;
  }
}

/** What a process has made of a stage, and what it has become by it. */
interface Computed {
  /** `unfit` if its threads are shared otherwise. */
  readonly result: ComputeResult | StageError | Stopped | 'unfit';
  readonly state: ProcessState;
}

/** Has `process` compute a stage. Throws {@link ProcessDeath}, else as {@link compute}; then the process has ended. */
async function computeIn(
  process: ComputeProcess,
  request: ComputeRequest,
  options: ComputeOptions,
  limitMs: number,
): Promise<Computed> {
  const { child } = process;
  const notes: string[] = [];
  const warnings: string[] = [];
  let stopped: unknown;
  let killer: NodeJS.Timeout | undefined;
  const stop = (reason: unknown): void => {
    if (stopped !== undefined) return;
    stopped = reason;
    child.send({ stops: true } satisfies Stop, () => undefined);
    killer = setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  };
  const onAbort = (): void => stop(options.signal.reason);
  options.signal.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(
    () => stop(new StageTimeoutError(`The stage ran longer than its time limit of ${limitMs / 1000} s.`)),
    Math.min(Math.max(options.timeoutMs, 1), 2 ** 31 - 1),
  );
  const { promise: answered, resolve: answer } = Promise.withResolvers<Answer>();
  const onMessage = (message: ComputeMessage): void => {
    if (message.type === 'progress') options.onProgress(message.progress);
    else if (message.type === 'note') {
      notes.push(message.text);
      if (message.kind === 'warning') warnings.push(message.text);
    } else if (message.type === 'account') options.onAccount?.(message.account);
    else if (message.type !== 'prepared') answer(message);
  };
  child.on('message', onMessage);
  try {
    child.send(request, (error) => {
      if (error !== null) child.kill('SIGKILL');
    });
    const got = await Promise.race([answered, process.ended]);
    if (typeof got === 'string') {
      if (stopped !== undefined) throw stopped;
      throw new ProcessDeath(`The compute process ${got}.${process.lastWords()}`);
    }
    if (got.type === 'broken') {
      // What it wrote is durable: a process that cannot end by itself is not waited for.
      killer ??= setTimeout(() => child.kill('SIGKILL'), killAfterMs);
      await process.ended;
    }
    if (got.type === 'broken') throw stopped ?? stageErrorOf(got.error);
    const { state } = got;
    // What was done in spite of it is taken.
    if (got.type === 'stopped' || (got.type !== 'done' && stopped !== undefined))
      return { result: new Stopped(stopped), state };
    // A new process is as good as any other.
    if (got.type === 'unfit' && process.stages === 0) {
      child.kill('SIGKILL');
      throw new StageError({ name: 'RangeError', message: got.error.message });
    }
    if (got.type === 'failed') return { result: new StageError(got.error), state };
    if (got.type === 'unfit') return { result: 'unfit', state };
    return { result: { outputs: got.outputs, notes, warnings, backend: got.backend }, state };
  } finally {
    clearTimeout(timer);
    clearTimeout(killer);
    child.off('message', onMessage);
    options.signal.removeEventListener('abort', onAbort);
  }
}
