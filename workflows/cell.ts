import {
  ApplicationFailure,
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  isCancellation,
  setHandler,
  sleep,
} from '@temporalio/workflow';
import type { ArtifactRef } from '../artifacts/reference.ts';
import type { PlannedStage } from '../compiler/plan.ts';
import { bookkeeping, stageActivities } from './activities.ts';
import { describeFailure } from './failures.ts';
import type {
  CellInput,
  CellProgress,
  CellResult,
  ControlSignal,
  FailureType,
  StageFailure,
  StageOutcome,
} from './messages.ts';

const pause = defineSignal<[], ControlSignal>('pause');
const resume = defineSignal<[], ControlSignal>('resume');
const cellProgress = defineQuery<CellProgress>('cellProgress');

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
  const status = new Map<string, CellProgress['stages'][number]['status']>();
  const outcomes: Record<string, StageOutcome> = {};
  let failure: StageFailure | undefined;
  let paused = false;
  setHandler(pause, () => {
    paused = true;
  });
  setHandler(resume, () => {
    paused = false;
  });
  setHandler(cellProgress, () => ({
    cellId: cell.id,
    stages: cell.stages.map(({ name }) => {
      const outcome = outcomes[name];
      const how = outcome === undefined ? {} : { reused: outcome.reused, seconds: outcome.seconds };
      return { name, status: status.get(name) ?? 'waiting', ...how };
    }),
  }));

  const runStage = (stage: PlannedStage): Promise<StageOutcome> => {
    const available: Record<string, Readonly<Record<string, ArtifactRef>>> = {};
    for (const need of stage.needs) available[need] = outcomes[need]!.outputs;
    const task = { studyId, cellId: cell.id, storeUri, baseDirectory, stage, available };
    return stageActivities(stage).runStage(task);
  };

  /** Visits again all that `stage` builds on: an artifact that was whole when its stage ended is damaged now and is made anew. */
  const repairNeeds = async (stage: PlannedStage): Promise<void> => {
    const wanted = new Set(stage.needs);
    for (const { name, needs } of cell.stages.toReversed()) {
      if (wanted.has(name)) for (const need of needs) wanted.add(need);
    }
    for (const need of cell.stages.filter(({ name }) => wanted.has(name))) {
      outcomes[need.name] = await runStage(need);
    }
  };

  const attempt = async (stage: PlannedStage): Promise<StageOutcome> => {
    for (let attempts = 1; ; attempts++) {
      try {
        return await runStage(stage);
      } catch (error) {
        if (isCancellation(error)) throw error;
        const { type } = describeFailure(stage.name, error);
        const mayPass = type !== 'InputError' && type !== 'ComputeProcessError' && type !== 'TimeoutFailure';
        if (!mayPass || attempts >= stage.retry.attempts) throw error;
        if (type === 'DamagedArtifactError') await repairNeeds(stage);
        else await sleep(2000 * 2 ** Math.min(attempts - 1, 5));
      }
    }
  };

  const ended = new Map<string, Promise<void>>();
  const runAfterNeeds = async (stage: PlannedStage): Promise<void> => {
    await Promise.all(stage.needs.map((need) => ended.get(need)));
    await condition(() => !paused);
    status.set(stage.name, 'running');
    try {
      outcomes[stage.name] = await attempt(stage);
      status.set(stage.name, 'done');
    } catch (error) {
      status.set(stage.name, 'failed');
      if (isCancellation(error)) throw error;
      failure ??= describeFailure(stage.name, error);
      throw new NeedFailed();
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
