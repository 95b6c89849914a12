import { ActivityCancellationType, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { PlannedStage } from '../compiler/plan.ts';
import { type Activities, queueOf, type StageActivity, taskQueueOf } from './messages.ts';
import { retryRules } from './retries.ts';

const { retries, waitMs, factor, longestWaitMs } = retryRules.lostWorker;

/** Without a heartbeat for this long an attempt counts as lost and another worker takes over. Workers beat every second. */
const heartbeatTimeout = '15 seconds';

/** A stage that is to be alone waits at most so long for those that compute beside it. */
const aloneWaitMs = 7 * 24 * 3_600_000;

/**
 * Short reads and writes of study records, in the worker that has the workflow: they cost the server nothing, and never wait behind a stage. A store that is not of use is waited for
 * for some five minutes; what else fails says itself when it is enough (`activities/engine/failures.ts`).
 */
export const bookkeeping = proxyLocalActivities<Omit<Activities, StageActivity>>({
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '500 milliseconds', maximumInterval: '10 seconds', maximumAttempts: 32 },
});

/** The activities that compute, set up for one stage, or for cells one after another: their queue, their time limit, their id. */
export function stageActivities(
  stage: Pick<PlannedStage, 'timeoutMs' | 'resources'> & { readonly alone?: boolean },
  activityId: string,
) {
  return proxyActivities<Pick<Activities, StageActivity>>({
    activityId,
    taskQueue: taskQueueOf(queueOf(stage.resources)),
    // The worker itself keeps the time limit and stops the compute process; this one is for a worker that does not.
    startToCloseTimeout: stage.timeoutMs + 60_000 + (stage.alone === true ? aloneWaitMs : 0),
    heartbeatTimeout,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    // Of what befalls the worker: a failure of the stage's own work is the cell's to retry.
    retry: {
      initialInterval: waitMs,
      backoffCoefficient: factor,
      maximumInterval: longestWaitMs,
      maximumAttempts: retries + 1,
      nonRetryableErrorTypes: ['TemporalTimeout:StartToClose'],
    },
  });
}
