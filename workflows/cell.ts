import {
  ApplicationFailure,
  defineQuery,
  defineSignal,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { RefusedError } from '../artifacts/errors.ts';
import type { PlannedCell } from '../compiler/plan.ts';
import { CellRun } from './cell-run.ts';
import {
  type CellInput,
  type CellProgress,
  type CellResult,
  type ControlSignal,
  type FailureType,
  workflowIdOf,
} from './messages.ts';

const pause = defineSignal<[ControlSignal], ControlSignal>('pause');
const resume = defineSignal<[ControlSignal], ControlSignal>('resume');
const stop = defineSignal<[ControlSignal], ControlSignal>('stop');
const cellProgress = defineQuery<CellProgress>('cellProgress');

/**
 * One cell of the matrix, where it is a workflow of its own.
 *
 * Ends as failed with a `CellFailed` failure, or as cancelled, after the result was written to the store.
 */
export async function cell(input: CellInput): Promise<CellResult> {
  const { studyId, cell } = input;
  const { workflowId, parent } = workflowInfo();
  // The input of a study, sealed for this same workflow, has no cell.
  const own = workflowIdOf(studyId, (cell as Partial<PlannedCell> | undefined)?.id ?? '');
  if (workflowId !== own || parent?.workflowId !== workflowIdOf(studyId))
    throw new RefusedError(`This is not the workflow of a cell of ${studyId}, started by its study.`);
  const run = new CellRun(input);
  for (const signal of [pause, resume, stop]) {
    setHandler(signal, (order) => {
      if (order === signal.name) run.obey(order);
    });
  }
  setHandler(cellProgress, () => run.progress);
  const { result, cancellation } = await run.run();
  if (cancellation !== undefined) throw cancellation;
  const { failure } = result;
  if (failure === undefined) return result;
  // Its words are in the result, where they are sealed, and encrypted if the rest is.
  const message = `stage ${failure.stage} has failed`;
  throw ApplicationFailure.nonRetryable(message, 'CellFailed' satisfies FailureType, result);
}
