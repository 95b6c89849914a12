import type { Json } from './plan.ts';

/**
 * A value while the pipeline is evaluated. Whole numbers that were written as such are bigint, as in CEL, so that `1.0` and `1` stay
 * different until the plan is written.
 */
export type Value = null | boolean | bigint | number | string | readonly Value[] | ValueMap;
export interface ValueMap {
  readonly [key: string]: Value;
}

/** Keys and indices from the root of the file. */
export type Path = readonly (string | number)[];

/** A path as a key of sets and maps. */
export const placeKey = (path: Path): string => path.join('\u0000');

export function isMap(value: unknown): value is ValueMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True for a map, and not for one of the objects with which CEL stands for times, bytes and types. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** Thrown for a value that JSON, and so the plan, cannot hold. */
export class UnplannableValue extends Error {}

/** The value in the plan: bigint and double become numbers. Throws {@link UnplannableValue} for what JSON cannot hold. */
export function toJson(value: unknown): Json {
  switch (typeof value) {
    case 'bigint':
      if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER)
        throw new UnplannableValue(`the whole number ${value} is beyond ±${Number.MAX_SAFE_INTEGER}`);
      return Number(value);
    case 'number':
      if (!Number.isFinite(value)) throw new UnplannableValue(`${value} is not a finite number`);
      return Object.is(value, -0) ? 0 : value;
    case 'string':
    case 'boolean':
      return value;
    case 'object':
      if (value === null) return null;
      if (Array.isArray(value)) return value.map(toJson);
      if (value instanceof Map) return toJson(Object.fromEntries(value));
      if (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null)
        return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toJson(member)]));
  }
  throw new UnplannableValue('the result is neither a number, a text, a truth value, a list nor a map');
}

/** A value in an error message: its type and itself, shortened. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'string')
    return value === '' ? 'an empty text' : `the text ${shorten(JSON.stringify(value))}`;
  if (typeof value === 'boolean' || typeof value === 'bigint' || typeof value === 'number')
    return String(value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  const keys = Object.keys(value);
  return keys.length === 0
    ? 'an empty map'
    : `a map of ${shorten(keys.map((key) => `\`${key}\``).join(', '))}`;
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** `stages.train.with.optimizer`, `strategy.matrix.include[0]` */
export function showPath(path: Path): string {
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`),
    '',
  );
}

/** What stands at `path` below `root`. */
export function valueAt(root: Value, path: Path): Value | undefined {
  return path.reduce<Value | undefined>(
    (value, part) =>
      Array.isArray(value)
        ? value[Number(part)]
        : isMap(value) && Object.hasOwn(value, part)
          ? value[part]
          : undefined,
    root,
  );
}
