/**
 * What a kind (of network, of data set) lets a pipeline choose. An option is a JSON Schema with a description and perhaps a default, and carries the type of
 * its values, so that the language, its documentation, its errors and the types of the code all follow from the one place where it is written.
 */

declare const valuesType: unique symbol;

/** JSON Schema of an option whose values, in a pipeline that is valid, are of type `Value`. */
export interface Option<Value> {
  readonly [keyword: string]: unknown;
  readonly description: string;
  /** What holds where it is left out; without one it has to be given. */
  readonly default?: Value | DerivedDefault;
  readonly [valuesType]?: Value;
}

/** The value of the option `from` beside it, `times` a number. */
export interface DerivedDefault {
  readonly from: string;
  readonly times: number;
}

// biome-ignore lint/suspicious/noExplicitAny: options of any values.
export type Options = Readonly<Record<string, Option<any>>>;

/** The values of these options, defaults filled in. */
export type ValuesOf<Own extends Options> = {
  readonly [Name in keyof Own]: Own[Name] extends Option<infer Value> ? Value : never;
};

interface About<Value> {
  readonly description: string;
  readonly default?: Value | DerivedDefault;
}

/** A whole number of at least `minimum` (1). */
export function count(
  about: About<number> & { readonly minimum?: number; readonly maximum?: number },
): Option<number> {
  return { type: 'integer', minimum: 1, ...about };
}

/** A number of at least 0. */
export function magnitude(about: About<number>): Option<number> {
  return { type: 'number', minimum: 0, ...about };
}

/** A list of whole numbers of at least 1, `length` of them if that is given. */
export function counts(
  about: About<readonly number[]> & { readonly length?: number },
): Option<readonly number[]> {
  const { length, ...rest } = about;
  const exactly = length === undefined ? {} : { minItems: length, maxItems: length };
  return { type: 'array', items: { type: 'integer', minimum: 1 }, ...exactly, ...rest };
}

/** One of these words. */
export function oneOf<Word extends string>(words: readonly Word[], about: About<Word>): Option<Word> {
  return { enum: words, ...about };
}

/** The options' values in `given`, or else their defaults, in the order of the options; what has neither is left out. */
export function withDefaults<Own extends Options>(
  options: Own,
  given: Readonly<Record<string, unknown>>,
): ValuesOf<Own> {
  const values: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(options)) {
    const fallback = option.default as unknown;
    const value = given[name] ?? (isDerived(fallback) ? undefined : fallback);
    if (value !== undefined || isDerived(fallback)) values[name] = value;
  }
  for (const [name, { default: fallback }] of Object.entries(options) as [string, Option<unknown>][])
    if (values[name] === undefined && isDerived(fallback))
      values[name] = fallback.times * (values[fallback.from] as number);
  return values as ValuesOf<Own>;
}

function isDerived(value: unknown): value is DerivedDefault {
  return typeof value === 'object' && value !== null && 'from' in value;
}
