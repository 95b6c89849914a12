import type { ErrorObject } from 'ajv';
import type { DiagnosticCode } from '../diagnostics/diagnostic-codes.ts';
import { choose, didYouMean, quoteAll } from '../diagnostics/did-you-mean.ts';
import { describe, isMap, type Path, showPath, type ValueMap } from '../values.ts';
import { phrase, phraseOf, type Schema, valueCure } from './schema-phrases.ts';
import { accepts, parsePointer, schemas } from './schemas.ts';

/** What a schema has against a value. `path` counts from the validated value. */
export interface SchemaProblem {
  readonly code: DiagnosticCode;
  readonly path: Path;
  /** What to point at: the value, or its key. */
  readonly at: 'value' | 'key';
  readonly message: string;
  readonly cure?: string | undefined;
  /** The value at `path`. */
  readonly data: unknown;
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
  const left = new Set(
    errors.filter(
      (error) =>
        error.keyword !== 'if' && error.propertyName === undefined && !isMisspelled(error) && !pending(error),
    ),
  );
  const below = errorsBelow(left);
  for (const parent of [...left].filter(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf')) {
    const branchOf = (error: ErrorObject) =>
      error.schemaPath.slice(parent.schemaPath.length + 1).split('/')[0]!;
    const inside = below
      .get(parent.instancePath)!
      .filter((error) => left.has(error) && error.schemaPath.startsWith(`${parent.schemaPath}/`));
    const drop = (dropped: readonly ErrorObject[]) => {
      for (const error of dropped) left.delete(error);
    };
    const branches = Object.keys(parent.schema as object);
    if (branches.some((branch) => inside.every((error) => branchOf(error) !== branch))) {
      drop([parent, ...inside]); // Only expressions stand in the way of this branch.
      continue;
    }
    const wrongType = new Set(
      inside.filter((e) => e.keyword === 'type' && e.instancePath === parent.instancePath).map(branchOf),
    );
    const fitting = inside.filter((error) => !wrongType.has(branchOf(error)));
    drop(fitting.length > 0 ? [parent, ...inside.filter((error) => !fitting.includes(error))] : inside);
  }
  return [...left];
}

/** The errors about each place and the values in it. */
function errorsBelow(errors: Iterable<ErrorObject>): ReadonlyMap<string, readonly ErrorObject[]> {
  const below = new Map<string, ErrorObject[]>();
  for (const error of errors) {
    const parts = error.instancePath.split('/');
    for (let length = 1; length <= parts.length; length++) {
      const place = parts.slice(0, length).join('/');
      const known = below.get(place);
      if (known === undefined) below.set(place, [error]);
      else known.push(error);
    }
  }
  return below;
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
      const cure = unknownKeyCure(key, data as ValueMap, schema, base);
      const wrong = (data as ValueMap)[key];
      return { code: 'unknown-key', path: [...path, key], at: 'key', message, cure, data: wrong };
    }
    case 'required': {
      const key = String(params.missingProperty);
      const property = (schema.properties as Record<string, Schema> | undefined)?.[key] ?? {};
      const value = property.const === undefined ? '...' : String(property.const);
      const inside =
        key === 'uses' && Object.hasOwn(schemas.language.$defs.Stage.properties, String(path.at(-1)));
      const cure = inside
        ? 'if it belongs to the stage above it, indent it like `uses:` there'
        : `add \`${key}: ${value}\`${property.const === undefined ? `, ${phrase(property)}` : ''}`;
      return {
        code: 'missing-key',
        path,
        at: 'key',
        message: isRoot ? `\`${key}\` is missing` : `${name} lacks \`${key}\``,
        cure,
        data,
      };
    }
    case 'propertyNames': {
      const key = String(params.propertyName);
      const cure =
        key.length > nameLimit
          ? `at most ${nameLimit} characters, this has ${key.length}`
          : `expected ${nameRule}${freeName(key, data as ValueMap)}`;
      const message = `\`${key}\` cannot be a name in ${name}`;
      return { code: 'wrong-name', path: [...path, key], at: 'key', message, cure, data };
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
        data,
      };
    }
    case 'not': {
      const message = `${name}: expected ${phraseOf(keyword, schema)}, got ${describe(data)}`;
      return { code: 'wrong-value', path, at: 'key', message, cure: 'remove it', data };
    }
    default: {
      const message = `${name}: expected ${phraseOf(keyword, schema)}, got ${describe(data)}`;
      const cure = isRoot ? 'it begins with `version: 1`, `name:` and `stages:`' : valueCure(schema, data);
      return { code: 'wrong-value', path, at: 'value', message, cure, data };
    }
  }
}

/** What `Identifier` in the language's schema asks for. */
const { expects: nameRule, maxLength: nameLimit } = schemas.language.$defs.Identifier as {
  readonly expects: string;
  readonly maxLength: number;
};

/** The nearest name to one that cannot be, if it is not taken. */
function freeName(key: string, siblings: ValueMap): string {
  const name = key.replace(/[^A-Za-z0-9]+/g, '_').replace(/^[^A-Za-z]+|_+$/g, '');
  const free =
    name !== key && accepts(schemas.language.$defs.Identifier, name) && !Object.hasOwn(siblings, name);
  return free ? `: \`${name}\`` : '';
}

/** What to say of `0,5`, of which YAML makes two entries in braces. */
export const pointCure = 'a decimal has a point, such as `0.5`';

function unknownKeyCure(key: string, siblings: ValueMap, schema: Schema, base: Path): string {
  const known = knownKeys(schema);
  if (/^\d+$/.test(key)) return pointCure;
  const [, begun, rest] = valueInKey(key, known) ?? [];
  if (begun !== undefined) return `write \`${begun}: ${rest}\`, with a colon and a space`;
  const kind = typeof siblings.uses === 'string' ? schemas.stages[siblings.uses] : undefined;
  if (kind !== undefined && Object.hasOwn(kind.properties, key)) return 'move it under `with:`';
  if (base.at(-1) === 'with' && Object.hasOwn(schemas.language.$defs.Stage.properties, key))
    return 'move it out of `with:`, beside `uses:`';
  const free = known.filter((candidate) => !Object.hasOwn(siblings, candidate));
  const there = didYouMean(key, free) === undefined ? didYouMean(key, known) : undefined;
  if (there !== undefined) return `remove it: \`${there}\` stands here already`;
  return free.length === 0 ? 'remove it: no other key belongs here' : choose(key, free, 'known keys');
}

/** `name:mlp` or `name mlp` in braces: YAML takes it for a key without a value. */
function valueInKey(key: string, known: readonly string[]): RegExpExecArray | undefined {
  const match = /^(\w+)(?::| +)(.+)$/.exec(key);
  return match !== null && known.includes(match[1]!) ? match : undefined;
}

function knownKeys(schema: Schema): string[] {
  return isMap(schema.properties) ? Object.keys(schema.properties) : [];
}

/** True for a missing key that stands there misspelled, which is told as an unknown key. */
function isMisspelled({ keyword, params, data, parentSchema }: ErrorObject): boolean {
  if (keyword !== 'required' || !isMap(data)) return false;
  const known = knownKeys((parentSchema ?? {}) as Schema);
  const free = known.filter((key) => !Object.hasOwn(data, key));
  return Object.keys(data).some(
    (key) =>
      !known.includes(key) &&
      (valueInKey(key, known)?.[1] ?? didYouMean(key, free)) === params.missingProperty,
  );
}
