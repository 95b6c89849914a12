import { parseDocument } from 'yaml';
import { choose } from '../diagnostics/did-you-mean.ts';
import { toDecimals, typeOfValue } from '../expressions/numbers.ts';
import type { Diagnostics } from '../source/diagnostics.ts';
import { hasExpression } from '../source/template.ts';
import { describe, isMap, type Value, type ValueMap } from '../values.ts';
import { axisNames } from './axes.ts';

/** What `--set name=value` changed. */
export interface Overrides {
  /** The params with their new defaults. */
  readonly params: ValueMap;
  /** Names whose default was set. */
  readonly changed: ReadonlySet<string>;
  /** Axes that keep only these values. */
  readonly pinned: ReadonlyMap<string, readonly Value[]>;
}

/**
 * Applies `--set name=value`. A value is read as a YAML value and has to be of the type of the param's default; for a text it is taken as
 * it stands. Setting an axis pins it: only cells with this value (or with one of a list) are left.
 */
export function applyOverrides(
  params: ValueMap,
  matrix: ValueMap | undefined,
  overrides: Readonly<Record<string, string>>,
  diagnostics: Diagnostics,
): Overrides {
  const axes = new Set(axisNames(matrix));
  const names = [...new Set([...Object.keys(params), ...axes])];
  const changed: Record<string, Value> = {};
  const pinned = new Map<string, readonly Value[]>();
  for (const [name, text] of Object.entries(overrides)) {
    const isAxis = axes.has(name);
    const span = diagnostics.spanOfKey(
      isAxis ? ['strategy', 'matrix', name] : ['params', ...(name in params ? [name] : [])],
    );
    const fail = (message: string, cure?: string) =>
      diagnostics.error('wrong-override', span, `--set ${name}=${text}: ${message}`, cure);
    if (!isAxis && !Object.hasOwn(params, name)) {
      fail(`there is no param \`${name}\``, choose(name, names, 'params'));
      continue;
    }
    if (hasExpression(text)) {
      fail('an expression is not possible here', 'give its value');
      continue;
    }
    const axisValues = isAxis ? matrix?.[name] : undefined;
    const sample = Object.hasOwn(params, name)
      ? params[name]
      : Array.isArray(axisValues)
        ? axisValues[0]
        : undefined;
    const parsed = parseOverride(text, sample);
    // A default of 0.1 that is set to 1 stays a decimal, so that `/` means the same as before.
    const decimal = sample !== undefined && /double/.test(typeOfValue(sample));
    const value = decimal ? (toDecimals(parsed) as Value | undefined) : parsed;
    const values =
      isAxis && Array.isArray(value) && !Array.isArray(sample) ? (value as readonly Value[]) : [value];
    const wrong = values.find((candidate) => !sameType(candidate, sample));
    if (wrong !== undefined || values.length === 0) {
      fail(`expected ${typeName(sample)} like ${describe(sample)}, got ${describe(wrong)}`);
    } else {
      if (isAxis) pinned.set(name, values as readonly Value[]);
      if (Object.hasOwn(params, name)) changed[name] = values[0] as Value;
    }
  }
  const entries = Object.entries(params).map(([name, value]) => [name, changed[name] ?? value]);
  return { params: Object.fromEntries(entries), changed: new Set(Object.keys(changed)), pinned };
}

function parseOverride(text: string, sample: Value | undefined): Value | undefined {
  if (typeof sample === 'string' && !hasExpression(sample)) return text;
  const document = parseDocument(text, { intAsBigInt: true, logLevel: 'silent' });
  if (document.errors.length > 0) return text;
  try {
    return document.toJS() as Value;
  } catch {
    return text; // An alias such as `*x`, which means nothing on a command line.
  }
}

function sameType(value: Value | undefined, sample: Value | undefined): boolean {
  return (
    sample === undefined || sample === null || hasExpression(sample) || typeName(value) === typeName(sample)
  );
}

function typeName(value: Value | undefined): string {
  if (typeof value === 'bigint' || typeof value === 'number') return 'a number';
  if (typeof value === 'string') return 'a text';
  if (typeof value === 'boolean') return 'true or false';
  return Array.isArray(value) ? 'a list' : isMap(value) ? 'a map' : 'nothing';
}
