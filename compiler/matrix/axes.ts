import { typeOfValue, unionType } from '../expressions/numbers.ts';
import { containsExpression } from '../source/template.ts';
import { isMap, type Value, type ValueMap } from '../values.ts';

/** Keys of `strategy.matrix` that are no axes. */
export const matrixKeywords: readonly string[] = ['include', 'exclude', 'zip'];

/** The axes of a matrix: its own keys, or, if it only has `include`, what the entries of that name. */
export function axisNames(matrix: ValueMap | undefined): string[] {
  if (matrix === undefined) return [];
  const own = Object.keys(matrix).filter((key) => !matrixKeywords.includes(key));
  return own.length > 0 ? own : [...new Set(includeEntries(matrix).flatMap((entry) => Object.keys(entry)))];
}

/** Keys that only `include` names although the matrix has axes; each is a param that these cells override. */
export function extraNames(matrix: ValueMap | undefined): string[] {
  const axes = axisNames(matrix);
  const named = matrix === undefined ? [] : includeEntries(matrix).flatMap((entry) => Object.keys(entry));
  return [...new Set(named)].filter((name) => !axes.includes(name));
}

/** The CEL types that the values of each axis have as far as they are written out; `dyn` stands for computed ones. */
export function literalAxisTypes(matrix: ValueMap | undefined): Map<string, string[]> {
  const types = new Map<string, string[]>();
  const add = (name: string, found: readonly string[]) => {
    const known = types.get(name) ?? [];
    for (const type of found) if (!known.includes(type)) known.push(type);
    types.set(name, known);
  };
  const typeOf = (value: Value) => (containsExpression(value) ? 'dyn' : typeOfValue(value));
  for (const [name, value] of Object.entries(matrix ?? {})) {
    if (matrixKeywords.includes(name)) continue;
    const range = isMap(value) ? value.range : undefined;
    if (Array.isArray(value)) add(name, value.map(typeOf));
    else if (Array.isArray(range)) add(name, [unionType(range.map(typeOf))]);
    else add(name, ['dyn']);
  }
  for (const entry of matrix === undefined ? [] : includeEntries(matrix))
    for (const [name, value] of Object.entries(entry)) add(name, [typeOf(value)]);
  return types;
}

/** The well-formed entries of `include`. */
export function includeEntries(matrix: ValueMap): ValueMap[] {
  return Array.isArray(matrix.include) ? matrix.include.filter(isMap) : [];
}
