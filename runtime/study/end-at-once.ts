import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { workflowIdOf } from '../../workflows/messages.ts';

/** Ends a study, and its cells with workflows of their own, without a word to them. */
export async function endAtOnce(client: Client, studyId: string, reason: string): Promise<void> {
  const study = client.workflow.getHandle(workflowIdOf(studyId));
  const { raw } = await study.describe();
  await study.terminate(reason);
  for (const { workflowId, runId } of raw.pendingChildren ?? []) {
    if (!workflowId || !runId) continue;
    await client.workflow.getHandle(workflowId, runId).terminate(reason).catch(ignoreNotFound);
  }
}

function ignoreNotFound(error: unknown): void {
  if (!(error instanceof WorkflowNotFoundError)) throw error;
}
