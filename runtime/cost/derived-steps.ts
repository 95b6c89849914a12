import { collectedAxes, collectStep } from '../../activities/engine/collect.ts';
import { resolveWith } from '../../activities/engine/resolve-with.ts';
import { stepOfStage } from '../../activities/engine/step.ts';
import type { ArtifactRef } from '../../artifacts/reference.ts';
import type { Step, StepIdentity } from '../../artifacts/store/step.ts';
import type { Plan, PlannedCollect, PlannedStage } from '../../compiler/plan.ts';
import type { CellResult } from '../../workflows/messages.ts';

/**
 * The step that a stage must have been: derived from its plan and from what the stages before it left. Only the digests of outside files are taken
 * from the record of the step itself. Throws if a stage that it needs has left nothing.
 */
export function derivedStep(
  stage: PlannedStage,
  available: Readonly<Record<string, Readonly<Record<string, ArtifactRef>>>>,
  { inputs, device }: Pick<StepIdentity, 'inputs' | 'device'>,
): Step {
  return stepOfStage(stage, resolveWith(stage, available), inputs, device);
}

/** The step that a `collect` over these cells must have been. */
export function derivedCollect(
  plan: Plan,
  collect: PlannedCollect,
  cells: ReadonlyMap<string, CellResult>,
): Step {
  const found = plan.cells.flatMap((cell) => {
    const result = cells.get(cell.id);
    const table = result?.stages[collect.table.stage]?.outputs[collect.table.output];
    if (result?.status !== 'succeeded' || table === undefined) return [];
    return [{ cell: cell.id, axes: collectedAxes(collect, cell), table }];
  });
  return collectStep(collect, found);
}
