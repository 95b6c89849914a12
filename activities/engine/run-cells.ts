import { ApplicationFailure } from '@temporalio/common';
import { checkedName } from '../../artifacts/store/names.ts';
import type { PlannedCell } from '../../compiler/plan.ts';
import {
  type CellAttempt,
  type CellProgress,
  type CellsTask,
  type FailureDetail,
  isDone,
  longestMessage,
  type StageFailure,
  type StageOutcome,
  workflowIdOf,
} from '../../workflows/messages.ts';
import { toStageFailure, WorkerShutdownError } from './failures.ts';
import { withHeartbeats } from './heartbeat.ts';
import type { RunStage, StageWatch } from './run-stage.ts';
import { mustBelongTo } from './stores.ts';
import type { StudyRecords } from './study-records.ts';

/** After this long no other cell begins, so that other studies have their turn and the workflow learns what is done. */
const lastCellMs = 1000;
/** After this long no other stage begins: the cell is not small, and what is left of it is better run side by side. */
const lastStageMs = 5000;

/**
 * The activity that runs small cells of a plan one after another, and stages of each one after another: for such, the server's part of an activity would
 * take longer than they do. Every stage is tried once. A cell whose stages all succeed is recorded; what becomes of another is for the
 * workflow to say. Gives what was done of the cells that were begun, at least one unless it is cancelled; also when it is cancelled.
 */
export function createRunCells(
  runStage: RunStage,
  studies: Omit<StudyRecords, 'activities'>,
  stop: AbortSignal,
): (task: CellsTask) => Promise<readonly CellAttempt[]> {
  return async (task) => {
    try {
      const { studyId, from, count } = task;
      mustBelongTo(workflowIdOf(studyId));
      return await withHeartbeats(stop, async (heartbeats, signal) => {
        const { cells } = await studies.loadPlan(task);
        const startedAt = performance.now();
        const row = new Row(runStage, task, { heartbeats, signal }, startedAt + lastStageMs);
        const attempts: Promise<CellAttempt>[] = [];
        for (const cell of cells.slice(from, from + count)) {
          if (signal.aborted || (attempts.length > 0 && performance.now() - startedAt > lastCellMs)) break;
          // While the disk takes the records of a cell the next one computes.
          const { promise: computed, resolve } = Promise.withResolvers<void>();
          const attempt = row.attempt(cell, resolve).then((stages) => record(studies, task, cell, stages));
          await Promise.all([attempts.at(-1), Promise.race([computed, attempt])]);
          attempts.push(attempt);
        }
        const all = await Promise.all(attempts);
        // Another worker takes the cells over, and finds what is done in the store.
        if (signal.aborted && signal.reason instanceof WorkerShutdownError) throw signal.reason;
        return all;
      });
    } catch (error) {
      throw toStageFailure(error);
    }
  };
}

/** Writes the record of a cell that has succeeded. */
async function record(
  studies: Pick<StudyRecords, 'writeCell'>,
  task: CellsTask,
  { id: cellId, stages }: PlannedCell,
  ended: CellAttempt['stages'],
): Promise<CellAttempt> {
  const attempt = { cellId, stages: ended };
  const done = Object.fromEntries(
    Object.entries(ended).flatMap(([name, stage]) => (isDone(stage) ? [[name, stage]] : [])),
  );
  if (!stages.every(({ name }) => done[name] !== undefined)) return { ...attempt, recorded: false };
  const written = studies.writeCell(task, { cellId, status: 'succeeded', stages: done });
  return written.then(
    () => ({ ...attempt, recorded: true }),
    // The workflow tries again, and tells what is wrong.
    () => ({ ...attempt, recorded: false }),
  );
}

/** Stages one after another. */
class Row {
  readonly #runStage: RunStage;
  readonly #task: CellsTask;
  readonly #watch: StageWatch;
  readonly #lastStageAt: number;

  /** @param lastStageAt When no other stage begins, on the clock of `performance`. */
  constructor(runStage: RunStage, task: CellsTask, watch: StageWatch, lastStageAt: number) {
    this.#runStage = runStage;
    this.#task = task;
    this.#watch = watch;
    this.#lastStageAt = lastStageAt;
  }

  /**
   * Tries each stage of a cell whose needs are met. A stage that was stopped, or whose process has crashed, is neither done nor failed.
   * `onComputed` is called when only the record of its last stage is to be written.
   */
  async attempt({ id: cellId, stages }: PlannedCell, onComputed: () => void): Promise<CellAttempt['stages']> {
    const { studyId, storeUri, baseDirectory } = this.#task;
    const { heartbeats, signal } = this.#watch;
    const done: Record<string, StageOutcome> = {};
    const ended: Record<string, StageOutcome | StageFailure> = {};
    for (const stage of stages) {
      const isReady = stage.needs.every((need) => done[need] !== undefined);
      if (!isReady || signal.aborted || performance.now() > this.#lastStageAt) continue;
      const name = checkedName('stage name', stage.name);
      heartbeats.begin(name, { cellId, stages: stages.map(progressOf(name, ended)) });
      const available = Object.fromEntries(stage.needs.map((need) => [need, done[need]!.outputs]));
      const task = { studyId, cellId, storeUri, baseDirectory, stage, available };
      try {
        const watch = stage === stages.at(-1) ? { ...this.#watch, onComputed } : this.#watch;
        ended[name] = done[name] = await this.#runStage(task, watch);
      } catch (error) {
        const failure = toStageFailure(error);
        if (failure instanceof ApplicationFailure && failure.nonRetryable === true)
          ended[name] = describe(name, failure);
      }
    }
    return ended;
  }
}

function progressOf(
  current: string,
  stages: CellAttempt['stages'],
): (stage: PlannedCell['stages'][number]) => CellProgress['stages'][number] {
  return ({ name }) => {
    const { [name]: ended } = stages;
    if (ended === undefined) return { name, status: name === current ? 'running' : 'waiting' };
    return isDone(ended)
      ? { name, status: 'done', reused: ended.reused, seconds: ended.seconds }
      : { name, status: 'failed' };
  };
}

function describe(stage: string, { message, type, details }: ApplicationFailure): StageFailure {
  const cure = (details?.[0] as FailureDetail | undefined)?.cure;
  return {
    ...{ stage, message: message.slice(0, longestMessage), type: type ?? 'Error' },
    ...(cure === undefined ? {} : { cure }),
  };
}
