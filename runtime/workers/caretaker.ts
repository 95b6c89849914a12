import { setTimeout } from 'node:timers/promises';
import { EnvironmentError } from '../../artifacts/errors.ts';
import { workflowVersion } from '../../workflows/messages.ts';
import {
  boundTo,
  type Deployments,
  deploymentName,
  servedBuildIds,
  workflowVersionOf,
} from '../server/deployment.ts';

/** How often it looks after the studies of others. */
const lookEveryMs = 10_000;
/** A new version is known to the server a tenth of a second after its first worker has asked for work. */
const registrationLimitMs = 60_000;

/**
 * Sees to it that no study waits for workers that are gone while this worker can go on with it. New studies begin with the version of the worker that was
 * started last; those that run stay with the version that began them as long as it has a worker.
 */
export class Caretaker {
  readonly #at: Deployments;
  readonly #buildId: string;

  constructor(at: Deployments, buildId: string) {
    this.#at = at;
    this.#buildId = buildId;
  }

  /** Resolves when new studies can begin: once this worker's version is known, and is the current one unless that is newer and has a worker. */
  async begin(signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + registrationLimitMs;
    while (!signal.aborted) {
      try {
        await this.#becomeCurrent((current) => (workflowVersionOf(current) ?? 0) <= workflowVersion);
        await this.look();
        return;
      } catch (error) {
        if (performance.now() > deadline) {
          throw new EnvironmentError(
            `The server does not take this worker's version ${this.#buildId}: ${(error as Error).message}`,
            'Workers need the right to set the current version of the deployment `epochal`; `temporal worker deployment describe --name epochal` shows what the server knows.',
          );
        }
        await setTimeout(20);
      }
    }
  }

  /** Looks again and again, until `signal` aborts. */
  async stay(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await setTimeout(lookEveryMs, undefined, { signal, ref: false }).catch(() => undefined);
      // A server that does not answer now is asked again.
      if (!signal.aborted) await this.look().catch(() => undefined);
    }
  }

  /** Takes over the studies, and the beginning of new ones, whose versions have no worker any more. */
  async look(): Promise<void> {
    const served = await servedBuildIds(this.#at);
    await this.#becomeCurrent((current) => !served.has(current));
    const { service, namespace } = this.#at;
    const { workerDeploymentInfo } = await service.describeWorkerDeployment({ namespace, deploymentName });
    for (const { deploymentVersion } of workerDeploymentInfo?.versionSummaries ?? []) {
      const { buildId } = deploymentVersion ?? {};
      if (!buildId || buildId === this.#buildId || served.has(buildId)) continue;
      // The histories of another one cannot be replayed.
      if (workflowVersionOf(buildId) === workflowVersion) await this.#takeOver(buildId, served);
    }
  }

  async #becomeCurrent(instead: (current: string) => boolean): Promise<void> {
    const { service, namespace } = this.#at;
    const { workerDeploymentInfo } = await service.describeWorkerDeployment({ namespace, deploymentName });
    const current = workerDeploymentInfo?.routingConfig?.currentDeploymentVersion?.buildId;
    if (current === this.#buildId || (current && !instead(current))) return;
    const buildId = this.#buildId;
    await service.setWorkerDeploymentCurrentVersion({ namespace, deploymentName, buildId });
  }

  async #takeOver(from: string, served: ReadonlySet<string>): Promise<void> {
    const { service, namespace } = this.#at;
    const query = `TemporalWorkerDeploymentVersion = '${deploymentName}:${from}' AND ExecutionStatus = 'Running'`;
    let nextPageToken: Uint8Array | undefined;
    do {
      const request = { namespace, query, ...(nextPageToken === undefined ? {} : { nextPageToken }) };
      const page = await service.listWorkflowExecutions(request);
      for (const { execution } of page.executions) await this.#move(execution?.workflowId, served);
      nextPageToken = page.nextPageToken?.length > 0 ? page.nextPageToken : undefined;
    } while (nextPageToken !== undefined);
  }

  /** A workflow that has ended in this moment need not be moved. Cells that a study has just started are in no list yet, but it names them. */
  async #move(workflowId: string | null | undefined, served: ReadonlySet<string>): Promise<void> {
    if (!workflowId) return;
    const { service, namespace } = this.#at;
    const workflowExecution = { workflowId };
    const told = await service
      .describeWorkflowExecution({ namespace, execution: workflowExecution })
      .catch(() => undefined);
    const bound = boundTo(told?.workflowExecutionInfo);
    if (bound === undefined || bound === this.#buildId || served.has(bound)) return;
    if (workflowVersionOf(bound) !== workflowVersion) return;
    const version = { deploymentName, buildId: this.#buildId };
    await service
      .updateWorkflowExecutionOptions({
        namespace,
        workflowExecution,
        workflowExecutionOptions: {
          versioningOverride: { pinned: { behavior: 1, version } },
        },
        updateMask: { paths: ['versioning_override'] },
      })
      .catch(() => undefined);
    for (const child of told?.pendingChildren ?? []) await this.#move(child.workflowId, served);
  }
}
