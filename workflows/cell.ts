import {
  ApplicationFailure,
  CancellationScope,
  defineQuery,
  defineSignal,
  isCancellation,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { RefusedError } from '../artifacts/errors.ts';
import type { ArtifactRef } from '../artifacts/reference.ts';
import type { PlannedCell, PlannedStage } from '../compiler/plan.ts';
import { bookkeeping, stageActivities } from './activities.ts';
import { describeFailure, finalFailures } from './failures.ts';
import { Gate } from './gate.ts';
import {
  type CellInput,
  type CellProgress,
  type CellResult,
  type ControlSignal,
  type FailureDetail,
  type FailureType,
  type StageFailure,
  type StageOutcome,
  workflowIdOf,
} from './messages.ts';
import { answerTo } from './seals.ts';

const pause = defineSignal<[ControlSignal], ControlSignal>('pause');
const resume = defineSignal<[ControlSignal], ControlSignal>('resume');
const stop = defineSignal<[ControlSignal], ControlSignal>('stop');
const cellProgress = defineQuery<CellProgress>('cellProgress');

/** Damage in the inputs of its stages that a cell mends: a disk that tears what is written to it again and again is not worth more work. */
const mostRepairs = 5;

/** Ends the stages that wait for one that failed. It is not reported: the failure itself is. */
class NeedFailed extends Error {}

/**
 * One cell of the matrix: runs each stage as soon as the stages it refers to are done. A failed stage fails the cell, but every stage that
 * does not need it still runs, so that its artifacts are there next time.
 *
 * Ends as failed with a `CellFailed` failure, or as cancelled, after the result was written to the store.
 */
export async function cell(input: CellInput): Promise<CellResult> {
  const { studyId, storeUri, baseDirectory, cell } = input;
  const { workflowId, parent } = workflowInfo();
  // The input of a study, sealed for this same workflow, has no cell.
  const own = workflowIdOf(studyId, (cell as Partial<PlannedCell> | undefined)?.id ?? '');
  if (workflowId !== own || parent?.workflowId !== workflowIdOf(studyId))
    throw new RefusedError(`This is not the workflow of a cell of ${studyId}, started by its study.`);
  const status = new Map<string, CellProgress['stages'][number]['status']>();
  const outcomes: Record<string, StageOutcome> = {};
  let failure: StageFailure | undefined;
  const gate = new Gate();
  for (const signal of [pause, resume, stop]) {
    setHandler(signal, (order) => {
      if (order === signal.name) gate.obey(order);
    });
  }
  setHandler(cellProgress, () => ({
    cellId: cell.id,
    stages: cell.stages.map(({ name }) => {
      const outcome = outcomes[name];
      const how = outcome === undefined ? {} : { reused: outcome.reused, seconds: outcome.seconds };
      const known = status.get(name) ?? 'waiting';
      return { name, status: known === 'running' && gate.idle ? 'waiting' : known, ...how };
    }),
  }));

  const fail = (stage: PlannedStage, error: unknown): never => {
    if (!(error instanceof NeedFailed)) failure ??= describeFailure(stage.name, error);
    throw new NeedFailed();
  };

  const runStage = (stage: PlannedStage): Promise<StageOutcome> =>
    gate.pass(async () => {
      if (outcomes[stage.name] === undefined) status.set(stage.name, 'running');
      const available: Record<string, Readonly<Record<string, ArtifactRef>>> = {};
      for (const need of stage.needs) available[need] = outcomes[need]!.outputs;
      const task = { studyId, cellId: cell.id, storeUri, baseDirectory, stage, available };
      return answerTo(stage.name, await stageActivities(stage).runStage(task));
    });

  /**
   * Visits again all that `stage` builds on, its producers' own inputs first: an artifact that was whole when its stage ended is damaged now and is
   * made anew. One that comes out different (on another kind of processor, say) has the finished stages that took it run again too.
   */
  const repair = async (stage: PlannedStage): Promise<void> => {
    const wanted = new Set(stage.needs);
    for (const { name, needs } of cell.stages.toReversed()) {
      if (wanted.has(name)) for (const need of needs) wanted.add(need);
    }
    const changed = new Set<string>();
    for (const visited of cell.stages) {
      const before = outcomes[visited.name];
      const concerned = wanted.has(visited.name) || visited.needs.some((need) => changed.has(need));
      if (before === undefined || !concerned || visited === stage) continue;
      try {
        const after = await attempt(visited);
        const same = JSON.stringify(before.outputs) === JSON.stringify(after.outputs);
        if (!same) changed.add(visited.name);
        if (!same || !after.reused) outcomes[visited.name] = after;
      } catch (error) {
        if (isCancellation(error)) throw error;
        fail(visited, error);
      }
    }
  };

  let repairs = 0;
  let lastRepair = Promise.resolve();
  /** A failure that may pass is tried again `retry.attempts` times in all; damaged inputs are made anew whatever that says. */
  const attempt = async (stage: PlannedStage): Promise<StageOutcome> => {
    for (let failed = 0; ; ) {
      const known = repairs;
      try {
        return await runStage(stage);
      } catch (error) {
        if (isCancellation(error)) throw error;
        const { type, message } = describeFailure(stage.name, error);
        if (type === 'DamagedArtifactError' && repairs > known) {
          // Another stage has met damage meanwhile, most likely the same.
          await lastRepair.catch(() => undefined);
        } else if (type === 'DamagedArtifactError') {
          if (repairs === mostRepairs) throw tornAgain(message);
          repairs++;
          lastRepair = repair(stage);
          await lastRepair;
        } else {
          if (finalFailures.has(type) || ++failed >= stage.retry.attempts) throw error;
          await sleep(2000 * 2 ** Math.min(failed - 1, 5));
        }
      }
    }
  };

  const ended = new Map<string, Promise<void>>();
  const runAfterNeeds = async (stage: PlannedStage): Promise<void> => {
    await Promise.all(stage.needs.map((need) => ended.get(need)));
    try {
      outcomes[stage.name] = await attempt(stage);
      status.set(stage.name, 'done');
    } catch (error) {
      status.set(stage.name, 'failed');
      if (isCancellation(error)) throw error;
      fail(stage, error);
    }
  };
  for (const stage of cell.stages) ended.set(stage.name, runAfterNeeds(stage));
  const ends = await Promise.allSettled(ended.values());
  const errors = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []));
  const cancellation = errors.find(isCancellation);
  const unexpected = errors.find((error) => !isCancellation(error) && !(error instanceof NeedFailed));
  if (unexpected !== undefined) throw unexpected;

  const describe = (): CellResult => ({
    cellId: cell.id,
    status: cancellation !== undefined ? 'cancelled' : failure !== undefined ? 'failed' : 'succeeded',
    stages: outcomes,
    ...(failure === undefined ? {} : { failure }),
  });
  try {
    const record = { storeUri, studyId, result: describe() };
    await CancellationScope.nonCancellable(() => bookkeeping.writeCellResult(record));
  } catch (error) {
    // A store that cannot be written has most likely failed a stage already, which says more.
    failure ??= describeFailure('cell', error);
  }
  const result = describe();
  if (cancellation !== undefined) throw cancellation;
  if (failure === undefined) return result;
  const message = `stage ${failure.stage}: ${failure.message}`;
  throw ApplicationFailure.nonRetryable(message, 'CellFailed' satisfies FailureType, result);
}

function tornAgain(message: string): ApplicationFailure {
  const detail: FailureDetail = {
    cure: 'Check the disk of the store, or choose another place with --store. Finished stages are kept: run the pipeline again to go on.',
  };
  const told = `After ${mostRepairs} times that damaged inputs were made anew: ${message}`;
  return ApplicationFailure.nonRetryable(told, 'DamagedArtifactError', detail);
}
