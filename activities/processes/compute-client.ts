import { type ChildProcess, fork } from 'node:child_process';
import { moduleFile } from '../../artifacts/module-file.mjs';
import type { ArtifactRef } from '../../artifacts/reference.ts';
import type { Progress } from '../kinds/stage.ts';
import type { ComputeBackend, ComputeMessage, ComputeRequest } from './compute-protocol.ts';
import { nodeFlags } from './node-flags.ts';

const entry = moduleFile(import.meta.dirname, 'compute-process');

/** A stage that was told to stop and does not is killed after this long. */
const killAfterMs = 5000;
const lastWordsLines = 12;

/** Thrown when a compute process ended without a word. It could be because it was killed, ran out of memory, or the native library crashed. */
export class ComputeProcessError extends Error {
  override readonly name = 'ComputeProcessError';
}

/** Thrown when a stage ran longer than its `timeout`. */
export class StageTimeoutError extends Error {
  override readonly name = 'StageTimeoutError';
  readonly cure = 'Raise `timeout` of the stage: what it has done is kept in its checkpoint.';
}

/** An error that a stage threw in its compute process, with the name and the cure it had there. */
export class StageError extends Error {
  readonly cure: string | undefined;
  constructor(name: string, message: string, cure?: string, stack?: string) {
    super(message);
    this.name = name;
    this.cure = cure;
    if (stack !== undefined) this.stack = stack;
  }
}

export interface ComputeOptions {
  /** Aborts the computation: SIGTERM, then SIGKILL. */
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** `CUDA_VISIBLE_DEVICES` of the process; undefined hides every GPU. */
  readonly gpu?: string;
  readonly onProgress: (progress: Progress) => void;
}

export interface ComputeResult {
  readonly outputs: Readonly<Record<string, ArtifactRef>>;
  readonly notes: readonly string[];
  /** Those of the notes that are warnings. */
  readonly warnings: readonly string[];
  readonly backend: ComputeBackend;
}

/**
 * Runs one stage in a compute process of its own and waits for it.
 *
 * Throws {@link StageError} with what the stage threw, {@link ComputeProcessError} if the process died,
 * {@link StageTimeoutError}, or the signal's reason when it was aborted.
 */
export async function compute(request: ComputeRequest, options: ComputeOptions): Promise<ComputeResult> {
  options.signal.throwIfAborted();
  const child = forkComputeProcess(options.gpu);
  const words = lastWords(child);
  const notes: string[] = [];
  const warnings: string[] = [];
  let answer: Extract<ComputeMessage, { type: 'done' | 'error' }> | undefined;
  let stopped: unknown;
  const stop = (reason: unknown): void => {
    if (stopped !== undefined) return;
    stopped = reason;
    child.kill('SIGTERM');
    killer = setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  };
  let killer: NodeJS.Timeout | undefined;
  const onAbort = (): void => stop(options.signal.reason);
  options.signal.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(
    () =>
      stop(
        new StageTimeoutError(`The stage ran longer than its time limit of ${options.timeoutMs / 1000} s.`),
      ),
    Math.min(options.timeoutMs, 2 ** 31 - 1),
  );
  try {
    const ending = await new Promise<string>((resolve) => {
      child.on('message', (message: ComputeMessage) => {
        if (message.type === 'progress') options.onProgress(message.progress);
        else if (message.type === 'note') {
          notes.push(message.text);
          if (message.kind === 'warning') warnings.push(message.text);
        } else {
          answer = message;
          // What it wrote is durable: a process that cannot end by itself is not waited for.
          killer ??= setTimeout(() => child.kill('SIGKILL'), killAfterMs);
        }
      });
      child.once('error', (error) => resolve(`could not be started (${error.message})`));
      child.once('close', (code, signal) =>
        resolve(signal === null ? `exited with code ${code}` : `was killed by ${signal}`),
      );
      child.send(request, (error) => {
        if (error !== null) child.kill('SIGKILL');
      });
    });
    if (answer?.type === 'done') return { outputs: answer.outputs, notes, warnings, backend: answer.backend };
    if (stopped !== undefined) throw stopped;
    if (answer?.type === 'error')
      throw new StageError(answer.name, answer.message, answer.cure, answer.stack);
    throw new ComputeProcessError(`The compute process ${ending}.${words()}`);
  } finally {
    clearTimeout(timer);
    clearTimeout(killer);
    options.signal.removeEventListener('abort', onAbort);
  }
}

function forkComputeProcess(gpu: string | undefined): ChildProcess {
  return fork(entry, [], {
    execPath: process.execPath,
    execArgv: [...nodeFlags],
    env: {
      ...process.env,
      CUDA_VISIBLE_DEVICES: gpu ?? '',
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
}

/** Keeps the last lines that a process printed. */
function lastWords(child: ChildProcess): () => string {
  let tail = '';
  const keep = (chunk: Buffer): void => {
    tail = (tail + chunk.toString('utf8')).slice(-8192);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return () => {
    const lines = tail.trim().split('\n').slice(-lastWordsLines);
    return tail.trim() === '' ? ' It said nothing.' : ` Its last words:\n${lines.join('\n')}`;
  };
}
