/** Guards of what JSON can hold. Each is checked by the compiler against the type that it vouches for, so that none lets a value through as a cast. */
export type Guard<T> = (value: unknown) => value is T;

export const isText: Guard<string> = (value) => typeof value === 'string';

export const isNumber: Guard<number> = (value) => typeof value === 'number';

/** Of a member that may be left out. */
export function optional<T>(guard: Guard<T>): Guard<T | undefined> {
  return (value): value is T | undefined => value === undefined || guard(value);
}

export function orNull<T>(guard: Guard<T>): Guard<T | null> {
  return (value): value is T | null => value === null || guard(value);
}

export function oneOf<const T extends string>(values: readonly T[]): Guard<T> {
  return (value): value is T => (values as readonly unknown[]).includes(value);
}

export function listOf<T>(guard: Guard<T>): Guard<readonly T[]> {
  return (value): value is readonly T[] => Array.isArray(value) && value.every(guard);
}

export function recordOf<T>(guard: Guard<T>): Guard<Readonly<Record<string, T>>> {
  return (value): value is Readonly<Record<string, T>> =>
    isObject(value) && Object.values(value).every((member) => guard(member));
}

/** A guard of each member of an object; a guard for {@link optional} ones only where the type says so. */
type Members<T> = {
  readonly [K in keyof T]-?: Partial<Pick<T, K>> extends Pick<T, K> ? Guard<T[K] | undefined> : Guard<T[K]>;
};

/** An object with these members, and whatever others: a later version may have written more. */
export function objectOf<T extends object>(members: Members<T>): Guard<T> {
  const guards = Object.entries<Guard<unknown>>(members);
  return (value): value is T => isObject(value) && guards.every(([name, guard]) => guard(value[name]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
