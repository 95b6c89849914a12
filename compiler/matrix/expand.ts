import { evaluateFormula, type Formula } from '../expressions/formula.ts';
import { alike, equals, keyOf } from '../expressions/numbers.ts';
import type { Diagnostics, Place } from '../source/diagnostics.ts';
import { describe, type Path, type Value, type ValueMap } from '../values.ts';
import type { Axis, Matrix, MatrixEntry } from './matrix.ts';
import type { Params } from './params.ts';
import { rangeValues } from './range.ts';

/** More cells than this are taken for a mistake. */
export const cellLimit = 100_000;

/** A plan writes out every param of every cell; more of them take longer than anyone waits for a check. */
const valueLimit = 3_000_000;

interface Context {
  readonly diagnostics: Diagnostics;
  readonly params: Params;
  readonly pinned: ReadonlyMap<string, readonly Value[]>;
}

/** Thrown inside this file after a problem was reported that leaves nothing to go on with. */
class Unexpandable extends Error {}

/**
 * All combinations of the axes, the first axis slowest: the product of the steps, without `exclude`, with `include`. An entry of `include`
 * adds the cells that have its values; with a param that is no axis it extends the combinations that it matches instead, as in GitHub
 * Actions. Undefined after reporting what is wrong.
 */
export function expandMatrix(
  matrix: Matrix,
  params: Params,
  pinned: ReadonlyMap<string, readonly Value[]>,
  diagnostics: Diagnostics,
): ValueMap[] | undefined {
  const context: Context = { diagnostics, params, pinned };
  try {
    const product = matrix.steps.length === 0 ? [] : combine(matrix.steps, {}, context);
    const kept = exclude(product, matrix.exclude, context);
    const all = include(kept, matrix, context).map((combination) => withExtras(combination, matrix, context));
    if (all.length === 0) {
      diagnostics.error(
        'wrong-matrix',
        diagnostics.spanOfKey(['strategy', 'matrix']),
        'no cell is left',
        'exclude fewer combinations',
      );
    }
    if (all.length * params.names.size > valueLimit) {
      const size = (count: number) => count.toLocaleString('en-US');
      stop(
        context,
        diagnostics.spanOfKey(['params']),
        `${size(all.length)} cells with ${size(params.names.size)} params each are more than ${size(valueLimit)} values`,
        'split the study into several, or put settings that belong together into one param, a map',
      );
    }
    return all;
  } catch (error) {
    if (error instanceof Unexpandable) return undefined;
    throw error;
  }
}

/** The product of the steps, where the axes in `given` have only these values. */
function combine(steps: Matrix['steps'], given: ValueMap, context: Context): ValueMap[] {
  let combinations: ValueMap[] = [{}];
  for (const step of steps) {
    const next: ValueMap[] = [];
    for (const chosen of combinations) {
      for (const row of rows(step, given, chosen, context)) next.push({ ...chosen, ...row });
      if (next.length > cellLimit) {
        const span = context.diagnostics.spanOfKey(['strategy', 'matrix']);
        stop(context, span, `the matrix has more than ${cellLimit} cells`, 'split it into several studies');
      }
    }
    combinations = next;
  }
  return combinations;
}

/** The values of the axes of one step, one row for each position at which they advance together. */
function rows(step: readonly Axis[], given: ValueMap, chosen: ValueMap, context: Context): ValueMap[] {
  const names = step.map(({ name }) => name);
  if (names.every((name) => Object.hasOwn(given, name))) return [pick(given, names)];
  const lists = step.map((axis) => axisValues(axis, chosen, step.length === 1, context));
  const [first] = lists;
  const odd = lists.findIndex((list) => list.length !== first!.length);
  if (odd > 0) {
    const [a, b] = [step[0]!, step[odd]!];
    stop(
      context,
      context.diagnostics.spanOfKey(b.path),
      `\`${b.name}\` has ${lists[odd]!.length} values, but \`${a.name}\`, zipped with it, has ${first!.length}`,
      'axes that advance together need equally many values',
    );
  }
  const all = first!.map((_, index) =>
    Object.fromEntries(names.map((name, axis) => [name, lists[axis]![index]!])),
  );
  const fitting = all.filter((row) =>
    names.every(
      (name) =>
        (!Object.hasOwn(given, name) || equals(row[name]!, given[name]!)) &&
        (context.pinned.get(name)?.some((value) => equals(row[name]!, value)) ?? true),
    ),
  );
  if (fitting.length === 0) {
    const missing = names.filter((name) => !Object.hasOwn(given, name));
    stop(
      context,
      context.diagnostics.spanOfKey(step[0]!.path),
      `none of the zipped values of ${names.map((name) => `\`${name}\``).join(', ')} fits`,
      `give ${missing.map((name) => `\`${name}\``).join(', ')} too`,
    );
  }
  return fitting;
}

function axisValues(
  axis: Axis,
  chosen: ValueMap,
  replacePinned: boolean,
  context: Context,
): readonly Value[] {
  const pinned = context.pinned.get(axis.name);
  if (replacePinned && pinned !== undefined) return pinned;
  let values: readonly Value[];
  if (axis.kind === 'list') {
    values = axis.items.map((item) => evaluate(item, chosen, context));
  } else if (axis.kind === 'range') {
    const bounds = axis.bounds.map((bound) => evaluate(bound, chosen, context));
    const range = rangeValues(bounds, cellLimit);
    if ('problem' in range)
      return stop(context, [...axis.path, 'range'], `\`${axis.name}\`: ${range.problem}`, range.cure);
    values = range.values;
  } else {
    const list = evaluate(axis.list, chosen, context);
    if (!Array.isArray(list))
      return stop(
        context,
        axis.path,
        `\`${axis.name}\`: expected a list of values, got ${describe(list)}`,
        'an axis is a list, such as `[1, 2]`',
      );
    values = list as readonly Value[];
  }
  if (values.length === 0) stop(context, axis.path, `\`${axis.name}\` has no values`, 'give it at least one');
  return alike(values) as readonly Value[];
}

