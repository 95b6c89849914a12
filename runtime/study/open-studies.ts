import type { Client } from '@temporalio/client';
import type { StudyProgress } from '../../workflows/messages.ts';
import { decodeFirst, placeOf } from './history.ts';

/** A study that has not ended. */
export interface OpenStudy {
  readonly studyId: string;
  /** Absent if no worker answers for it. */
  readonly progress?: StudyProgress;
}

const queryDeadlineMs = 5000;

/** The studies that are open on a server, except one. What is not of this home is not among them, and hides none. */
export async function listOpenStudies(client: Client, except: string): Promise<OpenStudy[]> {
  const { namespace } = client.options;
  const query = `WorkflowType = 'study' AND ExecutionStatus = 'Running'`;
  const open: Promise<OpenStudy>[] = [];
  let nextPageToken: Uint8Array | undefined;
  do {
    const request = { namespace, query, ...(nextPageToken === undefined ? {} : { nextPageToken }) };
    const page = await client.workflowService.listWorkflowExecutions(request);
    for (const { execution, memo } of page.executions) {
      const workflowId = execution?.workflowId ?? '';
      const named = { payloads: [memo?.fields?.study ?? {}] };
      const studyId = await decodeFirst<string>(client, placeOf(client, workflowId), named);
      if (studyId === undefined || studyId === except) continue;
      const asked = client.withDeadline(Date.now() + queryDeadlineMs, () =>
        client.workflow.getHandle(workflowId).query<StudyProgress>('progress'),
      );
      open.push(
        asked.then(
          (progress) => ({ studyId, progress }),
          () => ({ studyId }),
        ),
      );
    }
    nextPageToken = page.nextPageToken?.length > 0 ? page.nextPageToken : undefined;
  } while (nextPageToken !== undefined);
  return Promise.all(open);
}
