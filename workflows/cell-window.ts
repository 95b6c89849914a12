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
import { attemptRow, type CellRow, fitsRow } from './cell-row.ts';
import { CellRun } from './cell-run.ts';
import { describeFailure, failedCellResult } from './failures.ts';
import { Gate } from './gate.ts';
import {
  type CellAttempt,
  type CellInput,
  type CellProgress,
  type CellResult,
  type ControlSignal,
  type StudyInput,
  type StudyProgress,
  type StudyTally,
  workflowIdOf,
} from './messages.ts';
import { answerTo } from './seals.ts';

/** Cells read from the plan at once: few enough for one payload. */
const pageSize = 16;
const keptFailures = 20;
/**
 * A cell whose stages took less than this, in seconds of their workers, is small: those that follow it run inside the study's own workflow, since a
 * workflow of its own would cost more than they do. What follows one that is not small has a workflow again, where it can be watched and
 * ended by itself and where the study's history does not grow by its stages.
 */
const smallSeconds = 10;
/** After one that took less than this, cells run one after another within one activity, stage by stage: an activity of each stage would cost more than it does. */
const briefSeconds = 3;
/** So many in a row. */
const longestRow = 32;

/** Why a window closed: every cell has ended, the history must be cut first, or a failed cell stopped the study. */
export type WindowEnding = 'all' | 'cut' | 'stopped';

/** A cell that runs: inside this workflow, in a row of others, or, as soon as the server has started it, in one of its own. */
interface RunningCell {
  inside?: CellRun;
  inRow?: number;
  apart?: ChildWorkflowHandle<typeof cellWorkflow>;
}

/** The sliding window of cells that run at the same time, and the tally of those that have ended. */
export class CellWindow {
  readonly #input: StudyInput;
  readonly #scope = new CancellationScope();
  readonly #running = new Map<string, RunningCell>();
  #page: readonly PlannedCell[] = [];
  #next: number;
  /** Why no cell starts, if none does. */
  #halt: 'pause' | 'stop' | undefined;
  #stopped = false;
  /** What the cell that ended last took, in seconds of its stages. */
  #cellSeconds: number;
  readonly #gate: Gate;
  /** Cells, and rows of cells, that run at the same time. */
  #places = 0;
  #tally: StudyTally;

  constructor(input: StudyInput) {
    this.#input = input;
    const {
      next,
      paused,
      cellSeconds = Number.POSITIVE_INFINITY,
      ...tally
    } = input.carried ?? {
      next: 0,
      paused: false,
      counts: { succeeded: 0, failed: 0, cancelled: 0 },
      stagesRun: 0,
      stagesReused: 0,
      failures: [],
    };
    this.#next = next;
    this.#halt = paused ? 'pause' : undefined;
    this.#cellSeconds = cellSeconds;
    this.#gate = new Gate(paused);
    this.#tally = tally;
  }

  get tally(): StudyTally {
    return this.#tally;
  }

