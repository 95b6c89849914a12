import type { NativeConnection, Worker } from '@temporalio/worker';
import type { Verdict } from './status-server.ts';

/** How often it is looked whether the workers poll. */
const lookMs = 500;
/** A worker that has polled for nothing for so long, though it should, is not alive. Between two polls are moments only. */
const silentMs = 60_000;
/** A server that takes longer to answer a question is none. */
const answerMs = 3_000;

/** What there is to be looked at once a worker serves. */
export interface Serving {
  readonly workers: readonly Worker[];
  readonly connection: NativeConnection;
  /** Aborts when no more stages are taken. */
  readonly leaving: AbortSignal;
}

/** How a worker is, for who probes it. */
export class WorkerState {
  #serving: Serving | undefined;
  /** When each worker was last seen to poll, on the clock of `performance`. */
  readonly #polledAt = new Map<Worker, number>();
  #timer: NodeJS.Timeout | undefined;
  #asking: Promise<string | undefined> | undefined;

  serve(serving: Serving): void {
    this.#serving = serving;
    for (const worker of serving.workers) this.#polledAt.set(worker, performance.now());
    this.#timer = setInterval(() => this.#look(), lookMs).unref();
  }

  end(): void {
    clearInterval(this.#timer);
  }

  /** That it answers tells that the event loop turns. */
  health(): Verdict {
    const { workers = [] } = this.#serving ?? {};
    this.#look();
    for (const worker of workers) {
      const { taskQueue } = worker.options;
      const state = worker.getState();
      if (state === 'FAILED') return { reason: `The worker of the queue ${taskQueue} has failed.` };
      const silent = performance.now() - this.#polledAt.get(worker)!;
      if (state === 'RUNNING' && silent > silentMs)
        return { reason: `The queue ${taskQueue} was not polled for ${Math.round(silent / 1000)} s.` };
    }
    return {};
  }

  async ready(): Promise<Verdict> {
    const serving = this.#serving;
    if (serving === undefined) return { reason: 'The worker starts.' };
    if (serving.leaving.aborted)
      return { reason: 'The worker takes no more stages: it drains, or was stopped.' };
    const { reason } = this.health();
    if (reason !== undefined) return { reason };
    if (serving.workers.some((worker) => worker.getState() !== 'RUNNING'))
      return { reason: 'Not every queue is polled.' };
    this.#asking ??= askServer(serving.connection).finally(() => {
      this.#asking = undefined;
    });
    const trouble = await this.#asking;
    return trouble === undefined ? {} : { reason: trouble };
  }

  #look(): void {
    for (const worker of this.#polledAt.keys()) {
      const { hasOutstandingActivityPoll, hasOutstandingWorkflowPoll } = worker.getStatus();
      if (hasOutstandingActivityPoll || hasOutstandingWorkflowPoll)
        this.#polledAt.set(worker, performance.now());
    }
  }
}

/** What keeps the server from answering, if something does. */
async function askServer(connection: NativeConnection): Promise<string | undefined> {
  try {
    await connection.withDeadline(Date.now() + answerMs, () => connection.workflowService.getSystemInfo({}));
    return undefined;
  } catch (error) {
    return `The Temporal server does not answer (${error instanceof Error ? error.message : String(error)}).`;
  }
}
