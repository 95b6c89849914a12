import { choose } from '../diagnostics/did-you-mean.ts';
import { milliseconds } from '../duration.ts';
import { compileFormula, type Formula, outputsOf } from '../expressions/formula.ts';
import type { Directory, Scope } from '../expressions/scope.ts';
import type { Cell } from '../matrix/cells.ts';
import type { PlannedStage } from '../plan.ts';
import { inWords } from '../schema/conditions.ts';
import { explainSchemaErrors } from '../schema/schema-errors.ts';
import { fillStage, parsePointer, validateWith } from '../schema/schemas.ts';
import { outputsWith, type StageKind, stageKind, stageKinds } from '../schema/stage-kinds.ts';
import type { Diagnostics } from '../source/diagnostics.ts';
import { hasExpression, looksComputed } from '../source/template.ts';
import { pendingIn, reportSchemaProblems, type StageNode, toJsonAt } from '../spec/spec.ts';
import { type Path, placeKey, type Value } from '../values.ts';
import type { Edge } from './order.ts';
import { without } from './recipe.ts';

/** A stage that passed every check that needs no values. */
export interface CheckedStage {
  readonly name: string;
  readonly path: Path;
  readonly kind: StageKind;
  readonly with: Formula;
  /** `resources`, `retry` and `timeout`. */
  readonly execution: Formula;
  /** Named under `needs:`. */
  readonly needs: readonly string[];
  /** The stages that it waits for, and where the file says so. */
  readonly edges: readonly Edge[];
  readonly line: number;
}

/** The outputs of stages by name, those of which it is not known yet whether they are written too; undefined for a stage of which the kind is not known. */
export function directoryOf(nodes: readonly StageNode[], names: readonly string[] = []): Directory {
  const known = nodes.map(({ name, uses, with: withs }) => {
    const kind = stageKind(uses);
    return [name, kind, kind && outputsWith(kind, withs, looksComputed)] as const;
  });
  const unwritten = known.flatMap(([name, kind, outputs]) =>
    Object.entries(kind?.writes ?? {}).flatMap(([output, conditions]) =>
      outputs === undefined || Object.hasOwn(outputs, output)
        ? []
        : [[`${name}.${output}`, inWords(conditions)] as const],
    ),
  );
  const outputs = new Map([
    ...names.map((name) => [name, undefined] as const),
    ...known.map(([name, , written]) => [name, written] as const),
  ]);
  return Object.assign(outputs, { unwritten: Object.fromEntries(unwritten) });
}

/** Of each stage, itself and all that wait for it, as far as the texts of the file tell: before anything is checked. */
export function downstreamOf(nodes: readonly StageNode[]): (name: string) => ReadonlySet<string> {
  const readers = new Map<string, string[]>();
  for (const { name, with: withs, needs } of nodes) {
    const text = JSON.stringify(withs, (_, value: unknown) => (typeof value === 'bigint' ? 0 : value));
    const named = Array.from(text.matchAll(/\bstages\s*\.\s*(\w+)/g), (match) => match[1]!);
    for (const to of [...named, ...needs]) readers.set(to, [...(readers.get(to) ?? []), name]);
  }
  const known = new Map<string, ReadonlySet<string>>();
  return (name) => {
    const found = new Set([name]);
    if (!known.has(name))
      for (const stage of found) for (const reader of readers.get(stage) ?? []) found.add(reader);
    known.set(name, known.get(name) ?? found);
    return known.get(name)!;
  };
}