  get running(): StudyProgress['running'] {
    const { studyId } = this.#input;
    return [...this.#running].map(([cellId, { inside, inRow }]) => ({
      cellId,
      workflowId: workflowIdOf(studyId, inside === undefined && inRow === undefined ? cellId : undefined),
      ...(inRow === undefined ? {} : { inRow }),
    }));
  }

  /** How far a cell is that runs inside this workflow. */
  progressOf(cellId: string): CellProgress | undefined {
    return this.#running.get(cellId)?.inside?.progress;
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
    this.#gate.obey(order);
    for (const { inside, apart } of this.#running.values()) {
      inside?.obey(order);
      if (apart !== undefined) send(apart, order);
    }
  }

  /** What the next run of the workflow must know. */
  carry(): NonNullable<StudyInput['carried']> {
    return { ...this.#tally, next: this.#next, paused: this.paused, cellSeconds: this.#cellSeconds };
  }

  /** Runs cells until {@link WindowEnding}; none is running when it returns. Rejects when the study is cancelled or its plan cannot be read. */
  async run(): Promise<WindowEnding> {
    try {
      return await this.#scope.run(() => this.#slide());
    } catch (error) {
      this.#scope.cancel();
      // Cells write their results before they end as cancelled.
      await CancellationScope.nonCancellable(() => condition(() => this.#places === 0));
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
      while (!cut && !this.paused && this.#next < cells && this.#places < maxParallel) {
        const row = await this.#takeRow();
        this.#places++;
        void this.#runRow(row).finally(() => this.#places--);
      }
      if (this.#places === 0 && this.#next >= cells) return 'all';
      if (this.#places === 0 && cut) return 'cut';
      const before = this.#places;
      const waiting = this.paused;
      await condition(() => this.#places < before || this.paused !== waiting);
    }
  }

  #mustCut(): boolean {
    const { historyLength, continueAsNewSuggested } = workflowInfo();
    return continueAsNewSuggested || historyLength >= (this.#input.historyLimit ?? Number.POSITIVE_INFINITY);
  }

  /** The next cells that are run in one place: one, or several small ones, but no more than leave other places their share. */
  async #takeRow(): Promise<CellRow> {
    const { cells, maxParallel } = this.#input;
    const from = this.#next;
    const share = Math.ceil((cells - from) / maxParallel);
    const length = this.#cellSeconds < briefSeconds ? Math.min(longestRow, share) : 1;
    const row: PlannedCell[] = [];
    while (row.length < length) row.push(await this.#take());
    return { from, cells: row };
  }

  async #take(): Promise<PlannedCell> {
    if (this.#page.length === 0) {
      const count = this.#cellSeconds < briefSeconds ? pageSize : Math.min(pageSize, this.#input.maxParallel);
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

  /** Never rejects. */
  async #runRow(row: CellRow): Promise<void> {
    for (let { from, cells } = row; cells.length > 0; ) {
      const first = cells[0]!;
      if (this.#cellSeconds >= briefSeconds || !fitsRow(cells)) {
        await this.#watch(first);
        from++;
        cells = cells.slice(1);
        continue;
      }
      this.#running.set(first.id, { inRow: cells.length });
      const attempts = await attemptRow(this.#input, { from, cells }, this.#gate).catch(() => undefined);
      this.#running.delete(first.id);
      // The study is cancelled.
      if (attempts === undefined) return;
      for (const [index, attempt] of attempts.entries()) {
        const { cellId, stages, recorded } = attempt;
        if (recorded) this.#count({ cellId, status: 'succeeded', stages: stages as CellResult['stages'] });
        else await this.#watch(cells[index]!, attempt);
      }
      from += attempts.length;
      cells = cells.slice(attempts.length);
    }
  }

  /** @param attempt What was done of the cell before, if it is none of a row any more. */
  async #watch(cell: PlannedCell, attempt?: CellAttempt): Promise<void> {
    const running: RunningCell = {};
    this.#running.set(cell.id, running);
    let result: CellResult;
    try {
      const isInside = attempt !== undefined || this.#cellSeconds < smallSeconds;
      result = await (isInside ? this.#runInside(cell, running, attempt) : this.#runApart(cell, running));
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
  }

  async #runInside(cell: PlannedCell, running: RunningCell, attempt?: CellAttempt): Promise<CellResult> {
    running.inside = new CellRun(this.#inputOf(cell), this.paused, attempt);
    return (await running.inside.run()).result;
  }

  async #runApart(cell: PlannedCell, running: RunningCell): Promise<CellResult> {
    const handle = await this.#start(cell);
    running.apart = handle;
    if (this.#halt !== undefined) send(handle, this.#halt);
    return handle.result();
  }

  #inputOf(cell: PlannedCell): CellInput {
    const { studyId, storeUri, baseDirectory } = this.#input;
    return { studyId, storeUri, baseDirectory, cell };
  }

  async #start(cell: PlannedCell): Promise<ChildWorkflowHandle<typeof cellWorkflow>> {
    const { memo } = workflowInfo();
    for (let tries = 1; ; tries++) {
      try {
        return await startChild<typeof cellWorkflow>('cell', {
          workflowId: workflowIdOf(this.#input.studyId, cell.id),
          args: [this.#inputOf(cell)],
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
    this.#cellSeconds = outcomes.reduce((sum, { seconds }) => sum + seconds, 0);
    const told = failure === undefined || failures.length >= keptFailures ? [] : [{ cellId, ...failure }];
    this.#tally = {
      counts: { ...counts, [status]: counts[status] + 1 },
      stagesRun: stagesRun + outcomes.length - reused,
      stagesReused: stagesReused + reused,
      failures: [...failures, ...told],
    };
    if (status === 'failed' && this.#input.failFast && !this.#stopped) {
      this.#stopped = true;
      this.#scope.cancel();
    }
  }
}

/** A cell that ends in this moment cannot be signalled any more, and need not be. */
function send(cell: ChildWorkflowHandle<typeof cellWorkflow>, signal: ControlSignal): void {
  cell.signal(signal, signal).catch(() => undefined);
}
