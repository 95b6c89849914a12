import type { WorkflowService } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';

/** Workers poll for a minute at a time: one that has not asked for longer is gone, though the server names it for some minutes. */
const gonePollMs = 90_000;

const types = { workflows: 1, activities: 2 } as const;

/** Those that have asked for work of a task queue lately. Throws if the server does not answer. */
export async function livePollers(
  service: WorkflowService,
  namespace: string,
  taskQueue: string,
  of: keyof typeof types,
): Promise<temporal.api.taskqueue.v1.IPollerInfo[]> {
  const { pollers } = await service.describeTaskQueue({
    namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: types[of],
  });
  const since = Date.now() - gonePollMs;
  return pollers.filter(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1000 > since);
}