/** Checks a stage or a collect: its kind, its `with` against the kind's schema, its expressions and references. */
export function checkStage(
  node: StageNode,
  scope: Scope,
  diagnostics: Diagnostics,
): CheckedStage | undefined {
  const kind = checkKind(node, diagnostics);
  const path = [...node.path, 'with'];
  const validation = kind && validateWith(kind.uses, toJsonAt(node.with, path, diagnostics));
  const artifacts = new Map(
    (validation?.artifacts ?? []).map(
      ({ path: site, kinds }) => [placeKey([...path, ...site]), kinds] as const,
    ),
  );
  const execution = compileFormula(node.execution, node.path, { diagnostics, scope });
  if (kind === undefined || validation === undefined) return undefined;
  // What stands at a key that is none is not looked at.
  const unknown = validation.errors.flatMap(({ keyword, instancePath, params }) =>
    keyword === 'additionalProperties' ? [[...parsePointer(instancePath), params.additionalProperty]] : [],
  );
  const known = without(node.with, unknown) as Value;
  const withs = compileFormula(known, path, { diagnostics, scope, artifacts });
  const found = explainSchemaErrors(validation.errors, path, pendingIn(node.with));
  reportSchemaProblems(found, path, diagnostics);
  return {
    name: node.name,
    path: node.path,
    kind,
    with: withs,
    execution,
    needs: node.needs,
    edges: [
      ...outputsOf(withs, diagnostics).map(({ stage, output, span }) => ({
        ...{ from: node.name, to: stage, output, span },
      })),
      ...checkNeeds(node, scope, diagnostics),
    ],
    line: diagnostics.lineOf(diagnostics.spanOfKey(node.path).start),
  };
}

/** Evaluated `resources`, `retry` and `timeout` with their defaults, or undefined after reporting what is wrong with them. */
export function readExecution(
  given: unknown,
  node: Pick<CheckedStage, 'path'>,
  diagnostics: Diagnostics,
  { where, params }: Pick<Cell, 'where' | 'params'>,
) {
  const filled = { uses: '', resources: {}, retry: {}, ...(given as object) } as unknown as {
    readonly uses: string;
    readonly resources: PlannedStage['resources'];
    readonly retry: { readonly attempts: number };
    readonly timeout: string;
  };
  const { errors } = fillStage(filled);
  reportSchemaProblems(explainSchemaErrors(errors, node.path), node.path, diagnostics, where, params);
  if (errors.length > 0) return undefined;
  const { resources, retry, timeout } = filled;
  const { threads, gpu, queue } = resources;
  return {
    resources: { threads, gpu, ...(queue === undefined ? {} : { queue }) },
    retry,
    timeoutMs: milliseconds(timeout),
  };
}

function checkKind(
  { uses, path, kind: section }: StageNode,
  diagnostics: Diagnostics,
): StageKind | undefined {
  if (hasExpression(uses)) return undefined; // Reported with the other expressions that stand where none can.
  const place = [...path, 'uses'];
  const kind = stageKind(uses);
  const wanted = section === 'stage' ? 'cell' : 'study';
  const fitting = Object.values(stageKinds).flatMap((candidate) =>
    candidate.scope === wanted ? [candidate.uses] : [],
  );
  if (kind === undefined) {
    diagnostics.error(
      'unknown-stage-kind',
      place,
      `there is no stage kind \`${uses}\``,
      choose(uses, fitting, 'stage kinds'),
    );
    return undefined;
  }
  if (kind.scope === wanted) return kind;
  diagnostics.error(
    'misplaced-stage',
    place,
    `\`${uses}\` ${kind.scope === 'study' ? 'works over all cells' : 'works in one cell'}`,
    `move it under \`${kind.scope === 'study' ? 'collect' : 'stages'}:\``,
  );
  return undefined;
}

function checkNeeds({ name, path, needs }: StageNode, scope: Scope, diagnostics: Diagnostics) {
  return needs.flatMap((to, index): Edge[] => {
    const span = diagnostics.spanOfValue([...path, 'needs', index]);
    const stages = scope.roots.stages ?? new Map();
    if (stages.has(to)) return [{ from: name, to, span }];
    const possible = [...stages.keys()].filter(
      (stage) => scope.downstream?.has(stage) !== true && !needs.includes(stage),
    );
    diagnostics.error('unknown-stage', span, `there is no stage \`${to}\``, choose(to, possible, 'stages'));
    return [];
  });
}
