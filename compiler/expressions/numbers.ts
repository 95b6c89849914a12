import { EvaluationError } from '@marcbachmann/cel-js';
import { isMap, isPlainObject, type Value } from '../values.ts';

/** A whole number (exact, from -2^63 to 2^63 - 1) or a decimal (double precision), as expressions have them. */
export type Numeric = bigint | number;

export const isNumeric = (value: unknown): value is Numeric =>
  typeof value === 'bigint' || typeof value === 'number';

const largest = 2n ** 63n - 1n;

/** The whole number, if it is one that an expression may have. Throws CEL's error if not. */
export function whole(value: bigint): bigint {
  if (value <= largest && value >= -largest - 1n) return value;
  throw new EvaluationError({ code: 'numeric_overflow', message: `${value}` });
}

/** A decimal without its fraction as a whole number. Throws CEL's error for infinity, what is no number, and what is too large. */
export function toWhole(value: number): bigint {
  if (Number.isFinite(value)) return whole(BigInt(value));
  throw new EvaluationError({ code: 'not_finite', message: `${value}` });
}

type Operators<T> = Readonly<Record<string, (a: T, b: T) => T>>;

const onWholes: Operators<bigint> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
};

const onDecimals: Operators<number> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
};

export const arithmeticOperators: readonly string[] = Object.keys(onWholes);

/** Two whole numbers give a whole one, exactly; a decimal on either side makes decimals of both. Throws CEL's errors. */
export function calculate(operator: string, a: Numeric, b: Numeric): Numeric {
  if (typeof a !== 'bigint' || typeof b !== 'bigint') return onDecimals[operator]!(Number(a), Number(b));
  if (b === 0n && (operator === '/' || operator === '%'))
    throw new EvaluationError({ code: 'division_by_zero', message: 'division by zero' });
  return whole(onWholes[operator]!(a, b));
}

/** `<`, `<=`, `>`, `>=` of the exact values: 2^53 + 1 is more than the decimal 2^53. */
export function compare(operator: string, a: Numeric, b: Numeric): boolean {
  if (operator === '<') return a < b;
  if (operator === '<=') return a <= b;
  return operator === '>' ? a > b : a >= b;
}

/** Whether two values are the same, numbers by their exact values: `1` and `1.0` are, 2^53 + 1 equals no decimal. */
export function equals(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isNumeric(a) && isNumeric(b)) return typeof a !== typeof b && a >= b && a <= b;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => equals(item, b[index]));
  if (!isPlainObject(a) || !isPlainObject(b)) return a === b;
  const entries = Object.entries(a);
  return (
    entries.length === Object.keys(b).length &&
    entries.every(([key, member]) => Object.hasOwn(b, key) && equals(member, b[key]))
  );
}

/** A text that two values share if they are the same to {@link equals}. */
export function keyOf(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) ? `${BigInt(value)}` : `${value}`;
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(keyOf).join()}]`;
  if (!isPlainObject(value)) return `${value}`;
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${keyOf(value[key])}`).join()}}`;
}

/** The value with all of its whole numbers as decimals. */
export function toDecimals(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(toDecimals);
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toDecimals(member)]));
}

/** The value where in each list that has decimals among its numbers all of them are decimals. */
export function alike(value: Value): Value {
  if (Array.isArray(value))
    return (/double/.test(typeOfValue(value)) ? toDecimals(value) : value.map(alike)) as Value;
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, alike(member)]));
}

/** The CEL type of a value that stands in the file. */
export function typeOfValue(value: Value): string {
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return 'double';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (Array.isArray(value)) return `list<${unionType(value.map(typeOfValue))}>`;
  return isMap(value) ? 'map<string, dyn>' : 'dyn';
}

/** One type for values of several types: theirs if it is the same but for numbers, which decimals among them make decimals; else `dyn`. */
export function unionType(types: readonly string[]): string {
  const [first = 'dyn', ...rest] = types;
  return rest.reduce((union, type) => joinTypes(union, type) ?? 'dyn', first);
}

/** The type of two if they differ in their numbers alone. */
export function joinTypes(a: string, b: string): string | undefined {
  if (a === b) return a;
  const decimal = (type: string) => type.replace(/\bint\b/g, 'double');
  return decimal(a) === decimal(b) ? decimal(a) : undefined;
}
