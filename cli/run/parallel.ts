import type { Plan } from '../../compiler/index.ts';
import { formatCount, plural } from '../../report/numbers.ts';
import { cellsElsewhere, cellsFor, defaultSlots } from '../../runtime/workers/slots.ts';

/** What runs at the same time. */
export interface Parallel {
  /** Stages of one thread that compute on this machine, if it has a worker. */
  readonly slots: number;
  readonly cells: number;
  /** Both, in words. */
  readonly text: string;
}

/** What runs at the same time of a plan that is launched here, with a worker here or without. */
export function parallelOf(
  plan: Pick<Plan, 'maxParallel' | 'cells'>,
  { slots = defaultSlots(), worker = true }: { slots?: number | undefined; worker?: boolean } = {},
): Parallel {
  const cells = plan.maxParallel ?? (worker ? cellsFor(slots) : cellsElsewhere);
  const all = plan.cells.length;
  const said = [
    ...(all === 1 ? [] : [`${formatCount(Math.min(cells, all))} of ${plural(all, 'cell')}`]),
    ...(worker ? [`${plural(slots, 'stage')} of one thread here`] : []),
  ];
  return { slots, cells, text: said.join(', ') };
}
