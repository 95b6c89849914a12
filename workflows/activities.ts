import { ActivityCancellationType, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { PlannedStage } from '../compiler/plan.ts';
import type { Activities, StageActivity, TaskQueue } from './messages.ts';

/**
 * Attempts of one stage that the server makes by itself. They are spent by killed workers and crashed compute processes only: a failure
 * of the stage's own work is not retried by the server but by the cell, `retry.attempts` times.
 */
const attemptsAfterCrashes = 50;

/** Without a heartbeat for this long an attempt counts as lost and another worker takes over. Workers beat every second. */
const heartbeatTimeout = '15 seconds';

/** Short reads and writes of study records, in the worker that has the workflow: they cost the server nothing, and never wait behind a stage. */
export const bookkeeping = proxyLocalActivities<Omit<Activities, StageActivity>>({
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '500 milliseconds', maximumInterval: '10 seconds', maximumAttempts: 6 },
});

/** The activities that compute, set up for one stage, or for cells one after another: their queue, their time limit, their id. */
export function stageActivities(stage: Pick<PlannedStage, 'timeoutMs' | 'resources'>, activityId: string) {
  const queue: TaskQueue = stage.resources.gpu > 0 ? 'epochal-gpu' : 'epochal-cpu';
  return proxyActivities<Pick<Activities, StageActivity>>({
    activityId,
    taskQueue: queue,
    // The worker itself keeps the time limit and stops the compute process; this one is for a worker that does not.
    startToCloseTimeout: stage.timeoutMs + 60_000,
    heartbeatTimeout,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: {
      initialInterval: '1 second',
      backoffCoefficient: 1.5,
      maximumInterval: '10 seconds',
      maximumAttempts: attemptsAfterCrashes,
      nonRetryableErrorTypes: ['TemporalTimeout:StartToClose'],
    },
  });
}
