import type { Client, WorkflowHandle } from '@temporalio/client';
import type { StageHeartbeat } from '../../workflows/messages.ts';
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

/** What the running stages of a workflow last said; nothing if the server does not answer. The workflow itself is not asked. */
export async function lookAtStages(client: Client, workflow: WorkflowHandle): Promise<LiveStages> {
  try {
    return await client.withDeadline(Date.now() + lookDeadlineMs, async () => {
      const { raw, workflowId } = await workflow.describe();
      const live: LiveStage[] = [];
      let queued = 0;
      for (const activity of raw.pendingActivities ?? []) {
        const { heartbeatDetails, attempt, lastFailure, lastStartedTime } = activity;
        if (!lastStartedTime) queued++;
        const place = placeOf(client, workflowId, activity.activityId ?? '');
        // Of a heartbeat that is refused, the next one is the stage's own again.
        const said = await decodeFirst<StageHeartbeat>(client, place, heartbeatDetails);
        if (said === undefined) continue;
        const failure = lastFailure?.message;
        live.push({ ...said, attempt: attempt ?? 1, ...(failure ? { lastFailure: failure } : {}) });
      }
      return { live, queued };
    });
  } catch {
    return { live: [], queued: 0 };
  }
}
