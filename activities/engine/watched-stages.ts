import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { CollectTask, StageOutcome } from '../../workflows/messages.ts';
import { toStageFailure } from './failures.ts';
import type { RunStage, Watching } from './run-stage.ts';

/** A stage that runs, as it is told to who watches. */
export interface WatchedStage {
  readonly studyId: string;
  /** None of a `collect`. */
  readonly cellId?: string;
  readonly stage: string;
  /** Stage kind. */
  readonly uses: string;
  /** Counts from 1; the server makes others when a worker or a compute process is lost. */
  readonly attempt: number;
}

/** Runs the work of a stage, and gives or throws what it does. */
export type WatchStage = (
  stage: WatchedStage,
  work: (watching: Watching) => Promise<StageOutcome>,
) => Promise<StageOutcome>;

/** How a stage ended that threw. */
export interface StageTrouble {
  readonly outcome: 'failed' | 'cancelled' | 'handed back';
  /** Type of the failure, as the workflow is told it. */
  readonly cause: string;
  readonly message: string;
  /** Whether the server tries it again by itself; the cell does so as `retry` says. */
  readonly again: boolean;
}

/** Has somebody watch the stages that a runner runs. */
export function watchRuns(run: RunStage, watch: WatchStage): RunStage {
  return (task, rest) => {
    const { studyId, cellId, stage } = task;
    const { attempt } = activityInfo();
    return watch({ studyId, cellId, stage: stage.name, uses: stage.uses, attempt }, (watching) =>
      run(task, { ...rest, ...watching }),
    );
  };
}

/** The same of stages over all cells. */
export function watchCollects(
  collect: (task: CollectTask) => Promise<StageOutcome>,
  watch: WatchStage,
): typeof collect {
  return (task) => {
    const { name: stage, uses } = task.collect;
    const { attempt } = activityInfo();
    return watch({ studyId: task.studyId, stage, uses, attempt }, () => collect(task));
  };
}

/** What a stage has met that threw this. */
export function troubleOf(error: unknown): StageTrouble {
  const failure = toStageFailure(error);
  const { message } = failure;
  if (failure instanceof CancelledFailure)
    return { outcome: 'cancelled', cause: failure.name, message, again: false };
  const known = failure instanceof ApplicationFailure ? failure : undefined;
  const cause = known?.type ?? failure.name;
  const outcome = cause === 'WorkerShutdownError' ? 'handed back' : 'failed';
  return { outcome, cause, message, again: known?.nonRetryable !== true };
}
