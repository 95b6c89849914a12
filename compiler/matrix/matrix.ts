import { choose } from '../diagnostics/did-you-mean.ts';
import { compileFormula, type Formula } from '../expressions/formula.ts';
import type { Diagnostics } from '../source/diagnostics.ts';
import { isMap, type Path, type Value, type ValueMap } from '../values.ts';
import { axisNames, extraNames, includeEntries, matrixKeywords } from './axes.ts';
import { type Params, scopeOf } from './params.ts';

/** The values of an axis: written out, a range, or one expression that gives a list. */
export type Axis = { readonly name: string; readonly path: Path } & (
  | { readonly kind: 'list'; readonly items: readonly Formula[] }
  | { readonly kind: 'range'; readonly bounds: readonly Formula[] }
  | { readonly kind: 'computed'; readonly list: Formula }
);

/** An entry of `include` or `exclude`. */
export interface MatrixEntry {
  readonly path: Path;
  readonly values: Readonly<Record<string, Formula>>;
}

/** `strategy.matrix`, checked. */
export interface Matrix {
  /** Names of the axes, with those that only `include` adds at the end. */
  readonly axes: readonly string[];
  /** Axes in the order in which they are chosen; those of one step advance together. */
  readonly steps: readonly (readonly Axis[])[];
  readonly include: readonly MatrixEntry[];
  readonly exclude: readonly MatrixEntry[];
}

interface Context {
  readonly diagnostics: Diagnostics;
  readonly params: Params;
}

/** More axes than this are taken for a mistake. */
const axisLimit = 100;

const matrixPath: Path = ['strategy', 'matrix'];

/** Compiles the matrix. An axis may use the params and the axes above it. */
export function compileMatrix(matrix: ValueMap, params: Params, diagnostics: Diagnostics): Matrix {
  const context: Context = { diagnostics, params };
  const own = Object.keys(matrix).filter((key) => !matrixKeywords.includes(key));
  if (own.length > axisLimit) {
    const message = `the matrix has ${own.length} axes, more than ${axisLimit}`;
    const cure = 'write combinations under `include`, or split the study';
    diagnostics.error('wrong-matrix', diagnostics.spanOfKey(matrixPath), message, cure);
    return { axes: [], steps: [], include: [], exclude: [] };
  }
  const groups = zipGroups(matrix, own, context);
  const steps: Axis[][] = [];
  for (const name of own) {
    const group = groups.find((members) => members.includes(name)) ?? [name];
    if (group[0] !== name) continue;
    const above = steps.flat().map((axis) => axis.name);
    const later = own.filter((other) => !above.includes(other));
    steps.push(group.map((member) => compileAxis(member, matrix[member] as Value, above, later, context)));
  }
  return {
    axes: [...axisNames(matrix), ...extraNames(matrix)],
    steps,
    include: compileInclude(matrix, own, context),
    exclude: compileEntries(matrix.exclude, 'exclude', context, (name) =>
      own.includes(name) ? undefined : choose(name, own, 'axes'),
    ),
  };
}

function compileAxis(
  name: string,
  value: Value,
  above: readonly string[],
  later: readonly string[],
  { diagnostics, params }: Context,
): Axis {
  const path = [...matrixPath, name];
  const others = later.filter((axis) => axis !== name);
  const depends = params.dependents(others);
  const visible = new Set([...[...params.names].filter((param) => !depends.has(param)), ...above]);
  const scope = scopeOf(params, visible, {}, (param) => {
    const axis = others.includes(param) ? param : params.names.has(param) ? depends.get(param) : undefined;
    if (axis === undefined) return undefined;
    const via = axis === param ? '' : ` by way of \`${param}\``;
    const message = `\`${name}\` depends on \`${axis}\`${via}, an axis below it`;
    return { message, cure: `an axis may use those above it: move \`${axis}\` above \`${name}\`` };
  });
  const compile = (part: Value, ...rest: (string | number)[]) =>
    compileFormula(part, [...path, ...rest], { diagnostics, scope });
  if (Array.isArray(value))
    return { name, path, kind: 'list', items: value.map((item: Value, i) => compile(item, i)) };
  if (isMap(value) && Array.isArray(value.range))
    return {
      name,
      path,
      kind: 'range',
      bounds: value.range.map((part: Value, i) => compile(part, 'range', i)),
    };
  return { name, path, kind: 'computed', list: compile(isMap(value) ? (value.range ?? null) : value) };
}

function zipGroups(matrix: ValueMap, axes: readonly string[], { diagnostics }: Context): string[][] {
  const groups: string[][] = [];
  const lists = Array.isArray(matrix.zip) ? (matrix.zip as readonly Value[]) : [];
  for (const [index, list] of lists.entries()) {
    const group: string[] = [];
    for (const [position, name] of (Array.isArray(list) ? (list as readonly Value[]) : []).entries()) {
      const place = [...matrixPath, 'zip', index, position];
      if (typeof name !== 'string') continue;
      if (!axes.includes(name)) {
        const taken = [...groups.flat(), ...(list as readonly Value[])];
        const free = axes.filter((axis) => !taken.includes(axis));
        diagnostics.error('unknown-axis', place, `there is no axis \`${name}\``, choose(name, free, 'axes'));
      } else if (groups.some((other) => other.includes(name)))
        diagnostics.error(
          'wrong-matrix',
          place,
          `\`${name}\` is zipped twice`,
          'put all axes that advance together into one list',
        );
      else group.push(name);
    }
    groups.push(axes.filter((axis) => group.includes(axis)));
  }
  return groups;
}

function compileInclude(matrix: ValueMap, own: readonly string[], context: Context): MatrixEntry[] {
  const { params } = context;
  const everywhere = (name: string) => includeEntries(matrix).every((entry) => Object.hasOwn(entry, name));
  return compileEntries(matrix.include, 'include', context, (name) => {
    if (own.includes(name) || params.names.has(name) || (own.length === 0 && everywhere(name)))
      return undefined;
    return choose(name, [...new Set([...own, ...params.names])], 'axes and params');
  });
}

function compileEntries(
  value: Value | undefined,
  key: 'include' | 'exclude',
  { diagnostics, params }: Context,
  cureFor: (name: string) => string | undefined,
): MatrixEntry[] {
  const scope = scopeOf(params, params.names, {});
  return (Array.isArray(value) ? (value as readonly Value[]) : []).flatMap((entry, index) => {
    if (!isMap(entry)) return [];
    const path = [...matrixPath, key, index];
    const values = Object.entries(entry).flatMap(([name, part]) => {
      const cure = cureFor(name);
      if (cure === undefined)
        return [[name, compileFormula(part, [...path, name], { diagnostics, scope })] as const];
      diagnostics.error(
        'unknown-axis',
        diagnostics.spanOfKey([...path, name]),
        `\`${key}\` names \`${name}\`, which is no axis`,
        cure,
      );
      return [];
    });
    return [{ path, values: Object.fromEntries(values) }];
  });
}
