import { isMap } from '../values.ts';

export type SchemaNode = { readonly [keyword: string]: unknown };

/** Keywords whose value is a map of schemas. */
const mapsOfSchemas = ['properties', '$defs', 'patternProperties'];
/** Keywords whose value is a schema of values. */
const singleSchemas = ['items', 'additionalProperties', 'then', 'else'];
/** Keywords whose value is a list of schemas. */
const listsOfSchemas = ['anyOf', 'oneOf', 'allOf', 'prefixItems'];

/** A copy of a schema in which `change` has had its way with each schema inside it, the innermost first, and with itself last. */
export function transformSchema(
  schema: SchemaNode,
  change: (node: SchemaNode, original: SchemaNode) => SchemaNode,
): SchemaNode {
  const inner = (value: unknown) => (isMap(value) ? transformSchema(value, change) : value);
  const entries = Object.entries(schema).map(([keyword, value]) => {
    if (mapsOfSchemas.includes(keyword) && isMap(value))
      return [keyword, Object.fromEntries(Object.entries(value).map(([name, part]) => [name, inner(part)]))];
    if (singleSchemas.includes(keyword)) return [keyword, inner(value)];
    if (listsOfSchemas.includes(keyword) && Array.isArray(value)) return [keyword, value.map(inner)];
    return [keyword, value];
  });
  return change(Object.fromEntries(entries) as SchemaNode, schema);
}

/** A copy of a schema node without these keywords. */
export function omit(node: SchemaNode, keywords: readonly string[]): SchemaNode {
  return Object.fromEntries(Object.entries(node).filter(([keyword]) => !keywords.includes(keyword)));
}

/** The title of a schema, which names it in `$defs` and as a TypeScript type. */
export function titleOf(schema: SchemaNode): string {
  if (typeof schema.title !== 'string')
    throw new Error(`Expected a title in the schema ${String(schema.$id)}.`);
  return schema.title;
}
