import { didYouMean } from '../diagnostics/did-you-mean.ts';
import type { Json } from '../plan.ts';
import { explainSchemaErrors, pointCure } from '../schema/schema-errors.ts';
import { parsePointer, schemas, validateLanguage } from '../schema/schemas.ts';
import type { Diagnostics } from '../source/diagnostics.ts';
import { hasExpression, looksComputed } from '../source/template.ts';
import { isBlankAt } from '../source/yaml-source.ts';
import {
  isMap,
  type Path,
  placeKey,
  showPath,
  toJson,
  UnplannableValue,
  type Value,
  type ValueMap,
  valueAt,
} from '../values.ts';
import { isAt, originOf } from './origin.ts';

/** A stage, or a collect, as it stands in the file. */
export interface StageNode {
  readonly kind: 'stage' | 'collect';
  readonly name: string;
  readonly path: Path;
  readonly uses: string;
  readonly with: ValueMap;
  /** `resources`, `retry` and `timeout`. */
  readonly execution: ValueMap;
  readonly needs: readonly string[];
}

export interface FigureNode {
  readonly path: Path;
  readonly kind: string;
  readonly from: Value;
  readonly fit?: Value;
  readonly title?: Value;
  readonly caption?: Value;
}

/** The file as plain data: what of it is well formed. The rest has been reported. */
export interface Spec {
  readonly name: string;
  readonly description: string;
  readonly params: ValueMap;
  readonly matrix: ValueMap | undefined;
  readonly strategy: ValueMap;
  /** `resources`, `retry` and `timeout` of all stages that do not say otherwise. */
  readonly defaults: ValueMap;
  readonly stages: readonly StageNode[];
  /** Names of all stages, also of those that are not well formed. */
  readonly stageNames: readonly string[];
  readonly collects: readonly StageNode[];
  readonly title: Value | undefined;
  readonly figures: readonly FigureNode[] | undefined;
}

/** Checks the skeleton of the file against the schema of the language and reads it. Reports what is wrong. */
export function readSpec(diagnostics: Diagnostics): Spec {
  const root = diagnostics.source.value;
  const json = toJsonAt(root, [], diagnostics);
  const { errors, zones } = validateLanguage(json);
  reportSchemaProblems(explainSchemaErrors(errors, [], pendingIn(root)), [], diagnostics);
  const unknown = errors.filter(({ keyword }) => keyword === 'additionalProperties');
  const wrong = errors.filter(({ keyword, data }) => keyword === 'type' && typeof data === 'object');
  const open = new Set([
    ...zones.map(({ path }) => placeKey(path)),
    ...unknown.map(({ instancePath, params }) =>
      placeKey([...parsePointer(instancePath), params.additionalProperty]),
    ),
    ...wrong.map(({ instancePath }) => placeKey(parsePointer(instancePath))),
  ]);
  reportMisplacedExpressions(root, [], open, diagnostics);
  // With a part of the file under a wrong name, all that refers to it would seem wrong too.
  if (!isMap(root) || root.stages === undefined || unknown.some(({ instancePath }) => instancePath === ''))
    diagnostics.throwIfErrors();
  reportEmptyParams(mapOf((root as ValueMap).params), ['params'], diagnostics);
  return readRoot(root as ValueMap);
}

function readRoot(root: ValueMap): Spec {
  const strategy = mapOf(root.strategy);
  const report = mapOf(root.report);
  return {
    name: textOf(root.name),
    description: textOf(root.description),
    params: mapOf(root.params),
    matrix: isMap(strategy.matrix) ? strategy.matrix : undefined,
    strategy,
    defaults: executionOf(mapOf(root.defaults)),
    stages: Object.entries(mapOf(root.stages)).flatMap(([name, value]) =>
      isWithout(value, mapOf(root.stages)) ? [] : readStage('stage', 'stages', name, value),
    ),
    stageNames: Object.keys(mapOf(root.stages)),
    collects: Object.entries(mapOf(root.collect)).flatMap(([name, value]) =>
      readStage('collect', 'collect', name, value),
    ),
    title: report.title,
    figures: Array.isArray(report.figures)
      ? report.figures.flatMap((figure: Value, index) => readFigure(figure, ['report', 'figures', index]))
      : undefined,
  };
}

function readStage(kind: StageNode['kind'], section: string, name: string, value: Value): StageNode[] {
  if (!isMap(value) || typeof value.uses !== 'string') return [];
  const { uses, with: withs, needs } = value;
  if (withs !== undefined && !isMap(withs)) return [];
  return [
    {
      kind,
      name,
      path: [section, name],
      uses,
      with: mapOf(withs),
      execution: executionOf(value),
      needs: Array.isArray(needs) ? needs.filter((need): need is string => typeof need === 'string') : [],
    },
  ];
}

function executionOf({ resources, retry, timeout }: ValueMap): ValueMap {
  const given = Object.entries({ resources, retry, timeout }).filter(([, part]) => part !== undefined);
  return Object.fromEntries(given) as ValueMap;
}

