import type { Client } from '@temporalio/client';
import { workflowIdOf, workflowVersion } from '../../workflows/messages.ts';
import { boundTo, servedBuildIds, workflowVersionOf } from '../server/deployment.ts';

/** The version of the workflow code with which an open study goes on. */
export interface StudyVersion {
  /** As {@link buildIdOf} makes them. */
  readonly buildId: string;
  /** Whether it has a worker. */
  readonly served: boolean;
  /** Whether a worker of this version of the program can go on with it: it does so as soon as those of its own are gone. */
  readonly replayable: boolean;
}

/** Undefined for a study that any worker may go on with: it has not begun, or its server has no worker deployments. */
export async function versionOfStudy(client: Client, studyId: string): Promise<StudyVersion | undefined> {
  const service = client.workflowService;
  const { namespace } = client.options;
  const { workflowExecutionInfo } = await service.describeWorkflowExecution({
    namespace,
    execution: { workflowId: workflowIdOf(studyId) },
  });
  const buildId = boundTo(workflowExecutionInfo);
  if (buildId === undefined) return undefined;
  return {
    buildId,
    served: (await servedBuildIds({ service, namespace })).has(buildId),
    replayable: workflowVersionOf(buildId) === workflowVersion,
  };
}
