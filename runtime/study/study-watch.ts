import { setTimeout } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { SerializationContext } from '@temporalio/common';
import type {
  CellCounts,
  CellResult,
  CellStatus,
  ControlSignal,
  StudyInput,
} from '../../workflows/messages.ts';
import { abortable, decodeFirst, followHistory, type HistoryEvent, placeOf } from './history.ts';
import { type LiveStages, lookAtStages } from './live-stages.ts';
import { type StageEnd, StageEvents } from './stage-events.ts';

/** What happens to a study: a stage ends (one over all cells has no cell), a cell ends, or someone stops or resumes it. */
export type StudyEvent =
  | ({ readonly type: 'stage'; readonly cellId?: string } & StageEnd)
  | {
      readonly type: 'cell';
      readonly cellId: string;
      readonly status: CellStatus;
      /** Cells of the study that have ended so far. */
      readonly ended: number;
    }
  | { readonly type: 'signal'; readonly signal: ControlSignal };

/** Where a study is. */
export interface StudySnapshot {
  /** Cells in the plan. */
  readonly cells: number;
  readonly counts: CellCounts;
  readonly paused: boolean;
  /** Cells that run, those that began first at the front, with what their stages last said. */
  readonly running: readonly ({ readonly cellId: string } & LiveStages)[];
  /** Running cells beyond those. */
  readonly more: number;
  /** Stages over all cells. */
  readonly collecting: LiveStages;
}

/** Cells whose stages are looked at: more than fit on a screen. */
const cellsLookedAt = 32;
/** A cell that ends sooner tells of its stages in its result, and its history is not read. */
const shortCellMs = 1000;

interface RunningCell {
  readonly workflowId: string;
  /** Stages that were told of. */
  readonly told: Set<string>;
  readonly reading: AbortController;
  readonly hurry: AbortController;
  read: Promise<void>;
}

/**
 * Follows a study by the histories of its workflow and of the cells that run: nothing is missed, however short it was, and the workflows
 * are not asked.
 */
export class StudyWatch {
  readonly #client: Client;
  readonly #workflowId: string;
  readonly #fresh: boolean;
  readonly #tell: (event: StudyEvent) => void;
  readonly #running = new Map<string, RunningCell>();
  /** Events of each running cell that are no news, by its run id. */
  readonly #past = new Map<string, number>();
  readonly #collects: StageEvents;
  #input: StudyInput | undefined;
  #counts: CellCounts = { succeeded: 0, failed: 0, cancelled: 0 };
  #paused = false;
  #collecting = false;

  constructor(options: {
    readonly client: Client;
    readonly workflowId: string;
    /** What has happened so far is news too. */
    readonly fresh: boolean;
    readonly tell: (event: StudyEvent) => void;
  }) {
    const { client } = options;
    this.#client = client;
    this.#workflowId = options.workflowId;
    this.#fresh = options.fresh;
    this.#tell = options.tell;
    this.#collects = new StageEvents(client, options.workflowId);
  }

  /** Reads until the study has ended and all of it is told, or `signal` aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    const client = this.#client;
    const workflowId = this.#workflowId;
    let past = this.#fresh ? 0 : await this.#lookBack();
    try {
      for await (const event of followHistory({ client, workflowId, signal })) {
        await this.#take(event, Number(event.eventId) > past, signal);
        // The numbers of the next run begin at one again.
        if (event.workflowExecutionContinuedAsNewEventAttributes) past = 0;
      }
    } finally {
      for (const cell of this.#running.values()) cell.reading.abort();
    }
  }

  /** How long the study's history is by now, and those of its running cells: all of it is known before anything is told, and what comes later is news. */
  async #lookBack(): Promise<number> {
    const { workflow } = this.#client;
    const { historyLength, raw } = await workflow.getHandle(this.#workflowId).describe();
    for (const { workflowId, runId } of raw.pendingChildren ?? []) {
      if (!workflowId || !runId) continue;
      const cell = await workflow.getHandle(workflowId, runId).describe();
      this.#past.set(runId, cell.historyLength);
    }
    return historyLength;
  }

