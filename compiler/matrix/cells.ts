import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Json } from '../plan.ts';
import type { Diagnostics } from '../source/diagnostics.ts';
import { toJsonAt } from '../spec/spec.ts';
import type { Value, ValueMap } from '../values.ts';
import { expandMatrix } from './expand.ts';
import type { Matrix } from './matrix.ts';
import type { Params } from './params.ts';

/** One combination of the axes, before its stages are evaluated. */
export interface Cell {
  readonly id: string;
  /** " in cell `seed=1`", or nothing without a matrix: ends messages about it. */
  readonly where: string;
  readonly axes: Readonly<Record<string, Json>>;
  /** With whole numbers as bigint, for expressions. */
  readonly params: ValueMap;
  readonly plannedParams: Readonly<Record<string, Json>>;
}

/** The cells of the matrix, or the cell `main` without one. Reports equal cells and params without a value. */
export function makeCells(
  matrix: Matrix | undefined,
  pinned: ReadonlyMap<string, readonly Value[]>,
  params: Params,
  diagnostics: Diagnostics,
): Cell[] {
  const axes = matrix?.axes ?? [];
  const combinations = matrix === undefined ? [{}] : expandMatrix(matrix, params, pinned, diagnostics);
  const ids = new Set<string>();
  /** The last value of each param and what it is in the plan: most are the same in all cells. */
  const last = new Map<string, readonly [Value, Json]>();
  return (combinations ?? []).flatMap((combination) => {
    const place = ['strategy', 'matrix'];
    const ordered = axes.map((name) => [
      name,
      toJsonAt(combination[name] as Value, [...place, name], diagnostics),
    ]);
    const values: Record<string, Json> = Object.fromEntries(ordered);
    const id = cellId(values);
    if (ids.has(id)) {
      const cure = 'remove the repeated value, or the entry of `include` that is in the matrix already';
      diagnostics.error(
        'duplicate-cell',
        diagnostics.spanOfKey(place),
        'the matrix has a cell twice:',
        cure,
        ` \`${id}\``,
      );
      return [];
    }
    ids.add(id);
    const where = matrix === undefined ? '' : ` in cell \`${id}\``;
    const resolved = params.resolve(combination, where);
    if (resolved === undefined) return [];
    const plannedParams: Record<string, Json> = {};
    for (const name in resolved) {
      const value = resolved[name]!;
      if (last.get(name)?.[0] !== value)
        last.set(name, [value, toJsonAt(value, ['params', name], diagnostics, where)]);
      plannedParams[name] = last.get(name)![1];
    }
    return [{ id, where, axes: values, params: resolved, plannedParams }];
  });
}

/**
 * `batchSize=50,seed=1`. Numbers, truth values and plain words stand as they are; anything else as what is legible of it and eight digits
 * of its digest, so that different values never share an id and each id can be a file name.
 */
export function cellId(axes: Readonly<Record<string, Json>>): string {
  const parts = Object.entries(axes).map(([name, value]) => `${name}=${slug(value)}`);
  if (parts.length === 0) return 'main';
  const id = parts.join(',');
  return id.length <= 160 ? id : `${id.slice(0, 120)}~${digest(axes)}`;
}

function slug(value: Json): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (
    typeof value === 'string' &&
    /^[A-Za-z][A-Za-z0-9._-]{0,39}$/.test(value) &&
    !/^(true|false|null)$/.test(value)
  )
    return value;
  const legible = JSON.stringify(value)
    .replace(/[^A-Za-z0-9.]+/g, '-')
    .replace(/^-|-$/g, '');
  return `${legible.slice(0, 24)}~${digest(value)}`;
}

function digest(value: Json | Readonly<Record<string, Json>>): string {
  return createHash('sha256')
    .update(canonicalize(value) ?? '')
    .digest('hex')
    .slice(0, 8);
}
