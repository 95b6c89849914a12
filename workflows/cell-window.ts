import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  CancellationScope,
  ChildWorkflowCancellationType,
  type ChildWorkflowHandle,
  condition,
  isCancellation,
  ParentClosePolicy,
  sleep,
  startChild,
  WorkflowIdReusePolicy,
  workflowInfo,
} from '@temporalio/workflow';
import type { PlannedCell } from '../compiler/plan.ts';
import { bookkeeping } from './activities.ts';
import type { cell as cellWorkflow } from './cell.ts';
import { describeFailure, failedCellResult } from './failures.ts';
import {
  type CellResult,
  type ControlSignal,
  type StudyInput,
  type StudyTally,
  workflowIdOf,
} from './messages.ts';
import { answerTo } from './seals.ts';

/** Cells read from the plan at once: few enough for one payload. */
const pageSize = 16;
const keptFailures = 20;

/** Why a window closed: every cell has ended, the history must be cut first, or a failed cell stopped the study. */
export type WindowEnding = 'all' | 'cut' | 'stopped';

/** The sliding window of cells that run at the same time, and the tally of those that have ended. */
export class CellWindow {
  readonly #input: StudyInput;
  readonly #scope = new CancellationScope();
  /** Cells that run, with their handles as soon as the server has started them. */
  readonly #running = new Map<string, ChildWorkflowHandle<typeof cellWorkflow> | undefined>();
  #page: readonly PlannedCell[] = [];
  #next: number;
  /** Why no cell starts, if none does. */
  #halt: 'pause' | 'stop' | undefined;
  #stopped = false;
  #tally: StudyTally;

  constructor(input: StudyInput) {
    this.#input = input;
    const { next, paused, ...tally } = input.carried ?? {
      next: 0,
      paused: false,
      counts: { succeeded: 0, failed: 0, cancelled: 0 },
      stagesRun: 0,
      stagesReused: 0,
      failures: [],
    };
    this.#next = next;
    this.#halt = paused ? 'pause' : undefined;
    this.#tally = tally;
  }

  get tally(): StudyTally {
    return this.#tally;
  }

  get running(): string[] {
    return [...this.#running.keys()];
  }

  get paused(): boolean {
    return this.#halt !== undefined;
  }

  /** True once a failed cell has stopped a study that fails fast. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** After a pause or a stop no cell starts, and no stage of a running cell, until `resume`. */
  obey(order: ControlSignal): void {
    this.#halt = order === 'resume' ? undefined : order;
    for (const handle of this.#running.values()) if (handle !== undefined) send(handle, order);
  }

  /** What the next run of the workflow must know. */
  carry(): NonNullable<StudyInput['carried']> {
    return { ...this.#tally, next: this.#next, paused: this.paused };
  }

  /** Runs cells until {@link WindowEnding}; none is running when it returns. Rejects when the study is cancelled or its plan cannot be read. */
  async run(): Promise<WindowEnding> {
    try {
      return await this.#scope.run(() => this.#slide());
    } catch (error) {
      this.#scope.cancel();
      // Cells write their results before they end as cancelled.
      await CancellationScope.nonCancellable(() => condition(() => this.#running.size === 0));
      if (this.#stopped) return 'stopped';
      throw error;
    }
  }

  /** Runs the succeeded cell with this index in the plan again: what it left was damaged since. */
  async repeat(index: number): Promise<void> {
    const [cell] = await this.#load(index, 1);
    const { counts, stagesReused } = this.#tally;
    this.#tally = { ...this.#tally, counts: { ...counts, succeeded: counts.succeeded - 1 } };
    await this.#watch(cell!);
    this.#tally = { ...this.#tally, stagesReused };
  }

  async #slide(): Promise<WindowEnding> {
    const { cells, maxParallel } = this.#input;
    for (;;) {
      const cut = this.#mustCut();
      while (!cut && !this.paused && this.#next < cells && this.#running.size < maxParallel) {
        const cell = await this.#take();
        void this.#watch(cell);
      }
      if (this.#running.size === 0 && this.#next >= cells) return 'all';
      if (this.#running.size === 0 && cut) return 'cut';
      const before = this.#running.size;
      const waiting = this.paused;
      await condition(() => this.#running.size < before || this.paused !== waiting);
    }
  }

  #mustCut(): boolean {
    const { historyLength, continueAsNewSuggested } = workflowInfo();
    return continueAsNewSuggested || historyLength >= (this.#input.historyLimit ?? Number.POSITIVE_INFINITY);
  }

  async #take(): Promise<PlannedCell> {
    if (this.#page.length === 0) {
      const count = Math.min(pageSize, this.#input.maxParallel);
      this.#page = await this.#load(this.#next, count);
    }
    const [cell, ...rest] = this.#page;
    this.#page = rest;
    this.#next++;
    return cell!;
  }

  async #load(from: number, count: number): Promise<readonly PlannedCell[]> {
    const { storeUri, studyId } = this.#input;
    return answerTo(String(from), await bookkeeping.loadCells({ storeUri, studyId, from, count }));
  }

  async #watch(cell: PlannedCell): Promise<void> {
    this.#running.set(cell.id, undefined);
    let result: CellResult;
    try {
      const handle = await this.#start(cell);
      this.#running.set(cell.id, handle);
      if (this.#halt !== undefined) send(handle, this.#halt);
      result = await handle.result();
    } catch (error) {
      const stages = {};
      result =
        failedCellResult(cell.id, error) ??
        (isCancellation(error)
          ? { cellId: cell.id, status: 'cancelled', stages }
          : { cellId: cell.id, status: 'failed', stages, failure: describeFailure('cell', error) });
    }
    this.#count(result);
    this.#running.delete(cell.id);
    if (result.status === 'failed' && this.#input.failFast && !this.#stopped) {
      this.#stopped = true;
      this.#scope.cancel();
    }
  }

  async #start(cell: PlannedCell): Promise<ChildWorkflowHandle<typeof cellWorkflow>> {
    const { studyId, storeUri, baseDirectory } = this.#input;
    const { memo } = workflowInfo();
    for (let tries = 1; ; tries++) {
      try {
        return await startChild<typeof cellWorkflow>('cell', {
          workflowId: workflowIdOf(studyId, cell.id),
          args: [{ studyId, storeUri, baseDirectory, cell }],
          parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
          cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
          workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
          ...(memo === undefined ? {} : { memo }),
        });
      } catch (error) {
        // The same cell of a study that was terminated is still being cancelled.
        if (!(error instanceof WorkflowExecutionAlreadyStartedError) || tries >= 30) throw error;
        await sleep(2000);
      }
    }
  }

  #count({ cellId, status, stages, failure }: CellResult): void {
    const { counts, stagesRun, stagesReused, failures } = this.#tally;
    const outcomes = Object.values(stages);
    const reused = outcomes.filter((outcome) => outcome.reused).length;
    const told = failure === undefined || failures.length >= keptFailures ? [] : [{ cellId, ...failure }];
    this.#tally = {
      counts: { ...counts, [status]: counts[status] + 1 },
      stagesRun: stagesRun + outcomes.length - reused,
      stagesReused: stagesReused + reused,
      failures: [...failures, ...told],
    };
  }
}

/** A cell that ends in this moment cannot be signalled any more, and need not be. */
function send(cell: ChildWorkflowHandle<typeof cellWorkflow>, signal: ControlSignal): void {
  cell.signal(signal, signal).catch(() => undefined);
}
