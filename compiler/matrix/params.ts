import { parseCel, prepare } from '../expressions/cel-program.ts';
import { compileFormula, evaluateFormula, type Formula, paramsOf } from '../expressions/formula.ts';
import { alike, toDecimals, typeOfValue, unionType } from '../expressions/numbers.ts';
import type { Scope } from '../expressions/scope.ts';
import { WorkBudget } from '../expressions/work.ts';
import type { Diagnostics } from '../source/diagnostics.ts';
import { containsExpression, parseTemplate } from '../source/template.ts';
import type { Value, ValueMap } from '../values.ts';
import { axisNames, literalAxisTypes } from './axes.ts';
import type { Overrides } from './overrides.ts';

/** The params of a pipeline: their defaults compiled, and their types. */
export interface Params {
  /** Declared under `params:`, in the order of the file. */
  readonly names: ReadonlySet<string>;
  readonly types: Scope['types'];
  readonly budget: WorkBudget;
  /** These params and every param that their defaults are computed from. */
  reads(names: Iterable<string>): ReadonlySet<string>;
  /** The first of `axes` that a param is, or is computed from, for each param that is. */
  dependents(axes: readonly string[]): ReadonlyMap<string, string>;
  /**
   * All params where `fixed` (axes) override the defaults; defaults that are computed follow them. Undefined after reporting a default
   * that has no value.
   */
  resolve(fixed: ValueMap, where?: string): ValueMap | undefined;
}

/** What an expression in `zone` may name. */
export function scopeOf(
  params: Params,
  visible: ReadonlySet<string>,
  roots: Scope['roots'],
  absent: Scope['absent'] = () => undefined,
): Scope {
  const { types, budget } = params;
  return { types, budget, params: visible, roots, absent };
}

/** Compiles the defaults, some of which come from outside the file. */
export function compileParams(
  matrix: ValueMap | undefined,
  overrides: Overrides,
  diagnostics: Diagnostics,
): Params {
  const declared = overrides.params;
  const names = Object.keys(declared);
  const budget = new WorkBudget();
  const { types, decimals } = paramTypes(overrides, matrix, budget);
  const formulas = new Map<string, Formula>();
  const above = new Set<string>();
  for (const name of names) {
    const value = alike(declared[name] as Value);
    const scope: Scope = {
      types,
      budget,
      params: above,
      roots: {},
      absent: (other) => absentInParams(other, name, declared, matrix),
    };
    formulas.set(
      name,
      overrides.changed.has(name)
        ? { kind: 'constant', value }
        : compileFormula(value, ['params', name], { diagnostics, scope }),
    );
    above.add(name);
  }
  /** A whole number where its other values are decimals is one too, so that `/` means the same in each cell. */
  const settle = (name: string, value: Value) => (decimals.has(name) ? (toDecimals(value) as Value) : value);
  const settleAll = (values: ValueMap) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, settle(name, value)]));
  const computed = names.some((name) => formulas.get(name)?.kind !== 'constant');
  const constants = Object.fromEntries(
    names.map((name) => {
      const formula = formulas.get(name)!;
      return [name, formula.kind === 'constant' ? settle(name, formula.value) : null];
    }),
  );
  const read = new Map(names.map((name) => [name, paramsOf(formulas.get(name)!)]));
  return {
    names: above,
    types,
    budget,
    reads(wanted) {
      const found = new Set(wanted);
      // The set grows while it is walked, by what the walk finds.
      for (const name of found) for (const other of read.get(name) ?? []) found.add(other);
      return found;
    },
    dependents(axes) {
      const found = new Map(axes.map((axis) => [axis, axis]));
      // A param reads only those above it, so one pass in their order sees all of them.
      for (const name of names) {
        const axis = read
          .get(name)!
          .map((other) => found.get(other))
          .find((other) => other !== undefined);
        if (axis !== undefined && !found.has(name)) found.set(name, axis);
      }
      return found;
    },
    resolve(fixed, where) {
      const given = settleAll(fixed);
      if (!computed) return { ...constants, ...given };
      const values: Record<string, Value> = {};
      for (const name of names) {
        const value = Object.hasOwn(given, name)
          ? given[name]
          : evaluateFormula(formulas.get(name)!, { params: values }, diagnostics, where);
        if (value === undefined) return undefined;
        values[name] = settle(name, value);
      }
      return { ...values, ...given };
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
 * is computed. With them the names of those that are decimals as far as it is known.
 */
function paramTypes(
  { params: declared, pinned }: Overrides,
  matrix: ValueMap | undefined,
  budget: WorkBudget,
) {
  const axes = literalAxisTypes(matrix);
  for (const [name, values] of pinned)
    axes.set(name, [...(axes.get(name) ?? []), ...values.map(typeOfValue)]);
  const types: Record<string, string> = {};
  const decimals = new Set<string>();
  const add = (name: string, found: readonly string[]) => {
    types[name] = unionType(found);
    if (/double/.test(unionType(found.filter((type) => type !== 'dyn')))) decimals.add(name);
  };
  for (const [name, value] of Object.entries(declared)) {
    const own = containsExpression(value) ? typeOfComputed(value, types, budget) : typeOfValue(value);
    add(name, [own, ...(axes.get(name) ?? [])]);
  }
  for (const [name, overriding] of axes) if (!Object.hasOwn(declared, name)) add(name, overriding);
  return { types, decimals };
}

function typeOfComputed(value: Value, above: Readonly<Record<string, string>>, budget: WorkBudget): string {
  if (Array.isArray(value)) return 'list<dyn>';
  if (typeof value !== 'string') return 'map<string, dyn>';
  try {
    const { pieces, whole } = parseTemplate(value);
    if (!whole) return 'string';
    const { type } = prepare(parseCel(pieces[0]!.text), above, budget);
    return /^(list<)*(int|double|string|bool)>*$/.test(type) ? type : 'dyn';
  } catch {
    return 'dyn'; // Not a sound template or expression, which compiling it reports.
  }
}