/** True for a stage of which `with` stands under another name, or as a stage of its own: nothing more is known of it. */
function isWithout(stage: Value, siblings: ValueMap): boolean {
  if (!isMap(stage) || stage.with !== undefined) return false;
  const isKnown = (key: string) => Object.hasOwn(schemas.language.$defs.Stage.properties, key);
  return Object.hasOwn(siblings, 'with') || !Object.keys(stage).every(isKnown);
}

function readFigure(value: Value, path: Path): FigureNode[] {
  if (!isMap(value) || typeof value.kind !== 'string' || value.from === undefined) return [];
  const { kind, from, fit, title, caption } = value;
  const optional = Object.fromEntries(
    Object.entries({ fit, title, caption }).filter(([, part]) => part !== undefined),
  );
  return [{ path, kind, from, ...optional }];
}

/**
 * Puts schema problems at their places in the file, unless what is there is already known to be wrong. With `params` (the cell's), also tells
 * in which line a value is written that came from there.
 */
export function reportSchemaProblems(
  found: ReturnType<typeof explainSchemaErrors>,
  base: Path,
  diagnostics: Diagnostics,
  where = '',
  params?: ValueMap,
): void {
  for (const { code, path, at, message, cure, data } of found) {
    const full = [...base, ...path];
    const span = at === 'key' ? diagnostics.spanOfKey(full) : diagnostics.spanOfValue(full);
    if (at === 'value' && diagnostics.hasErrorAt(span)) continue;
    const tell = () => {
      const origin = params && originOf(diagnostics.source.value, full, params);
      if (origin === undefined || !isAt(diagnostics.source.value, origin, data)) return cure;
      const written = `it is written in line ${diagnostics.lineOf(diagnostics.spanOfValue(origin).start)}`;
      return cure === undefined ? written : `${written}: ${cure}`;
    };
    diagnostics.error(code, span, message, tell, where);
  }
}

/** True for errors about values that are expressions and not evaluated yet, or that are told as wrong ones. */
export function pendingIn(root: Value): (error: { readonly instancePath: string }) => boolean {
  return ({ instancePath }) => looksComputed(valueAt(root, parsePointer(instancePath)));
}

/** The value as JSON; what JSON cannot hold is reported and stands as 0. */
export function toJsonAt(value: Value, path: Path, diagnostics: Diagnostics, where = ''): Json {
  try {
    return toJson(value);
  } catch (error) {
    if (!(error instanceof UnplannableValue)) throw error;
    return toJsonPart(value, path, diagnostics, where, error);
  }
}

/** Looks for the parts that JSON cannot hold, which there are. */
function toJsonPart(
  value: Value,
  path: Path,
  diagnostics: Diagnostics,
  where: string,
  error: UnplannableValue,
): Json {
  if (Array.isArray(value))
    return value.map((item: Value, index) => toJsonAt(item, [...path, index], diagnostics, where));
  if (isMap(value)) {
    const entries = Object.entries(value);
    return Object.fromEntries(
      entries.map(([key, member]) => [key, toJsonAt(member, [...path, key], diagnostics, where)]),
    );
  }
  diagnostics.error('wrong-number', path, error.message, 'write a smaller, finite number', where);
  return 0;
}

/** A value that was forgotten is not one that was left out. */
function reportEmptyParams(values: ValueMap, path: Path, diagnostics: Diagnostics): void {
  for (const [name, value] of Object.entries(values)) {
    const at = [...path, name];
    if (isMap(value)) reportEmptyParams(value, at, diagnostics);
    if (value !== null || !isBlankAt(diagnostics.source, at)) continue;
    const message = `\`${showPath(at)}\` has no value`;
    const cure = /^\d+$/.test(name) ? pointCure : 'fill it in; `null` stands for none';
    diagnostics.error('wrong-value', diagnostics.spanOfKey(at), message, cure);
  }
}

function reportMisplacedExpressions(
  value: Value,
  path: Path,
  open: ReadonlySet<string>,
  diagnostics: Diagnostics,
): void {
  if (open.has(placeKey(path))) return;
  if (hasExpression(value)) {
    const at = value.indexOf('${{');
    const key = /^(\w+)\s*=?\s*\$\{\{/.exec(value)?.[1];
    const cure =
      key !== undefined
        ? `if \`${key}\` is a key, a colon is missing after it`
        : didYouMean(String(path.at(-1)), ['uses', 'needs']) === undefined
          ? 'write the value itself'
          : 'write its name as it is';
    diagnostics.error(
      'misplaced-expression',
      diagnostics.spanInText(path, at, value.length - at),
      `\`${showPath(path)}\` cannot be an expression`,
      cure,
    );
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries())
      reportMisplacedExpressions(item as Value, [...path, index], open, diagnostics);
  } else if (isMap(value)) {
    for (const [key, member] of Object.entries(value))
      reportMisplacedExpressions(member, [...path, key], open, diagnostics);
  }
}

function mapOf(value: Value | undefined): ValueMap {
  return isMap(value) ? value : {};
}

function textOf(value: Value | undefined): string {
  return typeof value === 'string' ? value : '';
}
