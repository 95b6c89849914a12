import {
  ApplicationFailure,
  CancellationScope,
  defineQuery,
  defineSignal,
  isCancellation,
  makeContinueAsNewFunc,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { RefusedError } from '../artifacts/errors.ts';
import { bookkeeping, stageActivities } from './activities.ts';
import { CellWindow, type WindowEnding } from './cell-window.ts';
import { damagedCells, describeFailure } from './failures.ts';
import { Gate } from './gate.ts';
import {
  activityIdOf,
  type CellFailure,
  type CellProgress,
  type ControlSignal,
  type FailureType,
  type StageOutcome,
  type StudyInput,
  type StudyProgress,
  type StudyResult,
  workflowIdOf,
} from './messages.ts';
import { RetryCount, retryRuleOf, retryRules } from './retries.ts';
import { answerTo } from './seals.ts';

const pause = defineSignal<[ControlSignal], ControlSignal>('pause');
const resume = defineSignal<[ControlSignal], ControlSignal>('resume');
const stop = defineSignal<[ControlSignal], ControlSignal>('stop');
const progress = defineQuery<StudyProgress>('progress');
const cellProgress = defineQuery<CellProgress | null, [cellId: string]>('cellProgress');

/** Times that a `collect` has cells with damaged outputs run again. */
const mostRepairs = 3;

/** A `collect` only reads tables of one row a cell. */
const collectTimeoutMs = 3_600_000;

/**
 * One launch of a pipeline: runs the cells of its plan, at most `maxParallel` at a time, small ones inside this workflow and others each as a child workflow, then the stages over all
 * cells. The history is cut by continue-as-new between two windows of cells, so the number of cells has no limit.
 *
 * Ends as failed with a `StudyFailed` failure, or as cancelled, after the result was written to the store.
 */
export async function study(input: StudyInput): Promise<StudyResult> {
  const { studyId, storeUri } = input;
  if (workflowInfo().workflowId !== workflowIdOf(studyId))
    throw new RefusedError(`This is not the workflow of the study ${studyId}.`);
  const window = new CellWindow(input);
  let phase: StudyProgress['phase'] = 'cells';
  const gate = new Gate(input.carried?.paused);
  for (const signal of [pause, resume, stop]) {
    setHandler(signal, (order) => {
      if (order !== signal.name) return;
      window.obey(order);
      gate.obey(order);
    });
  }
  setHandler(progress, () => ({
    studyId,
    cells: input.cells,
    counts: window.tally.counts,
    running: window.running,
    paused: window.paused,
    phase,
  }));
  setHandler(cellProgress, (cellId) => window.progressOf(cellId) ?? null);

  const collected: Record<string, StageOutcome> = {};
  const failures: CellFailure[] = [];
  let cancellation: unknown;
  let ending: WindowEnding | undefined;
  const collectAll = async (): Promise<void> => {
    if (ending !== 'all' || window.tally.counts.succeeded === 0) return;
    phase = 'collect';
    const planned = answerTo('collect', await bookkeeping.loadCollects({ storeUri, studyId }));
    for (const collect of planned) {
      const { queue } = collect;
      const resources = { threads: 1, gpu: 0, ...(queue === undefined ? {} : { queue }) };
      const how = { timeoutMs: collectTimeoutMs, resources };
      const failed = new RetryCount(1);
      for (let repairs = 0; collected[collect.name] === undefined; ) {
        try {
          const { succeeded } = window.tally.counts;
          const activityId = activityIdOf({ stage: collect.name });
          const activities = stageActivities(how, activityId);
          const answer = await gate.pass(() => activities.collect({ studyId, storeUri, collect, succeeded }));
          collected[collect.name] = answerTo(activityId, answer);
        } catch (error) {
          if (isCancellation(error)) throw error;
          const damaged = damagedCells(error);
          const failure = describeFailure(collect.name, error);
          const rule = retryRuleOf(failure.type);
          const waitMs = rule === retryRules.storeUnavailable ? failed.next(rule) : undefined;
          if (waitMs !== undefined) {
            await sleep(waitMs);
            continue;
          }
          if (damaged.length === 0 || repairs === mostRepairs) {
            failures.push({ cellId: 'collect', ...failure });
            break;
          }
          for (const index of damaged) await window.repeat(index);
          repairs++;
        }
      }
    }
  };
  try {
    ending = await window.run();
    await collectAll();
  } catch (error) {
    if (isCancellation(error)) cancellation = error;
    else failures.push({ cellId: 'study', ...describeFailure('study', error) });
  }
  if (ending === 'cut') {
    // The next run replays nothing of this one: it may go to the code with which new studies begin.
    const next = makeContinueAsNewFunc<typeof study>({ initialVersioningBehavior: 'AUTO_UPGRADE' });
    return await next({ ...input, carried: window.carry() });
  }

  const { counts, stagesRun, stagesReused } = window.tally;
  const enough = counts.succeeded / input.cells >= input.minSuccess - 1e-9;
  const outcomes = Object.values(collected);
  const reused = outcomes.filter((outcome) => outcome.reused).length;
  const describe = (): StudyResult => {
    const good = enough && !window.stopped && failures.length === 0;
    return {
      studyId,
      status: cancellation !== undefined ? 'cancelled' : good ? 'succeeded' : 'failed',
      counts,
      stagesRun: stagesRun + outcomes.length - reused,
      stagesReused: stagesReused + reused,
      collect: collected,
      failures: [...failures, ...window.tally.failures].slice(0, 20),
    };
  };
  try {
    const record = { storeUri, result: describe() };
    await CancellationScope.nonCancellable(() => bookkeeping.writeStudyResult(record));
  } catch (error) {
    failures.push({ cellId: 'study', ...describeFailure('study', error) });
  }
  const result = describe();
  phase = 'done';
  if (cancellation !== undefined) throw cancellation;
  if (result.status === 'succeeded') return result;
  const message = `${counts.succeeded} of ${input.cells} cells succeeded`;
  throw ApplicationFailure.nonRetryable(message, 'StudyFailed' satisfies FailureType, result);
}
