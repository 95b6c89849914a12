import { CancelledFailure, Context } from '@temporalio/activity';
import type { StageHeartbeat } from '../../workflows/messages.ts';
import type { Progress } from '../kinds/stage.ts';
import { WorkerShutdownError } from './failures.ts';

const everyMs = 1000;

/** Sends a heartbeat every second while an activity's work is done elsewhere. */
export class Heartbeats {
  readonly #stage: string;
  readonly #timer: NodeJS.Timeout;
  #latest: StageHeartbeat;
  #first: { readonly done: number; readonly at: number; readonly unit: string } | undefined;

  constructor(stage: string) {
    this.#stage = stage;
    this.#latest = { stage, done: 0, total: 0, unit: '', elapsedMs: 0, from: 0 };
    const context = Context.current();
    const beat = (): void => context.heartbeat(this.#latest);
    beat();
    this.#timer = setInterval(beat, everyMs);
  }

  /** What the next heartbeats say. The first call marks where this attempt began, and the first of another unit where that part of it did. */
  report({ done, total, unit, message }: Progress): void {
    if (this.#first?.unit !== unit) this.#first = { done, unit, at: Date.now() };
    this.#latest = {
      stage: this.#stage,
      done,
      total,
      unit,
      elapsedMs: Date.now() - this.#first.at,
      from: this.#first.done,
      ...(message === undefined ? {} : { message }),
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
  stage: string,
  stop: AbortSignal,
  work: (heartbeats: Heartbeats, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const context = Context.current();
  const heartbeats = new Heartbeats(stage);
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
