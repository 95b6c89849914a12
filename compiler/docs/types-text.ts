import { type JSONSchema, compile as writeTypes } from 'json-schema-to-typescript';
import { omit, type SchemaNode, titleOf, transformSchema } from '../schema/schema-transform.ts';
import { type DependentDefaults, schemas } from '../schema/schemas.ts';

const banner = `// Generated from the schemas beside it by \`node schemas/generate.ts\`. Change a schema, then run it again.
import type { ArtifactRef } from '../artifacts/reference.ts';`;

/**
 * TypeScript types of the language and of each stage kind's \`with\` as activities receive it: artifacts are \`ArtifactRef\`, and keys with a
 * default are there.
 */
export async function typesText(): Promise<string> {
  const { $defs, ...language } = schemas.language;
  const withs = Object.entries(schemas.stages).map(([uses, schema]) => [uses, titleOf(schema)] as const);
  const root: SchemaNode = {
    title: 'StageWiths',
    description: 'What each stage kind takes, by the name in `uses:`.',
    type: 'object',
    additionalProperties: false,
    required: withs.map(([uses]) => uses),
    properties: Object.fromEntries(withs.map(([uses, title]) => [uses, { $ref: `#/$defs/${title}` }])),
    $defs: {
      ...Object.fromEntries(
        Object.entries(($defs ?? {}) as Record<string, SchemaNode>).map(([name, schema]) => [
          name,
          plain(schema),
        ]),
      ),
      [titleOf(schemas.language)]: plain(language),
      [titleOf(schemas.model)]: filled(schemas.model),
      ...Object.fromEntries(Object.values(schemas.stages).map((schema) => [titleOf(schema), filled(schema)])),
    },
  };
  const text = await writeTypes(root as JSONSchema, 'StageWiths', {
    bannerComment: banner,
    unreachableDefinitions: true,
    additionalProperties: false,
    unknownAny: true,
    style: { singleQuote: true, printWidth: 110 },
  });
  return text.replaceAll('\n *\n */', '\n */');
}

/** A schema without the compiler's own keywords. */
function plain(schema: SchemaNode): SchemaNode {
  return transformSchema(schema, (node) =>
    omit(relink(node), [
      '$id',
      '$schema',
      'stage',
      'defaults',
      'decayIsSchedule',
      'startIsRest',
      'usual',
      'expects',
      'expressions',
      'location',
      'propertyNames',
      'allOf',
      'if',
      'then',
      'minItems',
      'maxItems',
    ]),
  );
}

/** A schema of what is there once defaults are filled in. */
function filled(schema: SchemaNode): SchemaNode {
  return plain(
    transformSchema(schema, (node) => {
      if (node.artifact !== undefined) return { ...omit(node, ['artifact']), tsType: 'ArtifactRef' };
      const properties = Object.entries((node.properties ?? {}) as Record<string, SchemaNode>);
      const defaulted = properties.flatMap(([name, property]) =>
        property.default === undefined ? [] : [name],
      );
      const { unless, of } = (node.defaults ?? { of: {} }) as DependentDefaults;
      defaulted.push(...Object.keys((unless === undefined && of.all) || {}));
      if (node.startIsRest === true) defaulted.push('start');
      if (defaulted.length === 0) return node;
      const required = new Set([...((node.required as string[] | undefined) ?? []), ...defaulted]);
      return { ...node, required: [...required] };
    }),
  );
}

function relink(node: SchemaNode): SchemaNode {
  return node.$ref === '../model.schema.json' ? { ...node, $ref: `#/$defs/${titleOf(schemas.model)}` } : node;
}
