import type { Client } from '@temporalio/client';
import type { StudyProgress } from '../workflows/messages.ts';

/** A study that has not ended. */
export interface OpenStudy {
  readonly studyId: string;
  /** Absent if no worker answers for it. */
  readonly progress?: StudyProgress;
}

const queryDeadlineMs = 5000;

/** The studies that are open on a server, except one. */
export async function listOpenStudies(client: Client, except: string): Promise<OpenStudy[]> {
  const open: Promise<OpenStudy>[] = [];
  const query = `WorkflowType = 'study' AND ExecutionStatus = 'Running'`;
  for await (const { workflowId, memo } of client.workflow.list({ query })) {
    const studyId = memo?.study;
    if (typeof studyId !== 'string' || studyId === except) continue;
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
  return Promise.all(open);
}
