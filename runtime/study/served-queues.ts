import type { Client } from '@temporalio/client';
import { livePollers } from '../server/pollers.ts';

/** Those of these task queues of stages for which no worker has asked for work lately. Throws if the server does not answer. */
export async function withoutWorkers(client: Client, taskQueues: ReadonlySet<string>): Promise<Set<string>> {
  const { namespace } = client.options;
  const looks = await Promise.all(
    [...taskQueues].map(async (name) => {
      const pollers = await livePollers(client.workflowService, namespace, name, 'activities');
      return pollers.length === 0 ? [name] : [];
    }),
  );
  return new Set(looks.flat());
}
