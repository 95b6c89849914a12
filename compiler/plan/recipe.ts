import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { PlannedReference } from '../plan.ts';
import { isMap, type Path } from '../values.ts';

/** SHA-256 of a value's canonical JSON (RFC 8785), in hexadecimal: equal values, equal digests, whatever the order of their keys. */
export function digestOf(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('Expected a JSON value to digest, got undefined.');
  return createHash('sha256').update(text).digest('hex');
}

/** A copy without the values at `paths`. */
export function without(value: unknown, paths: readonly Path[]): unknown {
  if (paths.length === 0) return value;
  if (Array.isArray(value)) return value.map((item, index) => without(item, below(paths, String(index))));
  if (!isMap(value)) return value;
  const kept = Object.entries(value).filter(
    ([key]) => !paths.some((path) => path.length === 1 && path[0] === key),
  );
  return Object.fromEntries(kept.map(([key, member]) => [key, without(member, below(paths, key))]));
}

/** A copy in which `replace` has its way with each part; where it returns undefined, the part is copied. */
export function replaceParts(value: unknown, replace: (part: unknown) => unknown): unknown {
  const replacement = replace(value);
  if (replacement !== undefined) return replacement;
  if (Array.isArray(value)) return value.map((item) => replaceParts(item, replace));
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, replaceParts(member, replace)]),
  );
}

/** The stage output that a part of a planned `with` stands for, if it is a reference. */
export function asReference(part: unknown): PlannedReference['$output'] | undefined {
  return isMap(part) && isMap(part.$output) ? (part as unknown as PlannedReference).$output : undefined;
}

function below(paths: readonly Path[], key: string): Path[] {
  return paths.filter((path) => path.length > 1 && String(path[0]) === key).map((path) => path.slice(1));
}
