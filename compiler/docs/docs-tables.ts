import type { SchemaNode } from '../schema/schema-transform.ts';
import { type DependentDefaults, isDerived, schemas } from '../schema/schemas.ts';

/** First line of a generated page. */
export const generated = '<!-- Generated from the schemas by `npm run generate`. -->';

/** What a table says of one key. */
interface Row {
  readonly key: string;
  readonly takes: string;
  readonly fallback: string;
  readonly meaning: string;
}

/** A table of the keys that a schema takes, those of nested objects and lists below their own, with the default of each. */
export function keyTable(schema: SchemaNode): string[] {
  return [
    '| key | takes | default | meaning |',
    '| --- | --- | --- | --- |',
    ...rows(schema, '').map(
      ({ key, takes, fallback, meaning }) => `| \`${key}\` | ${takes} | ${fallback} | ${meaning} |`,
    ),
  ];
}

function rows(schema: SchemaNode, prefix: string): Row[] {
  const own = Object.entries(propertiesOf(schema)).flatMap(([name, written]) => {
    const property = resolve(written);
    const key = `${prefix}${name}`;
    const row = {
      key,
      takes: takes(property),
      fallback: fallbackOf(schema, name, property),
      meaning: cell(String(property.description ?? '')),
    };
    return [row, ...rows(property, `${key}.`), ...inner(property, key)];
  });
  return [...own, ...conditionalRows(schema, prefix)];
}

/** Keys of the items of a list, and of what stands under names of the user's. */
function inner({ type, items, additionalProperties }: SchemaNode, key: string): Row[] {
  if (type === 'array') return rows(resolve((items ?? {}) as SchemaNode), `${key}[].`);
  if (typeof additionalProperties !== 'object') return [];
  const named = resolve(additionalProperties as SchemaNode);
  const nested = rows(named, `${key}.<name>.`);
  if (nested.length > 0 || named.expects === undefined) return nested;
  return [{ key: `${key}.<name>`, takes: takes(named), fallback: '–', meaning: cell(String(named.expects)) }];
}

/** Keys that there are for some values of another key only. */
function conditionalRows(schema: SchemaNode, prefix: string): Row[] {
  const found = new Map<string, { name: string; branch: Branch; property: SchemaNode }[]>();
  for (const branch of branchesOf(schema))
    for (const [name, property] of Object.entries(propertiesOf(branch.then)))
      if (!(name in propertiesOf(schema)))
        found.set(name, [...(found.get(name) ?? []), { name, branch, property }]);
  return [...found].flatMap(([name, places]) => {
    const key = `${prefix}${name}`;
    const values = places.flatMap(({ branch }) => branch.values);
    const fallbacks = Map.groupBy(places, ({ branch, property }) =>
      fallbackOf({ ...branch.then, defaults: ofValues(schema, branch.values) }, name, property),
    );
    const texts = places.map(({ property }) => String(property.description ?? ''));
    const row = {
      key,
      takes: [...new Set(places.map(({ property }) => takes(property)))].join(' or '),
      fallback: [...fallbacks]
        .map(([text, of]) =>
          fallbacks.size === 1 ? text : `${text} for ${of.flatMap(({ branch }) => branch.values).join(', ')}`,
        )
        .join('; '),
      meaning: cell([`For ${values.map(code).join(', ')}.`, ...new Set(texts)].join(' ').trim()),
    };
    return [row, ...inner(resolve(places[0]!.property), key)];
  });
}

/** What holds for some values of a key: an `if` with a `then`. */
interface Branch {
  readonly values: readonly string[];
  readonly then: SchemaNode;
}

function branchesOf(schema: SchemaNode): Branch[] {
  return ((schema.allOf ?? []) as { if?: SchemaNode; then?: SchemaNode }[]).flatMap(({ if: test, then }) => {
    const [condition] = Object.values(propertiesOf(test ?? {}));
    const values = (condition?.enum ?? (condition?.const === undefined ? [] : [condition.const])) as string[];
    return then === undefined || values.length === 0 ? [] : [{ values, then }];
  });
}

