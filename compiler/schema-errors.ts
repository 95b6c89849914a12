import type { ErrorObject } from 'ajv';
import type { DiagnosticCode } from './diagnostic-codes.ts';
import { choose, didYouMean, quoteAll } from './did-you-mean.ts';
import { phrase, phraseOf, type Schema, valueCure } from './schema-phrases.ts';
import { parsePointer, schemas } from './schemas.ts';
import { describe, isMap, type Path, showPath } from './values.ts';

/** What a schema has against a value. `path` counts from the validated value. */
export interface SchemaProblem {
  readonly code: DiagnosticCode;
  readonly path: Path;
  /** What to point at: the value, or its key. */
  readonly at: 'value' | 'key';
  readonly message: string;
  readonly cure?: string | undefined;
}

/**
 * ajv's errors as sentences: expected, got, cure. `base` is the path of the validated value in the file. Errors for which `pending` is true
 * are about expressions that have no value yet, and are left out.
 */
export function explainSchemaErrors(
  errors: readonly ErrorObject[],
  base: Path,
  pending: (error: ErrorObject) => boolean = () => false,
): SchemaProblem[] {
  return collapse(errors, pending).map((error) => explain(error, base));
}

/**
 * Leaves one error for each `anyOf`: those of the branch that the value comes nearest to (its type fits), else that none fits. The errors
 * inside `propertyNames` and `if` only repeat their parents, and a missing key that is misspelled is told as an unknown one.
 */
function collapse(errors: readonly ErrorObject[], pending: (error: ErrorObject) => boolean): ErrorObject[] {
  let left = errors.filter(
    (error) =>
      error.keyword !== 'if' && error.propertyName === undefined && !isMisspelled(error) && !pending(error),
  );
  for (const parent of left.filter(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf')) {
    const branchOf = (error: ErrorObject) =>
      error.schemaPath.slice(parent.schemaPath.length + 1).split('/')[0]!;
    const inside = left.filter(
      (error) => error.schemaPath.startsWith(`${parent.schemaPath}/`) && within(error, parent),
    );
    const branches = Object.keys(parent.schema as object);
    if (branches.some((branch) => inside.every((error) => branchOf(error) !== branch))) {
      left = left.filter((error) => error !== parent && !inside.includes(error)); // Only expressions stand in the way of this branch.
      continue;
    }
    const wrongType = new Set(
      inside.filter((e) => e.keyword === 'type' && e.instancePath === parent.instancePath).map(branchOf),
    );
    const fitting = inside.filter((error) => !wrongType.has(branchOf(error)));
    const dropped =
      fitting.length > 0 ? [parent, ...inside.filter((error) => !fitting.includes(error))] : inside;
    left = left.filter((error) => !dropped.includes(error));
  }
  return left;
}

function within(error: ErrorObject, parent: ErrorObject): boolean {
  return (
    error.instancePath === parent.instancePath || error.instancePath.startsWith(`${parent.instancePath}/`)
  );
}

function explain(error: ErrorObject, base: Path): SchemaProblem {
  const { keyword, params, data } = error;
  const schema = (error.parentSchema ?? {}) as Schema;
  const path = parsePointer(error.instancePath);
  const isRoot = base.length + path.length === 0;
  const name = isRoot ? 'a pipeline' : `\`${showPath([...base, ...path])}\``;
  switch (keyword) {
    case 'additionalProperties': {
      const key = String(params.additionalProperty);
      const message = `unknown key \`${key}\`${isRoot ? '' : ` in ${name}`}`;
      const cure = choose(key, knownKeys(schema), 'known keys');
      return { code: 'unknown-key', path: [...path, key], at: 'key', message, cure };
    }
    case 'required': {
      const key = String(params.missingProperty);
      const property = (schema.properties as Record<string, Schema> | undefined)?.[key] ?? {};
      const value = property.const === undefined ? '...' : String(property.const);
      const cure = `add \`${key}: ${value}\`${property.const === undefined ? `, ${phrase(property)}` : ''}`;
      return {
        code: 'missing-key',
        path,
        at: 'key',
        message: isRoot ? `\`${key}\` is missing` : `${name} lacks \`${key}\``,
        cure,
      };
    }
    case 'propertyNames': {
      const key = String(params.propertyName);
      const cure =
        key.length > nameLimit
          ? `at most ${nameLimit} characters, this has ${key.length}`
          : `expected ${nameRule}`;
      const message = `\`${key}\` cannot be a name in ${name}`;
      return { code: 'wrong-name', path: [...path, key], at: 'key', message, cure };
    }
    case 'enum': {
      const allowed = (schema.enum as unknown[]).map(String);
      const meant = typeof data === 'string' ? didYouMean(data, allowed) : undefined;
      const message = `${name}: expected one of ${quoteAll(allowed)}, got ${describe(data)}`;
      return {
        code: 'wrong-value',
        path,
        at: 'value',
        message,
        cure: meant === undefined ? undefined : `did you mean \`${meant}\`?`,
      };
    }
    default: {
      const message = `${name}: expected ${phraseOf(keyword, schema)}, got ${describe(data)}`;
      const cure = isRoot ? 'it begins with `version: 1`, `name:` and `stages:`' : valueCure(schema, data);
      return { code: 'wrong-value', path, at: 'value', message, cure };
    }
  }
}

/** What `Identifier` in the language's schema asks for. */
const { expects: nameRule, maxLength: nameLimit } = schemas.language.$defs.Identifier as {
  readonly expects: string;
  readonly maxLength: number;
};

function knownKeys(schema: Schema): string[] {
  return isMap(schema.properties) ? Object.keys(schema.properties) : [];
}

/** True for a missing key that stands there misspelled, which is told as an unknown key. */
function isMisspelled({ keyword, params, data, parentSchema }: ErrorObject): boolean {
  if (keyword !== 'required' || !isMap(data)) return false;
  const known = knownKeys((parentSchema ?? {}) as Schema);
  return Object.keys(data).some(
    (key) => !known.includes(key) && didYouMean(key, known) === params.missingProperty,
  );
}
