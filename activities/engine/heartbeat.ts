import { CancelledFailure, Context } from '@temporalio/activity';
import type { CellProgress, StageHeartbeat } from '../../workflows/messages.ts';
import type { Progress } from '../kinds/stage.ts';
import { WorkerShutdownError } from './failures.ts';

const everyMs = 1000;
/** A stage that begins is told of at once, unless something else was told just now. */
const soonMs = 200;

/** Sends a heartbeat every second while an activity's work is done elsewhere. */
export class Heartbeats {
  readonly #timer: NodeJS.Timeout;
  readonly #context = Context.current();
  #beatenAt = 0;
  #latest: StageHeartbeat = { stage: '', done: 0, total: 0, unit: '', elapsedMs: 0, from: 0 };
  #first: { readonly done: number; readonly at: number; readonly unit: string } | undefined;

  constructor() {
    this.#beat();
    this.#timer = setInterval(() => this.#beat(), everyMs);
  }

  #beat(): void {
    this.#context.heartbeat(this.#latest);
    this.#beatenAt = performance.now();
  }

  /** From now on they speak of this stage; `cell` tells how far its cell is, if the activity runs several. */
  begin(stage: string, cell?: CellProgress): void {
    this.#first = undefined;
    const none = { done: 0, total: 0, unit: '', elapsedMs: 0, from: 0 };
    this.#latest = { stage, ...none, ...(cell === undefined ? {} : { cell }) };
    if (performance.now() - this.#beatenAt > soonMs) this.#beat();
  }

  /** What the next heartbeats say. The first call marks where this attempt began, and the first of another unit where that part of it did. */
  report({ done, total, unit, message }: Progress): void {
    if (this.#first?.unit !== unit) this.#first = { done, unit, at: Date.now() };
    const { stage, cell } = this.#latest;
    this.#latest = {
      ...{ stage, done, total, unit },
      elapsedMs: Date.now() - this.#first.at,
      from: this.#first.done,
      ...(message === undefined ? {} : { message }),
      ...(cell === undefined ? {} : { cell }),
    };
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/**
 * Runs `work` under heartbeats. Its signal aborts when the activity is cancelled or the worker's `stop` aborts, with the failure to throw then
 * as reason.
 */
export async function withHeartbeats<T>(
  stop: AbortSignal,
  work: (heartbeats: Heartbeats, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const context = Context.current();
  const heartbeats = new Heartbeats();
  const abort = new AbortController();
  context.cancelled.catch((error: unknown) =>
    abort.abort(error instanceof CancelledFailure ? error : new CancelledFailure('The stage was cancelled.')),
  );
  const onStop = (): void => abort.abort(new WorkerShutdownError('The worker was stopped.'));
  stop.addEventListener('abort', onStop);
  if (stop.aborted) onStop();
  try {
    return await work(heartbeats, abort.signal);
  } finally {
    heartbeats.stop();
    stop.removeEventListener('abort', onStop);
  }
}
