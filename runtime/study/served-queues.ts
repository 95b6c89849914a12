import type { Client } from '@temporalio/client';

/** A worker that is there asks for work at least once a minute. */
const lastSeenMs = 120_000;
const activityQueue = 2;

/** Those of these task queues of stages for which no worker has asked for work lately. Throws if the server does not answer. */
export async function withoutWorkers(client: Client, taskQueues: ReadonlySet<string>): Promise<Set<string>> {
  const { namespace } = client.options;
  const looks = await Promise.all(
    [...taskQueues].map(async (name) => {
      const request = { namespace, taskQueue: { name }, taskQueueType: activityQueue };
      const { pollers } = await client.workflowService.describeTaskQueue(request);
      const seen = (pollers ?? []).map(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1000);
      return { name, isServed: seen.some((at) => Date.now() - at < lastSeenMs) };
    }),
  );
  return new Set(looks.filter(({ isServed }) => !isServed).map(({ name }) => name));
}