function exclude(combinations: ValueMap[], entries: readonly MatrixEntry[], context: Context): ValueMap[] {
  const left = new Set(combinations);
  const lookup = new Lookup(combinations);
  for (const entry of entries) {
    const excluded = lookup.matching(entryValues(entry, context)).filter((each) => left.delete(each));
    if (excluded.length > 0 || context.pinned.size > 0) continue;
    context.diagnostics.warning(
      'no-effect',
      entry.path,
      'this excludes nothing',
      'no combination has these values',
    );
  }
  return [...left];
}

function include(combinations: ValueMap[], matrix: Matrix, context: Context): ValueMap[] {
  const axes = matrix.steps.flat().map(({ name }) => name);
  const all = new Lookup(combinations);
  for (const entry of matrix.include) {
    const values = entryValues(entry, context);
    const unwanted = Object.entries(values).some(
      ([name, value]) => context.pinned.get(name)?.every((pinned) => !equals(value, pinned)) ?? false,
    );
    if (unwanted) continue;
    const extras = Object.keys(values).filter((name) => !axes.includes(name));
    const own = pick(
      values,
      Object.keys(values).filter((name) => axes.includes(name)),
    );
    const extended = axes.length > 0 && extras.length > 0 ? all.matching(own) : [];
    if (extended.length > 0) {
      all.extend(extended, pick(values, extras));
      continue;
    }
    const added = combine(matrix.steps, own, context).map((combination) => ({
      ...combination,
      ...pick(values, extras),
    }));
    // What a pinned axis has brought in already is no mistake of the file.
    const known = (combination: ValueMap) => context.pinned.size > 0 && all.matching(combination).length > 0;
    all.add(added.filter((combination) => !known(combination)));
  }
  return all.combinations;
}

/** A cell that no entry of `include` gave an extra axis has the param's value there. */
function withExtras(combination: ValueMap, { axes }: Matrix, { params }: Context): ValueMap {
  if (axes.every((name) => Object.hasOwn(combination, name))) return combination;
  const values = params.resolve(combination);
  if (values === undefined) throw new Unexpandable();
  return pick({ ...values, ...combination }, axes);
}

function entryValues(entry: MatrixEntry, context: Context): ValueMap {
  return Object.fromEntries(
    Object.entries(entry.values).map(([name, formula]) => [name, evaluate(formula, {}, context)]),
  );
}

function evaluate(formula: Formula, chosen: ValueMap, { params, diagnostics }: Context): Value {
  if (formula.kind === 'constant') return formula.value;
  const where = Object.keys(chosen).length === 0 ? '' : ` where ${describeChoice(chosen)}`;
  const values = params.resolve(chosen, where);
  const value =
    values === undefined ? undefined : evaluateFormula(formula, { params: values }, diagnostics, where);
  if (value === undefined) throw new Unexpandable();
  return value;
}

function describeChoice(chosen: ValueMap): string {
  return Object.entries(chosen)
    .map(([name, value]) => `${name} is ${describe(value)}`)
    .join(' and ');
}

function stop(context: Context, place: Place, message: string, cure: string): never {
  context.diagnostics.error('wrong-matrix', place, message, cure);
  throw new Unexpandable();
}

/** Combinations that are found by some of their values, however many entries look for theirs. */
class Lookup {
  readonly combinations: ValueMap[] = [];
  /** By the names that were looked for, then by the values of these names. */
  readonly #indexes = new Map<string, { readonly names: Path; readonly found: Map<string, ValueMap[]> }>();

  constructor(combinations: readonly ValueMap[]) {
    this.add(combinations);
  }

  add(combinations: readonly ValueMap[]): void {
    for (const combination of combinations) this.combinations.push(combination);
    for (const { names, found } of this.#indexes.values()) insert(combinations, names, found);
  }

  /** The combinations that have all of `values`. */
  matching(values: ValueMap): readonly ValueMap[] {
    const names = Object.keys(values).sort();
    const kind = keyOf(names);
    let index = this.#indexes.get(kind);
    if (index === undefined) {
      index = { names, found: new Map() };
      insert(this.combinations, names, index.found);
      this.#indexes.set(kind, index);
    }
    return index.found.get(keyOf(pick(values, names))) ?? [];
  }

  /** Gives combinations values that they did not have, or other ones. */
  extend(combinations: readonly ValueMap[], values: ValueMap): void {
    for (const combination of combinations) Object.assign(combination, values);
    for (const [kind, { names }] of this.#indexes)
      if (names.some((name) => Object.hasOwn(values, name))) this.#indexes.delete(kind);
  }
}

function insert(combinations: readonly ValueMap[], names: Path, found: Map<string, ValueMap[]>): void {
  for (const combination of combinations) {
    const key = keyOf(pick(combination, names));
    const known = found.get(key);
    if (known === undefined) found.set(key, [combination]);
    else known.push(combination);
  }
}

function pick(values: ValueMap, names: Path): ValueMap {
  return Object.fromEntries(names.map((name) => [name, values[name] as Value]));
}
