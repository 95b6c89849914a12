import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import type { Diagnostic } from './diagnostics/diagnostic.ts';
import type { Scope } from './expressions/scope.ts';
import { axisNames, extraNames } from './matrix/axes.ts';
import { makeCells } from './matrix/cells.ts';
import { compileMatrix } from './matrix/matrix.ts';
import { applyOverrides } from './matrix/overrides.ts';
import { compileParams, scopeOf } from './matrix/params.ts';
import { compileStrategy, planStrategy } from './matrix/strategy.ts';
import { planCollect } from './plan/collect.ts';
import { Defaults } from './plan/defaults.ts';
import { freeze } from './plan/freeze.ts';
import { orderStages } from './plan/order.ts';
import { createPlanner } from './plan/plan-stage.ts';
import { checkReport } from './plan/report.ts';
import { type CheckedStage, checkStage, directoryOf, downstreamOf } from './plan/stages.ts';
import { warnOfUnused } from './plan/unused.ts';
import type { Plan } from './plan.ts';
import { modulesIn, readOwnKinds, useOwnKinds } from './schema/own-kinds.ts';
import { Diagnostics } from './source/diagnostics.ts';
import { parseYaml } from './source/yaml-source.ts';
import { readSpec, type Spec, toJsonAt } from './spec/spec.ts';
import { isMap, type ValueMap } from './values.ts';

export interface CompileOptions {
  /** Path of the pipeline file, for messages; the plan keeps its last part. */
  readonly file: string;
  /** `--set name=value`: texts that are read as YAML values of the type of the param's default. */
  readonly overrides?: Readonly<Record<string, string>>;
}

export interface Compilation {
  /** Frozen in depth, and plain JSON: equal text and overrides give equal bytes. */
  readonly plan: Plan;
  readonly warnings: readonly Diagnostic[];
}

/**
 * Compiles the text of a pipeline to its plan: parse, check against the schemas, check expressions and references, expand the matrix,
 * evaluate each cell and check it again with its values.
 *
 * Throws `PipelineError` with everything that is wrong with the file as far as it can be found at once: syntax alone, then all that needs
 * no values, then all that does.
 */
export function compile(text: string, options: CompileOptions): Compilation {
  const diagnostics = new Diagnostics(parseYaml(text, options.file));
  useModules(dirname(options.file), diagnostics);
  try {
    return compileWithKinds(text, options, diagnostics);
  } finally {
    useOwnKinds();
  }
}

/** Compiles in the language of the moment: the built-in kinds and the pipeline's own. */
function compileWithKinds(text: string, options: CompileOptions, diagnostics: Diagnostics): Compilation {
  const spec = readSpec(diagnostics);

  const overrides = applyOverrides(spec.params, spec.matrix, options.overrides ?? {}, diagnostics);
  const params = compileParams(spec.matrix, overrides, diagnostics);
  const matrix = spec.matrix && compileMatrix(spec.matrix, params, diagnostics);
  const axes = [...axisNames(spec.matrix), ...extraNames(spec.matrix)];
  const absent: Scope['absent'] = (name) =>
    axes.includes(name)
      ? {
          message: `\`${name}\` is an axis and has a value only within a cell`,
          cure: `give it a default in \`params\``,
        }
      : undefined;

  const directory = directoryOf(spec.stages, spec.stageNames);
  const collectDirectory = directoryOf(spec.collects);
  const cellScope = scopeOf(params, new Set([...params.names, ...axes]), { stages: directory });
  const studyScope = (roots: Scope['roots']) => scopeOf(params, params.names, roots, absent);
  const downstream = downstreamOf(spec.stages);
  const stages = spec.stages.flatMap((node) => {
    const scope: Scope = {
      ...cellScope,
      get downstream() {
        return downstream(node.name); // Only asked for where something is wrong.
      },
    };
    return checkStage(node, scope, diagnostics) ?? [];
  });
  const collects = spec.collects.flatMap(
    (node) => checkStage(node, studyScope({ cells: directory }), diagnostics) ?? [],
  );
  const usual = new Defaults(spec.defaults, cellScope, diagnostics);
  // A stage over all cells belongs to none.
  const usualOfStudy = new Defaults(queueOf(spec), studyScope({}), diagnostics);
  const strategy = compileStrategy(spec.strategy, studyScope({}), diagnostics);
  const directories = { stages: directory, collect: collectDirectory };
  const report = checkReport(spec, stages, directories, params, absent, diagnostics);
  const order = orderStages(
    spec.stages.map(({ name }) => name),
    stages.flatMap(({ edges }) => edges),
    diagnostics,
  );
  diagnostics.throwIfErrors();

  const byName = new Map(stages.map((stage) => [stage.name, stage]));
  const planner = createPlanner(
    order.map((name) => byName.get(name) as CheckedStage),
    directory,
    usual,
    diagnostics,
  );
  const cells = makeCells(matrix, overrides.pinned, params, diagnostics).map((cell) => ({
    id: cell.id,
    axes: cell.axes,
    params: cell.plannedParams,
    stages: planner.plan(cell),
  }));
  const defaults = params.resolve({}) ?? {};
  const { resources } = usualOfStudy.evaluate({ params: defaults }) ?? {};
  const queue = (resources as { queue?: string } | undefined)?.queue;
  const collect = collects.flatMap(
    (stage) => planCollect(stage, defaults, axes, directory, queue, diagnostics) ?? [],
  );
  const settings = planStrategy(strategy, defaults, diagnostics);
  const planned = report.plan(defaults);
  const plannedParams = toJsonAt(defaults, ['params'], diagnostics) as Plan['params'];
  diagnostics.throwIfErrors();
  warnOfUnused(
    { stages, collects, report, strategy, defaults: usual.formula, matrix, params, axes },
    diagnostics,
  );

  const plan: Plan = {
    planVersion: 1,
    name: spec.name,
    description: spec.description,
    source: { file: basename(options.file), sha256: createHash('sha256').update(text).digest('hex'), text },
    params: plannedParams,
    axes,
    ...settings,
    cells,
    collect,
    report: planned,
  };
  return { plan: freeze(plan), warnings: diagnostics.found };
}

/** What stages over all cells take of `defaults`. */
function queueOf({ defaults: { resources }, collects }: Spec): ValueMap {
  const queue = isMap(resources) && collects.length > 0 ? resources.queue : undefined;
  return queue === undefined ? {} : { resources: { queue } };
}

/** Adds the kinds of the modules that the file names to the language; where nothing is known of one, all that follows would only echo it. */
function useModules(folder: string, diagnostics: Diagnostics): void {
  const modules = modulesIn(diagnostics.source.value);
  const { own, problems } = readOwnKinds(modules.keys(), folder);
  for (const { module, message, cure } of problems)
    diagnostics.error('wrong-module', modules.get(module)!, `\`${module}\`: ${message}`, cure);
  diagnostics.throwIfErrors();
  useOwnKinds(own);
}
