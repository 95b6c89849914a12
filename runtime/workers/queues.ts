import type { Plan } from '../../compiler/plan.ts';

/** The queues of stages that everybody has. */
export const usualQueues: readonly string[] = ['cpu', 'gpu'];

/** Queues of the user's own that a plan names, sorted. */
export function ownQueuesOf({ cells, collect }: Pick<Plan, 'cells' | 'collect'>): string[] {
  const named = [
    ...cells.flatMap(({ stages }) => stages.map(({ resources }) => resources.queue)),
    ...collect.map(({ queue }) => queue),
  ];
  const own = named.filter((name) => name !== undefined && !usualQueues.includes(name));
  return [...new Set(own as string[])].sort();
}
