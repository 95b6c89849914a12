import type { Values } from '../expressions/expression.ts';
import { evaluateFormula } from '../expressions/formula.ts';
import { unwrittenOutput } from '../expressions/outputs.ts';
import type { Directory } from '../expressions/scope.ts';
import type { Cell } from '../matrix/cells.ts';
import type { Json, PlannedReference, PlannedStage } from '../plan.ts';
import { inWords } from '../schema/conditions.ts';
import { explainSchemaErrors } from '../schema/schema-errors.ts';
import { fillWith } from '../schema/schemas.ts';
import { outputsWith, stageKind } from '../schema/stage-kinds.ts';
import type { Diagnostics } from '../source/diagnostics.ts';
import { reportSchemaProblems, toJsonAt } from '../spec/spec.ts';
import type { ValueMap } from '../values.ts';
import { type Defaults, withDefaults } from './defaults.ts';
import { freeze } from './freeze.ts';
import { asReference, digestOf, replaceParts, without } from './recipe.ts';
import { type CheckedStage, readExecution } from './stages.ts';
import { hardwareOf } from './step-key.ts';

/** The stages of a cell that are planned already, by name. */
type Done = ReadonlyMap<string, PlannedStage>;

/** Plans the stages of one cell after another. Stages that come out equal in several cells are evaluated again but planned once. */
export interface StagePlanner {
  /** The stages of a cell, or those that are sound after reporting the others. */
  plan(cell: Cell): PlannedStage[];
}

/** `stages` in the order in which they run; `directory` has the outputs of all of them. */
export function createPlanner(
  stages: readonly CheckedStage[],
  directory: Directory,
  defaults: Defaults,
  diagnostics: Diagnostics,
): StagePlanner {
  const references = referencesTo(directory);
  const planned = new Map<string, PlannedStage | undefined>();
  /** By stage and settings, which are the same in most cells. */
  const executions = new Map<string, NonNullable<ReturnType<typeof readExecution>>>();

  const planStage = (stage: CheckedStage, cell: Cell, done: Done) => {
    const values: Values = { params: cell.params, stages: references };
    const path = [...stage.path, 'with'];
    const withs = evaluateFormula(stage.with, values, diagnostics, cell.where);
    const own = evaluateFormula(stage.execution, values, diagnostics, cell.where);
    const usual = defaults.evaluate(values, cell.where);
    if (withs === undefined || own === undefined || usual === undefined) return undefined;
    const execution = withDefaults(usual, own as ValueMap);
    const json = toJsonAt(withs, path, diagnostics, cell.where) as Record<string, Json>;
    const settings = toJsonAt(execution, stage.path, diagnostics, cell.where);
    const needed = stage.edges.map(({ to }) => done.get(to)?.recipe ?? '');
    const key = JSON.stringify([stage.name, json, settings, needed]);
    if (!planned.has(key)) planned.set(key, finish(stage, json, settings, cell, done));
    return planned.get(key);
  };

  const finish = (
    stage: CheckedStage,
    json: Record<string, Json>,
    settings: Json,
    cell: Cell,
    done: Done,
  ): PlannedStage | undefined => {
    const { name, kind, line } = stage;
    const path = [...stage.path, 'with'];
    const { errors, locations } = fillWith(kind.uses, json);
    reportSchemaProblems(explainSchemaErrors(errors, path), path, diagnostics, cell.where, cell.params);
    const key = JSON.stringify([name, settings]);
    const execution = executions.get(key) ?? readExecution(settings, stage, diagnostics, cell);
    if (errors.length > 0 || execution === undefined) return undefined;
    executions.set(key, execution);
    const needs = new Set(stage.needs);
    const ingredients = replaceParts(without(json, locations), (part) => {
      const reference = asReference(part);
      if (reference === undefined) return undefined;
      needs.add(reference.stage);
      checkWritten(stage, reference, done, cell.where, diagnostics);
      return { recipe: done.get(reference.stage)?.recipe ?? '', output: reference.output };
    });
    const { uses, version } = kind;
    const { threads, gpu } = execution.resources;
    const hardware = hardwareOf({ uses, threads, device: gpu > 0 ? 'gpu' : undefined });
    const recipe = digestOf({ uses, version, with: ingredients, ...hardware });
    return freeze({
      name,
      uses,
      version,
      with: json,
      needs: [...needs].sort(),
      outputs: outputsWith(kind, json),
      ...execution,
      recipe,
      line,
    });
  };

  return {
    plan(cell) {
      const done = new Map<string, PlannedStage>();
      return stages.flatMap((stage) => {
        const result = planStage(stage, cell, done);
        if (result !== undefined) done.set(stage.name, result);
        return result === undefined ? [] : [result];
      });
    },
  };
}

/** Settings of which the values were not known before may be without the output that another stage takes. */
function checkWritten(
  { edges }: CheckedStage,
  { stage, output }: PlannedReference['$output'],
  done: Done,
  where: string,
  diagnostics: Diagnostics,
): void {
  const maker = done.get(stage);
  if (maker === undefined || Object.hasOwn(maker.outputs, output)) return;
  const settings = inWords(stageKind(maker.uses)?.writes[output] ?? []);
  const { span } = edges.find((edge) => edge.to === stage && edge.output === output)!;
  const [message, cure] = unwrittenOutput(stage, output, settings);
  diagnostics.error('wrong-reference', span, message, cure, where);
}

/** `stages.train.state` as expressions see it: the reference that stands for it in the plan. */
export function referencesTo(directory: Directory): ValueMap {
  const entries = [...directory].map(([stage, outputs]) => [
    stage,
    Object.fromEntries(
      Object.entries(outputs ?? {}).map(([output, kind]) => [output, { $output: { stage, output, kind } }]),
    ),
  ]);
  return Object.fromEntries(entries) as ValueMap;
}
