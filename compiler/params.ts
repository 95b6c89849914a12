import type { Environment } from '@marcbachmann/cel-js';
import { axisNames, literalAxisTypes } from './axes.ts';
import { environmentOf, typeOfValue, unionType } from './cel.ts';
import { compileFormula, evaluateFormula, type Formula, paramsOf } from './formula.ts';
import type { Overrides } from './overrides.ts';
import type { Problems } from './problems.ts';
import type { Scope } from './scope.ts';
import { containsExpression, parseTemplate } from './template.ts';
import type { Value, ValueMap } from './values.ts';
import { WorkBudget } from './work.ts';
import type { YamlSource } from './yaml-source.ts';

/** The params of a pipeline: their defaults compiled, and one CEL environment that knows their types. */
export interface Params {
  /** Declared under `params:`, in the order of the file. */
  readonly names: readonly string[];
  readonly environment: Environment;
  readonly budget: WorkBudget;
  /** `name` and every param that its default is computed from. */
  reads(name: string): ReadonlySet<string>;
  /**
   * All params where `fixed` (axes) override the defaults; defaults that are computed follow them. Undefined after reporting a default
   * that has no value.
   */
  resolve(fixed: ValueMap, where?: string): ValueMap | undefined;
}

/** What an expression in `zone` may name. */
export function scopeOf(
  params: Params,
  visible: readonly string[],
  roots: Scope['roots'],
  absent: Scope['absent'] = () => undefined,
): Scope {
  const { environment, budget } = params;
  return { environment, budget, params: visible, roots, absent };
}

/** Compiles the defaults, some of which come from outside the file. */
export function compileParams(
  matrix: ValueMap | undefined,
  overrides: Overrides,
  source: YamlSource,
  problems: Problems,
): Params {
  const declared = overrides.params;
  const names = Object.keys(declared);
  const environment = environmentOf(paramTypes(overrides, matrix));
  const budget = new WorkBudget();
  const formulas = new Map<string, Formula>();
  for (const [index, name] of names.entries()) {
    const value = declared[name] as Value;
    const scope: Scope = {
      environment,
      budget,
      get params() {
        return names.slice(0, index); // Copied for an expression alone: there may be very many constants.
      },
      roots: {},
      absent: (other) => absentInParams(other, name, declared, matrix),
    };
    formulas.set(
      name,
      overrides.changed.has(name)
        ? { kind: 'constant', value }
        : compileFormula(value, ['params', name], { source, problems, scope }),
    );
  }
  const computed = names.some((name) => formulas.get(name)?.kind !== 'constant');
  const constants = Object.fromEntries(
    names.map((name) => {
      const formula = formulas.get(name)!;
      return [name, formula.kind === 'constant' ? formula.value : null];
    }),
  );
  // A param reads only those above it, so one pass in their order sees each of them once.
  const readBy = new Map<string, ReadonlySet<string>>();
  for (const name of names) {
    const own = paramsOf(formulas.get(name)!);
    readBy.set(name, new Set([name, ...own.flatMap((other) => [...(readBy.get(other) ?? [other])])]));
  }
  return {
    names,
    environment,
    budget,
    reads: (name) => readBy.get(name) ?? new Set([name]),
    resolve(fixed, where) {
      if (!computed) return { ...constants, ...fixed };
      const values: Record<string, Value> = {};
      for (const name of names) {
        const value = Object.hasOwn(fixed, name)
          ? fixed[name]
          : evaluateFormula(formulas.get(name)!, { params: values }, { source, problems }, where);
        if (value === undefined) return undefined;
        values[name] = value;
      }
      return { ...values, ...fixed };
    },
  };
}

function absentInParams(other: string, name: string, declared: ValueMap, matrix: ValueMap | undefined) {
  if (other === name)
    return { message: `\`${name}\` is computed from itself`, cure: 'compute it from the params above it' };
  const read = String(declared[other] ?? '').matchAll(/\bparams\.(\w+)/g);
  if (Array.from(read, (match) => match[1]).includes(name))
    return {
      message: `\`${name}\` and \`${other}\` are computed from each other`,
      cure: 'write one of them out',
    };
  if (Object.hasOwn(declared, other))
    return {
      message: `\`${other}\` stands below \`${name}\``,
      cure: `a param may use those above it: move \`${other}\` above \`${name}\``,
    };
  return axisNames(matrix).includes(other)
    ? {
        message: `\`${other}\` is an axis without a default`,
        cure: `add \`${other}:\` to \`params\`, above \`${name}\``,
      }
    : undefined;
}

/**
 * CEL types of all params and axes: of what is written in the file, joined over the default and the axis; `dyn` where a value of an axis
 * is computed.
 */
function paramTypes(
  { params: declared, pinned }: Overrides,
  matrix: ValueMap | undefined,
): Record<string, string> {
  const axes = literalAxisTypes(matrix);
  for (const [name, values] of pinned)
    axes.set(name, [...(axes.get(name) ?? []), ...values.map(typeOfValue)]);
  const types: Record<string, string> = {};
  for (const [name, value] of Object.entries(declared)) {
    const overriding = axes.get(name) ?? [];
    if (!containsExpression(value)) types[name] = unionType([typeOfValue(value), ...overriding]);
    else types[name] = overriding.length > 0 ? 'dyn' : typeOfComputed(value, types);
  }
  for (const [name, overriding] of axes)
    if (!Object.hasOwn(declared, name)) types[name] = unionType(overriding);
  return types;
}

function typeOfComputed(value: Value, above: Readonly<Record<string, string>>): string {
  if (Array.isArray(value)) return 'list<dyn>';
  if (typeof value !== 'string') return 'map<string, dyn>';
  try {
    const { pieces, whole } = parseTemplate(value);
    if (!whole) return 'string';
    const { text } = pieces[0]!;
    // Only the params that it can name: an environment of all of them for each would take a square of time.
    const named = (text.match(/\w+/g) ?? []).filter((name) => Object.hasOwn(above, name));
    const types = Object.fromEntries(named.map((name) => [name, above[name]!]));
    const type = environmentOf(types).check(text).type ?? 'dyn';
    return /^(int|double|string|bool|list<(int|double|string|bool)>)$/.test(type) ? type : 'dyn';
  } catch {
    return 'dyn'; // Not a sound template, which compiling it reports.
  }
}
