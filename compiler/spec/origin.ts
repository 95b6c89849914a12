import type { ASTNode } from '@marcbachmann/cel-js';
import { parseCel } from '../expressions/cel-program.ts';
import { keyOf } from '../expressions/numbers.ts';
import { asMention } from '../schema/names.ts';
import { hasExpression, parseTemplate } from '../source/template.ts';
import { isMap, type Path, type Value, type ValueMap, valueAt } from '../values.ts';

/**
 * Where in the file, `root`, the value stands that came to `path` by way of params, such as `params.sizes[params.size].epochs`; `params` are
 * those of the cell. Undefined if it stands at `path` itself, or is computed.
 */
export function originOf(root: Value, path: Path, params: ValueMap): Path | undefined {
  /** Walks from the root; what an expression names goes on where that stands. */
  const walk = (whole: Path): Path | undefined => {
    let at: Path = [];
    for (const part of whole) {
      at = [...at, part];
      const axis = at.length === 2 && at[0] === 'params' ? axisPath(root, String(part), params) : undefined;
      at = axis ?? at;
      const value = valueAt(root, at);
      if (value === undefined) return undefined;
      if (!hasExpression(value)) continue;
      const { pieces, whole: alone } = parseTemplate(value);
      const named = alone ? follow(parseCel(pieces[0]!.text).ast) : undefined;
      if (named === undefined) return undefined;
      at = named;
    }
    return at;
  };
  const follow = (node: ASTNode): Path | undefined => {
    if (node.op === 'id') return node.args === 'params' ? ['params'] : undefined;
    if (node.op !== '.' && node.op !== '[]') return undefined;
    const [target, member] = node.args;
    const base = follow(target);
    const key = typeof member === 'string' ? member : keyIn(member, params);
    return base === undefined || key === undefined ? undefined : walk([...base, key]);
  };
  const origin = walk(path);
  return origin === undefined || keyOf(origin) === keyOf(path) ? undefined : origin;
}

/** Where an axis has the value that it has in this cell. */
function axisPath(root: Value, name: string, params: ValueMap): Path | undefined {
  const path = ['strategy', 'matrix', name];
  const axis = valueAt(root, path);
  if (!Array.isArray(axis)) return axis === undefined ? undefined : path;
  const index = axis.findIndex((item) => keyOf(item) === keyOf(params[name]));
  return index < 0 ? path : [...path, index];
}

/** A key that is written out, or is a param. */
function keyIn(node: ASTNode, params: ValueMap): string | number | undefined {
  const { root, members = [] } = asMention(node) ?? {};
  const names = members.map(({ name }) => name);
  const key = node.op === 'value' ? node.args : root === 'params' ? valueAt(params, names) : undefined;
  if (typeof key === 'bigint') return Number(key);
  return typeof key === 'string' ? key : undefined;
}

/** True where the value at `path` is that which was found wrong, and not what `--set` or another cell has put in its place. */
export function isAt(root: Value, path: Path, value: unknown): boolean {
  const there = valueAt(root, path);
  // In a map that was checked the defaults are filled in.
  return isMap(there) ? isMap(value) : keyOf(there) === keyOf(value);
}
