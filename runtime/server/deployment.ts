/** Temporal's worker deployments, as Epochal uses them: the versions of the workflow code, the workers of each, and which of them a workflow is bound to. */
import type { WorkflowService } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { type TaskQueue, workflowVersion } from '../../workflows/messages.ts';
import { livePollers } from './pollers.ts';

type ExecutionInfo = temporal.api.workflow.v1.IWorkflowExecutionInfo;

/** Where to ask. */
export interface Deployments {
  readonly service: WorkflowService;
  readonly namespace: string;
}

/** Of all workers that have the workflows. */
export const deploymentName = 'epochal';

/** gRPC status codes. */
const [notFound, permissionDenied, unimplemented] = [5, 7, 12];

/** Name of a version of the workflow code: versions of one {@link workflowVersion} replay each other's histories, whatever their code. */
export function buildIdOf(codeDigest: string): string {
  return `${workflowVersion}-${codeDigest.slice(0, 12)}`;
}

/** The `workflowVersion` of the code with this build id; undefined if it is none of Epochal's. */
export function workflowVersionOf(buildId: string): number | undefined {
  const found = /^(\d+)-/.exec(buildId);
  return found === null ? undefined : Number(found[1]);
}

/** Whether the server has worker deployments. Those before 1.28 have none, and they can be switched off. */
export async function hasDeployments({ service, namespace }: Deployments): Promise<boolean> {
  try {
    await service.describeWorkerDeployment({ namespace, deploymentName });
    return true;
  } catch (error) {
    const { code } = error as { code?: number };
    if (code === notFound) return true;
    if (code === unimplemented || code === permissionDenied) return false;
    throw error;
  }
}

/** Build ids of the versions that have a worker for workflows now. */
export async function servedBuildIds({ service, namespace }: Deployments): Promise<ReadonlySet<string>> {
  const taskQueue = { name: 'epochal' satisfies TaskQueue };
  const { workflowTaskQueuePartitions } = await service.listTaskQueuePartitions({ namespace, taskQueue });
  const partitions = workflowTaskQueuePartitions.flatMap(({ key }) => (key ? [key] : []));
  const pollers = await Promise.all(
    partitions.map((name) => livePollers(service, namespace, name, 'workflows')),
  );
  const ids = pollers
    .flat()
    .map(({ deploymentOptions }) =>
      deploymentOptions?.deploymentName === deploymentName ? deploymentOptions.buildId : undefined,
    );
  return new Set(ids.filter((id) => typeof id === 'string' && id !== '') as string[]);
}

/** The version whose workers a workflow waits for; undefined if any will do. */
export function boundTo(info: ExecutionInfo | null | undefined): string | undefined {
  const { versioningOverride, versionTransition, deploymentVersion } = info?.versioningInfo ?? {};
  const version =
    versioningOverride?.pinned?.version ?? versionTransition?.deploymentVersion ?? deploymentVersion;
  return version?.deploymentName === deploymentName ? (version.buildId ?? undefined) : undefined;
}