  /** Where the study is; undefined before its history was read. */
  async look(signal: AbortSignal): Promise<StudySnapshot | undefined> {
    if (this.#input === undefined) return undefined;
    const at = (workflowId: string) =>
      abortable(this.#client, signal, () =>
        lookAtStages(this.#client, this.#client.workflow.getHandle(workflowId)),
      );
    const cells = [...this.#running].slice(0, cellsLookedAt);
    const looked = await Promise.all(
      cells.map(async ([cellId, { workflowId }]) => ({ cellId, ...(await at(workflowId)) })),
    );
    const collecting = this.#collecting ? await at(this.#workflowId) : { live: [], queued: 0 };
    return {
      cells: this.#input.cells,
      counts: this.#counts,
      paused: this.#paused,
      running: looked.filter(({ cellId }) => this.#running.has(cellId)),
      more: Math.max(0, this.#running.size - cells.length),
      collecting,
    };
  }

  async #take(event: HistoryEvent, isNew: boolean, signal: AbortSignal): Promise<void> {
    const started = event.workflowExecutionStartedEventAttributes;
    const signaled = event.workflowExecutionSignaledEventAttributes;
    const begun = event.childWorkflowExecutionStartedEventAttributes?.workflowExecution;
    if (started) {
      this.#input = await decodeFirst<StudyInput>(this.#client, this.#place, started.input);
      this.#counts = this.#input?.carried?.counts ?? this.#counts;
      this.#paused = this.#input?.carried?.paused ?? false;
    } else if (signaled) {
      const signal = await decodeFirst<ControlSignal>(this.#client, this.#place, signaled.input);
      if (signal === undefined || signal !== signaled.signalName) return;
      this.#paused = signal !== 'resume';
      if (isNew) this.#tell({ type: 'signal', signal });
    } else if (begun) {
      // A stage over all cells met damage: a cell that had succeeded runs again.
      if (this.#collecting) this.#count('succeeded', -1);
      this.#begin(begun.workflowId!, begun.runId!, isNew, signal);
    } else {
      await this.#takeCellEnd(event, isNew);
      this.#collecting ||= event.activityTaskScheduledEventAttributes?.activityType?.name === 'collect';
      const end = await this.#collects.read(event);
      if (end !== undefined && isNew) this.#tell({ type: 'stage', ...end });
    }
  }

  #begin(workflowId: string, runId: string, isNew: boolean, signal: AbortSignal): void {
    const reading = new AbortController();
    const cell: RunningCell = {
      ...{ workflowId, told: new Set(), reading, hurry: new AbortController(), read: Promise.resolve() },
    };
    cell.read = this.#readCell(cell, runId, isNew, AbortSignal.any([signal, reading.signal]));
    // It throws where the end of the cell is awaited.
    cell.read.catch(() => undefined);
    this.#running.set(this.#cellIdOf(workflowId), cell);
  }

  async #readCell(cell: RunningCell, runId: string, isNew: boolean, signal: AbortSignal): Promise<void> {
    const client = this.#client;
    const { workflowId, hurry } = cell;
    const early = AbortSignal.any([signal, hurry.signal]);
    await setTimeout(shortCellMs, undefined, { signal: early }).catch(() => undefined);
    if (signal.aborted) return;
    // One that had ended before is told of by nothing but its end.
    const past = isNew ? 0 : (this.#past.get(runId) ?? Infinity);
    const stages = new StageEvents(client, workflowId);
    for await (const event of followHistory({ client, workflowId, runId, signal })) {
      const end = await stages.read(event);
      // The cell may have ended meanwhile, and told of all its stages.
      if (end === undefined || signal.aborted) continue;
      if (Number(event.eventId) > past) this.#tellStage(cell, end);
      else if (end.end === 'done') cell.told.add(end.stage);
    }
  }

  /** A stage that is visited again, because of damage elsewhere, and is reused is nothing new. */
  #tellStage(cell: RunningCell, end: StageEnd): void {
    if (end.end === 'done' && end.outcome.reused && cell.told.has(end.stage)) return;
    if (end.end === 'done') cell.told.add(end.stage);
    this.#tell({ type: 'stage', cellId: this.#cellIdOf(cell.workflowId), ...end });
  }

  async #takeCellEnd(event: HistoryEvent, isNew: boolean): Promise<void> {
    const completed = event.childWorkflowExecutionCompletedEventAttributes;
    const cancelled = event.childWorkflowExecutionCanceledEventAttributes;
    const ended =
      completed ??
      cancelled ??
      event.childWorkflowExecutionFailedEventAttributes ??
      event.childWorkflowExecutionTerminatedEventAttributes ??
      event.childWorkflowExecutionTimedOutEventAttributes;
    const workflowId = ended?.workflowExecution?.workflowId;
    if (!workflowId) return;
    const cellId = this.#cellIdOf(workflowId);
    const cell = this.#running.get(cellId)!;
    const status = completed ? 'succeeded' : cancelled ? 'cancelled' : 'failed';
    if (completed || !isNew) cell.reading.abort();
    if (isNew && completed) {
      const place = placeOf(this.#client, workflowId);
      const result = await decodeFirst<CellResult>(this.#client, place, completed.result);
      for (const [stage, outcome] of Object.entries(result?.stages ?? {})) {
        if (!cell.told.has(stage)) this.#tellStage(cell, { stage, end: 'done', outcome });
      }
    } else if (isNew) {
      cell.hurry.abort();
      await cell.read;
    }
    this.#running.delete(cellId);
    this.#count(status, 1);
    const { succeeded, failed, cancelled: given } = this.#counts;
    if (isNew) this.#tell({ type: 'cell', cellId, status, ended: succeeded + failed + given });
  }

  get #place(): SerializationContext {
    return placeOf(this.#client, this.#workflowId);
  }

  #count(status: CellStatus, by: number): void {
    this.#counts = { ...this.#counts, [status]: this.#counts[status] + by };
  }

  #cellIdOf(workflowId: string): string {
    return workflowId.slice(this.#workflowId.length + 1);
  }
}
