import { setTimeout } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { CellResult } from '../../workflows/messages.ts';
import { followHistory } from './history.ts';
import { type StageEnd, StageEvents } from './stage-events.ts';

/** A cell that ends sooner tells of its stages in its result, and its history is not read. */
const shortCellMs = 1000;

/** A cell that runs, and what was told of its stages. */
export class RunningCell {
  /** Its own, or that of the study. */
  readonly workflowId: string;
  readonly #tell: (end: StageEnd) => void;
  readonly #told = new Set<string>();

  constructor(workflowId: string, tell: (end: StageEnd) => void) {
    this.workflowId = workflowId;
    this.#tell = tell;
  }

  /** Tells how a stage has ended, if that is new. One that is visited again, because of damage elsewhere, and is reused is not. */
  take(end: StageEnd, isNew: boolean): void {
    const isKnown = end.end === 'done' && end.outcome.reused && this.#told.has(end.stage);
    if (end.end === 'done') this.#told.add(end.stage);
    if (isNew && !isKnown) this.#tell(end);
  }

  /** Tells of the stages of its result that were not told of. */
  takeResult({ stages }: CellResult): void {
    for (const [stage, outcome] of Object.entries(stages))
      if (!this.#told.has(stage)) this.take({ stage, end: 'done', outcome }, true);
  }
}

/** One with a workflow of its own, whose history is read while it runs, unless it proves to be short. */
export class CellApart extends RunningCell {
  readonly #abort = new AbortController();
  readonly #hurry = new AbortController();
  readonly #read: Promise<void>;

  /** @param past Events of its history that are no news. */
  constructor(
    tell: (end: StageEnd) => void,
    options: {
      readonly client: Client;
      readonly workflowId: string;
      readonly runId: string;
      readonly past: number;
      readonly signal: AbortSignal;
    },
  ) {
    super(options.workflowId, tell);
    this.#read = this.#follow(options);
    // It throws where the end of the cell is awaited.
    this.#read.catch(() => undefined);
  }

  /** Its history is not read any further. */
  leave(): void {
    this.#abort.abort();
  }

  /** Waits until its history, which has ended, is read. */
  async readToTheEnd(): Promise<void> {
    this.#hurry.abort();
    await this.#read;
  }

  async #follow(options: {
    readonly client: Client;
    readonly workflowId: string;
    readonly runId: string;
    readonly past: number;
    readonly signal: AbortSignal;
  }): Promise<void> {
    const { client, workflowId, runId, past } = options;
    const signal = AbortSignal.any([options.signal, this.#abort.signal]);
    const early = AbortSignal.any([signal, this.#hurry.signal]);
    await setTimeout(shortCellMs, undefined, { signal: early }).catch(() => undefined);
    if (signal.aborted) return;
    const stages = new StageEvents(client, workflowId);
    for await (const event of followHistory({ client, workflowId, runId, signal })) {
      const news = await stages.read(event);
      const end = news !== undefined && 'end' in news ? news.end : undefined;
      // The cell may have ended meanwhile, and told of all its stages.
      if (end !== undefined && !signal.aborted) this.take(end, Number(event.eventId) > past);
    }
  }
}
