import { choose } from '../diagnostics/did-you-mean.ts';
import { evaluateFormula } from '../expressions/formula.ts';
import type { Directory } from '../expressions/scope.ts';
import type { Json, PlannedCollect } from '../plan.ts';
import { explainSchemaErrors } from '../schema/schema-errors.ts';
import { fillWith } from '../schema/schemas.ts';
import type { Diagnostics } from '../source/diagnostics.ts';
import { reportSchemaProblems, toJsonAt } from '../spec/spec.ts';
import type { ValueMap } from '../values.ts';
import { referencesTo } from './plan-stage.ts';
import { asReference } from './recipe.ts';
import type { CheckedStage } from './stages.ts';

/** Plans a stage over all cells; `params` are the defaults, since a collect belongs to no cell, and `queue` that of the pipeline. */
export function planCollect(
  stage: CheckedStage,
  params: ValueMap,
  axes: readonly string[],
  cells: Directory,
  queue: string | undefined,
  diagnostics: Diagnostics,
): PlannedCollect | undefined {
  const path = [...stage.path, 'with'];
  const withs = evaluateFormula(stage.with, { params, cells: referencesTo(cells) }, diagnostics);
  if (withs === undefined) return undefined;
  const json = toJsonAt(withs, path, diagnostics) as Record<string, Json>;
  const { errors } = fillWith(stage.kind.uses, json);
  reportSchemaProblems(explainSchemaErrors(errors, path), path, diagnostics, '', params);
  const table = asReference(json.table);
  if (errors.length > 0 || table === undefined) return undefined;
  const by = (json.by as readonly string[] | undefined) ?? axes;
  for (const [index, axis] of by.entries()) {
    if (axes.includes(axis)) continue;
    diagnostics.error(
      'unknown-axis',
      [...path, 'by', index],
      `the matrix has no axis \`${axis}\``,
      choose(
        axis,
        axes.filter((other) => !by.includes(other)),
        'axes',
      ),
    );
  }
  const { name, kind, line } = stage;
  return {
    ...{ name, uses: kind.uses, version: kind.version, table, by: [...by], outputs: kind.outputs },
    ...(queue === undefined ? {} : { queue }),
    line,
  };
}
