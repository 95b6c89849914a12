import type { Client } from '@temporalio/client';
import type { SerializationContext } from '@temporalio/common';
import {
  type CellAttempt,
  type CellCounts,
  type CellResult,
  type CellStatus,
  type ControlSignal,
  isDone,
  type StudyInput,
} from '../../workflows/messages.ts';
import { abortable, cellEndOf, decodeFirst, followHistory, type HistoryEvent, placeOf } from './history.ts';
import { type LiveStages, type LookedAt, lookAtStages } from './live-stages.ts';
import { CellApart, RunningCell } from './running-cell.ts';
import { type StageEnd, StageEvents, type StageNews } from './stage-events.ts';

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
  /** Those in the study's own history: of cells that run inside it, and over all cells. */
  readonly #stages: StageEvents;
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
    this.#stages = new StageEvents(client, options.workflowId);
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
      for (const cell of this.#running.values()) if (cell instanceof CellApart) cell.leave();
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
    const at = (workflowId: string): Promise<LookedAt> =>
      abortable(this.#client, signal, () =>
        lookAtStages(this.#client, this.#client.workflow.getHandle(workflowId)),
      );
    const cells = [...this.#running].slice(0, cellsLookedAt);
    const workflows = new Set(cells.map(([, { workflowId }]) => workflowId));
    if (this.#collecting || this.#stages.rows > 0) workflows.add(this.#workflowId);
    const looks = await Promise.all(
      [...workflows].map(async (workflowId) => [workflowId, await at(workflowId)] as const),
    );
    const looked = new Map(looks);
    const stagesOf = (workflowId: string, cellId?: string): LiveStages =>
      looked.get(workflowId)?.of(cellId) ?? { live: [], queued: 0 };
    const known = cells
      .filter(([cellId]) => this.#running.has(cellId))
      .map(([cellId, { workflowId }]) => ({ cellId, ...stagesOf(workflowId, cellId) }));
    const inRows = (looked.get(this.#workflowId)?.inRows() ?? []).map(({ cellId, ...stages }) => ({
      ...{ cellId, live: stages.live, queued: stages.queued },
    }));
    const running = [...known, ...inRows].slice(0, cellsLookedAt);
    return {
      cells: this.#input.cells,
      counts: this.#counts,
      paused: this.#paused,
      running,
      more: Math.max(0, this.#running.size + this.#stages.rows - running.length),
      collecting: stagesOf(this.#workflowId),
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
      this.#beginApart(begun.workflowId!, begun.runId!, isNew, signal);
    } else {
      await this.#takeCellEnd(event, isNew);
      const inside = await cellEndOf(this.#client, this.#workflowId, event);
      if (inside !== undefined) this.#end(inside.cellId, inside.status, isNew);
      const news = await this.#stages.read(event);
      if (news === undefined) return;
      if ('attempts' in news) this.#takeRow(news.attempts, isNew);
      else this.#takeStage(news, isNew);
    }
  }

  /** Of a stage in the study's own history. */
  #takeStage({ cellId, end }: StageNews, isNew: boolean): void {
    if (cellId === undefined) {
      this.#collecting = true;
      if (end !== undefined && isNew) this.#tell({ type: 'stage', ...end });
      return;
    }
    const cell = this.#inside(cellId);
    if (end !== undefined) cell.take(end, isNew);
  }

  /** Of cells that ran one after another. */
  #takeRow(attempts: readonly CellAttempt[], isNew: boolean): void {
    for (const { cellId, stages, recorded } of attempts) {
      const cell = this.#inside(cellId);
      for (const [stage, ended] of Object.entries(stages)) {
        const end: StageEnd = isDone(ended)
          ? { stage, end: 'done', outcome: ended }
          : { stage, end: 'failed', message: ended.message };
        cell.take(end, isNew);
      }
      if (recorded) this.#end(cellId, 'succeeded', isNew);
    }
  }

  /** A cell that runs inside the study's workflow. */
  #inside(cellId: string): RunningCell {
    const known = this.#running.get(cellId);
    if (known !== undefined) return known;
    const cell = new RunningCell(this.#workflowId, this.#teller(cellId));
    this.#begin(cellId, cell);
    return cell;
  }

  #teller(cellId: string): (end: StageEnd) => void {
    return (end) => this.#tell({ type: 'stage', cellId, ...end });
  }

  #begin(cellId: string, cell: RunningCell): void {
    // A stage over all cells met damage: a cell that had succeeded runs again.
    if (this.#collecting) this.#count('succeeded', -1);
    this.#running.set(cellId, cell);
  }

  #beginApart(workflowId: string, runId: string, isNew: boolean, signal: AbortSignal): void {
    const cellId = this.#cellIdOf(workflowId);
    // One that had ended before is told of by nothing but its end.
    const past = isNew ? 0 : (this.#past.get(runId) ?? Infinity);
    const options = { client: this.#client, workflowId, runId, past, signal };
    this.#begin(cellId, new CellApart(this.#teller(cellId), options));
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
    const cell = this.#running.get(cellId) as CellApart;
    const status = completed ? 'succeeded' : cancelled ? 'cancelled' : 'failed';
    if (completed || !isNew) cell.leave();
    if (isNew && completed) {
      const place = placeOf(this.#client, workflowId);
      const result = await decodeFirst<CellResult>(this.#client, place, completed.result);
      if (result !== undefined) cell.takeResult(result);
    } else if (isNew) await cell.readToTheEnd();
    this.#end(cellId, status, isNew);
  }

  #end(cellId: string, status: CellStatus, isNew: boolean): void {
    this.#running.delete(cellId);
    this.#count(status, 1);
    const { succeeded, failed, cancelled } = this.#counts;
    if (isNew) this.#tell({ type: 'cell', cellId, status, ended: succeeded + failed + cancelled });
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
