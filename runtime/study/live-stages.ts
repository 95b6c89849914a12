import type { Client, WorkflowHandle } from '@temporalio/client';
import { placeOfActivity, type StageHeartbeat } from '../../workflows/messages.ts';
import { decodeFirst, placeOf } from './history.ts';

const lookDeadlineMs = 10_000;

/** A running stage. */
export interface LiveStage extends StageHeartbeat {
  /** 1 for the first; more after crashes. */
  readonly attempt: number;
  /** Why the attempt before this one ended. */
  readonly lastFailure?: string;
}

/** The stages that a workflow waits for. */
export interface LiveStages {
  readonly live: readonly LiveStage[];
  /** Stages that no worker has taken: all are busy, or none serves their queue (`epochal-gpu` for stages that ask for a GPU). */
  readonly queued: number;
}

/** The same of all cells whose stages a workflow runs. */
export interface LookedAt {
  /** Those of a cell or, without one, those over all cells. */
  of(cellId?: string): LiveStages;
}

/** What the running stages of a workflow last said; nothing if the server does not answer. The workflow itself is not asked. */
export async function lookAtStages(client: Client, workflow: WorkflowHandle): Promise<LookedAt> {
  const stages = await client
    .withDeadline(Date.now() + lookDeadlineMs, () => pendingStages(client, workflow))
    .catch(() => []);
  return {
    of(cellId) {
      const own = stages.filter((stage) => stage.cellId === cellId);
      return {
        live: own.flatMap(({ live }) => (live === undefined ? [] : [live])),
        queued: own.filter(({ isQueued }) => isQueued).length,
      };
    },
  };
}

async function pendingStages(client: Client, workflow: WorkflowHandle) {
  const { raw, workflowId } = await workflow.describe();
  return Promise.all(
    (raw.pendingActivities ?? []).map(async (activity) => {
      const { heartbeatDetails, attempt, lastFailure, lastStartedTime } = activity;
      const activityId = activity.activityId ?? '';
      // Of a heartbeat that is refused, the next one is the stage's own again.
      const said = await decodeFirst<StageHeartbeat>(
        client,
        placeOf(client, workflowId, { activityId }),
        heartbeatDetails,
      );
      const failure = lastFailure?.message;
      const live: LiveStage | undefined = said && {
        ...said,
        attempt: attempt ?? 1,
        ...(failure ? { lastFailure: failure } : {}),
      };
      return { cellId: placeOfActivity(activityId).cellId, live, isQueued: !lastStartedTime };
    }),
  );
}