/** The dependent defaults of a schema for some values of the key that they depend on, as if for all. */
function ofValues(schema: SchemaNode, values: readonly string[]): DependentDefaults {
  const { of } = (schema.defaults ?? { of: {} }) as DependentDefaults;
  return { of: { all: of[values[0]!] ?? {} } };
}

function propertiesOf(schema: SchemaNode): Readonly<Record<string, SchemaNode>> {
  return (schema.properties ?? {}) as Record<string, SchemaNode>;
}

/** What holds where a key is left out: its default, those that depend on another key, or that it must not be. */
function fallbackOf(schema: SchemaNode, name: string, property: SchemaNode): string {
  if (property.default !== undefined) return code(JSON.stringify(property.default));
  const requires = (node: SchemaNode) => ((node.required ?? []) as string[]).includes(name);
  if (requires(schema)) return 'required';
  const demanding = branchesOf(schema).filter(({ then }) => requires(then));
  if (demanding.length > 0) return `required for ${demanding.flatMap(({ values }) => values).join(', ')}`;
  const { by, unless, of } = (schema.defaults ?? { of: {} }) as DependentDefaults;
  const texts = Map.groupBy(
    Object.entries(of).filter(([, defaults]) => name in defaults),
    ([, defaults]) => defaultText(defaults[name]!),
  );
  if (texts.size > 0)
    return [...texts]
      .map(([text, of]) => {
        if (unless !== undefined) return `${text} without ${code(unless)}`;
        return by === undefined ? text : `${text} for ${of.map(([value]) => value).join(', ')}`;
      })
      .join('; ');
  return /\bdefault: /i.test(String(property.description ?? '')) ? 'see meaning' : '–';
}

function defaultText(value: DependentDefaults['of'][string][string]): string {
  if (!isDerived(value)) return code(JSON.stringify(value));
  const { from, times = 1, plus = 0 } = value;
  const above = from.startsWith('../') ? ' outside' : '';
  const product = times === 1 ? '' : `${times} * `;
  return `${code(`${product}${from.replaceAll('../', '')}${plus === 0 ? '' : ` + ${plus}`}`)}${above}`;
}

function resolve(node: SchemaNode): SchemaNode {
  if (node.$ref === '../model.schema.json') return { ...(schemas.model as SchemaNode), ...node };
  const name = /^#\/\$defs\/(\w+)$/.exec(String(node.$ref ?? ''))?.[1];
  return name === undefined ? node : { ...(schemas.language.$defs[name] as SchemaNode), ...node };
}

function takes(node: SchemaNode): string {
  if (node.artifact !== undefined)
    return `artifact ${[node.artifact]
      .flat()
      .map((kind) => code(String(kind)))
      .join(' or ')}`;
  if (node.const !== undefined) return code(JSON.stringify(node.const));
  if (Array.isArray(node.enum)) return node.enum.map((value) => code(String(value))).join(', ');
  if (node.type === 'array') return `list of ${takes(resolve((node.items ?? {}) as SchemaNode))}`;
  if (node.type === 'number' || node.type === 'integer')
    return `${node.type === 'integer' ? 'whole number' : 'number'}${bounds(node)}`;
  const alternatives = (node.anyOf ?? node.oneOf) as SchemaNode[] | undefined;
  if (alternatives !== undefined) return [...new Set(alternatives.map(takes))].join(' or ');
  return node.type === 'string'
    ? 'text'
    : node.type === 'boolean'
      ? 'true or false'
      : node.type === 'object'
        ? 'map'
        : 'value';
}

function bounds({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: SchemaNode): string {
  const parts = [
    minimum === undefined ? undefined : `≥ ${minimum}`,
    exclusiveMinimum === undefined ? undefined : `> ${exclusiveMinimum}`,
    maximum === undefined ? undefined : `≤ ${maximum}`,
    exclusiveMaximum === undefined ? undefined : `< ${exclusiveMaximum}`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? '' : ` ${parts.join(', ')}`;
}

export function code(text: string): string {
  return `\`${text}\``;
}

export function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

export function lines(parts: readonly string[]): string {
  return `${parts.join('\n')}\n`;
}
