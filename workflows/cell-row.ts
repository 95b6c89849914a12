import { isCancellation } from '@temporalio/workflow';
import type { PlannedCell } from '../compiler/plan.ts';
import { stageActivities } from './activities.ts';
import { describeFailure } from './failures.ts';
import type { Gate } from './gate.ts';
import { type CellAttempt, queueOf, rowIdOf, type StudyInput } from './messages.ts';
import { answerTo } from './seals.ts';

/** So long is a row, without the stage that is running then. */
const rowMs = 60_000;

/** Cells that follow one another in the plan. */
export interface CellRow {
  /** Index of the first. */
  readonly from: number;
  readonly cells: readonly PlannedCell[];
}

/** Whether cells may run one after another: none needs a GPU, and all are for the same queue. */
export function fitsRow(cells: readonly PlannedCell[]): boolean {
  const all = cells.flatMap(({ stages }) => stages.map(({ resources }) => resources));
  return all.every((resources) => resources.gpu === 0 && queueOf(resources) === queueOf(all[0]!));
}

/**
 * Runs cells one after another within one activity, where each stage is tried once. Gives what was made of the first cells, at least of one unless a
 * stop came before. An activity that fails is a failure of the first stage of each. Rejects when the study is cancelled and no cell was begun.
 */
export async function attemptRow(
  { studyId, storeUri, baseDirectory }: StudyInput,
  { from, cells }: CellRow,
  gate: Gate,
): Promise<readonly CellAttempt[]> {
  const task = { studyId, storeUri, baseDirectory, from, count: cells.length };
  const longest = Math.max(...cells.flatMap(({ stages }) => stages.map(({ timeoutMs }) => timeoutMs)));
  const queue = queueOf(cells[0]!.stages[0]!.resources);
  const limits = { timeoutMs: longest + rowMs, resources: { threads: 1, gpu: 0, queue } };
  const activityId = rowIdOf(task);
  try {
    const answer = await gate.pass(() => stageActivities(limits, activityId).runCells(task));
    const attempts = answerTo(activityId, answer);
    for (const [index, { cellId }] of attempts.entries())
      answerTo(cells[index]?.id ?? '', { to: cellId, value: null });
    return attempts;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return cells.map(({ id, stages: [first] }) => {
      const { name } = first!;
      return { cellId: id, stages: { [name]: describeFailure(name, error) }, recorded: false };
    });
  }
}
