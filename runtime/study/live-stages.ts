import type { Client, WorkflowHandle } from '@temporalio/client';
import {
  type CellProgress,
  placeOfActivity,
  queueNameOf,
  type StageHeartbeat,
} from '../../workflows/messages.ts';
import { decodeFirst, placeOf } from './history.ts';
import { withoutWorkers } from './served-queues.ts';

const lookDeadlineMs = 10_000;

/** A running stage. */
export interface LiveStage extends Omit<StageHeartbeat, 'cell'> {
  /** 1 for the first; more after crashes. */
  readonly attempt: number;
  /** Why the attempt before this one ended. */
  readonly lastFailure?: string;
}

/** The stages that a workflow waits for. */
export interface LiveStages {
  readonly live: readonly LiveStage[];
  /** Stages that no worker has taken: all are busy, or none serves their queue. */
  readonly queued: number;
  /** Names of the queues of such stages that no worker serves, if there are any. */
  readonly unserved?: readonly string[];
}

/** A running cell. */
export type LiveCell = CellProgress & LiveStages;

/** The same of all cells whose stages a workflow runs. */
export interface LookedAt {
  /** Those of a cell or, without one, those over all cells, and rows of cells that no worker has taken. */
  of(cellId?: string): LiveStages;
  /** The cells that rows of cells, which run one after another, are at. */
  inRows(): readonly LiveCell[];
}

/** What the running stages of a workflow last said; nothing if the server does not answer. The workflow itself is not asked. */
export async function lookAtStages(client: Client, workflow: WorkflowHandle): Promise<LookedAt> {
  const pending = await client
    .withDeadline(Date.now() + lookDeadlineMs, () => pendingStages(client, workflow))
    .catch(() => []);
  const waiting = new Set(pending.flatMap(({ isQueued, taskQueue }) => (isQueued ? [taskQueue] : [])));
  const unserved = await client
    .withDeadline(Date.now() + lookDeadlineMs, () => withoutWorkers(client, waiting))
    .catch(() => new Set<string>());
  return {
    of(cellId) {
      const own = pending.filter((stage) => stage.cellId === cellId && stage.cell === undefined);
      const queued = own.filter(({ isQueued }) => isQueued);
      const queues = new Set(queued.flatMap(({ taskQueue }) => (unserved.has(taskQueue) ? [taskQueue] : [])));
      return {
        live: own.flatMap(({ live }) => (live === undefined ? [] : [live])),
        queued: queued.length,
        ...(queues.size === 0 ? {} : { unserved: [...queues].map(queueNameOf).sort() }),
      };
    },
    inRows: () =>
      pending.flatMap(({ cell, live }) =>
        cell === undefined || live === undefined ? [] : [{ ...cell, live: [live], queued: 0 }],
      ),
  };
}

async function pendingStages(client: Client, workflow: WorkflowHandle) {
  const { raw, workflowId } = await workflow.describe();
  return Promise.all(
    (raw.pendingActivities ?? []).map(async (activity) => {
      const { heartbeatDetails, attempt, lastFailure, lastStartedTime, activityOptions } = activity;
      const taskQueue = activityOptions?.taskQueue?.name ?? '';
      const activityId = activity.activityId ?? '';
      // Of a heartbeat that is refused, the next one is the stage's own again.
      const said = await decodeFirst<StageHeartbeat>(
        client,
        placeOf(client, workflowId, { activityId }),
        heartbeatDetails,
      );
      // One that has begun nothing says nothing.
      if (said === undefined || said.stage === '')
        return { cellId: placeOfActivity(activityId).cellId, isQueued: !lastStartedTime, taskQueue };
      const failure = lastFailure?.message;
      const { cell, ...stage } = said;
      const live: LiveStage = {
        ...stage,
        attempt: attempt ?? 1,
        ...(failure ? { lastFailure: failure } : {}),
      };
      const { cellId = cell?.cellId } = placeOfActivity(activityId);
      return { cellId, live, cell, isQueued: !lastStartedTime, taskQueue };
    }),
  );
}
