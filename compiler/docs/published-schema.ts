import { omit, type SchemaNode, titleOf, transformSchema } from '../schema/schema-transform.ts';
import { schemas } from '../schema/schemas.ts';
import { type StageKind, stageKinds } from '../schema/stage-kinds.ts';

const ownKeywords = [
  'stage',
  'defaults',
  'decayIsSchedule',
  'startIsRest',
  'usual',
  'expects',
  'artifact',
  'location',
  'expressions',
  '$id',
  '$schema',
];
const expression = { $ref: '#/$defs/Expression' };

/**
 * The one schema that editors read: the language with the `with` of every stage kind in it, where each value that may be an expression also
 * accepts one. Plain JSON Schema without the compiler's own keywords, and without references to other files.
 */
export function publishedSchema(): SchemaNode {
  const { $defs, ...language } = schemas.language;
  const root = strip(language);
  const definitions = strip({ $defs }).$defs as Record<string, SchemaNode>;
  const stages = Object.values(schemas.stages).map((schema) => [titleOf(schema), open(schema)]);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    ...root,
    $defs: {
      Expression: {
        type: 'string',
        pattern: '\\$\\{\\{.*\\}\\}',
        description: 'An expression in CEL: `${{ params.name }}`, `${{ stages.stage.output }}`.',
      },
      ...definitions,
      Stage: withStageKinds(definitions.Stage!, 'cell'),
      Collect: withStageKinds(definitions.Collect!, 'study'),
      [titleOf(schemas.model)]: open(schemas.model),
      ...Object.fromEntries(stages),
    },
  };
}

/** `uses` with its values, and for each of them what `with` takes. */
function withStageKinds(stage: SchemaNode, scope: StageKind['scope']): SchemaNode {
  const kinds = Object.values(stageKinds).filter((kind) => kind.scope === scope);
  const properties = stage.properties as Record<string, SchemaNode>;
  return {
    ...stage,
    properties: {
      ...properties,
      uses: {
        description: properties.uses?.description,
        anyOf: kinds.map(({ uses, description, outputs }) => ({
          const: uses,
          description: `${description} Outputs: ${Object.entries(outputs)
            .map(([output, kind]) => `${output} (${kind})`)
            .join(', ')}.`,
        })),
      },
    },
    allOf: kinds.map(({ uses }) => ({
      // biome-ignore lint/suspicious/noThenProperty: `then` is a keyword of JSON Schema.
      ...{ if: { properties: { uses: { const: uses } }, required: ['uses'] }, then: thenOf(uses) },
    })),
  };
}

function thenOf(uses: string): SchemaNode {
  const schema = schemas.stages[uses]!;
  const needsWith = Array.isArray(schema.required) && schema.required.length > 0;
  return {
    properties: { with: { $ref: `#/$defs/${titleOf(schema)}` } },
    ...(needsWith ? { required: ['with'] } : {}),
  };
}

/** The skeleton: inside `expressions`, every value also accepts an expression. */
function strip(schema: SchemaNode): SchemaNode {
  const opened = (node: SchemaNode): SchemaNode =>
    node.expressions === undefined ? node : orExpression(open(node), node);
  const walk = (node: SchemaNode): SchemaNode => omit(opened(node), ownKeywords);
  return transformSchema(schema, (node) => walk(node));
}

/** A schema whose every inner value also accepts an expression. */
function open(schema: SchemaNode): SchemaNode {
  const { $id: _, ...rest } = schema;
  return transformSchema(rest, (node, original) => {
    if (original === rest) return omit(node, ownKeywords);
    return orExpression(node, original);
  });
}

function orExpression(node: SchemaNode, original: SchemaNode): SchemaNode {
  if (original.artifact !== undefined) {
    const kinds = [original.artifact].flat().join(' or ');
    return {
      ...expression,
      description: `A ${kinds} artifact. ${String(original.description ?? '')}`.trim(),
    };
  }
  const plain = relink(omit(node, ownKeywords));
  if (Object.keys(plain).every((keyword) => keyword === 'description')) return plain; // Anything goes.
  if (plain.type === 'string' && plain.pattern === undefined) return plain;
  if (Array.isArray(plain.anyOf)) return { ...plain, anyOf: [...new Set([...plain.anyOf, expression])] };
  const { description, default: fallback, title: _, ...value } = plain;
  return {
    ...(description === undefined ? {} : { description }),
    ...(fallback === undefined ? {} : { default: fallback }),
    anyOf: [value, expression],
  };
}

/** References to other files become references to `$defs`. */
function relink(node: SchemaNode): SchemaNode {
  return node.$ref === '../model.schema.json' ? { ...node, $ref: `#/$defs/${titleOf(schemas.model)}` } : node;
}
