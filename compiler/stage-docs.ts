import type { SchemaNode } from './schema-transform.ts';
import { schemas } from './schemas.ts';
import { type StageKind, stageKinds } from './stage-kinds.ts';

/** The pages `docs/stages/<kind>.md`, by file name, from the schemas: what a stage kind does, what it takes and what it writes. */
export function stagePages(): Record<string, string> {
  const pages = Object.values(stageKinds).map((kind) => [`${kind.uses}.md`, stagePage(kind)]);
  return { 'README.md': index(), ...Object.fromEntries(pages) };
}

const generated = '<!-- Generated from the schemas by `npm run generate`. -->';

function index(): string {
  const rows = Object.values(stageKinds).map(
    ({ uses, description, outputs }) =>
      `| [\`${uses}\`](${uses}.md) | ${cell(firstSentence(description))} | ${Object.keys(outputs).map(code).join(', ')} |`,
  );
  return lines([
    generated,
    '# Stage kinds',
    '',
    '| `uses:` | what it does | outputs |',
    '| --- | --- | --- |',
    ...rows,
    '',
    'The columns of each kind of artifact are in [artifacts.md](../artifacts.md).',
  ]);
}

function stagePage({ uses, description, version, scope, compute, outputs }: StageKind): string {
  const schema = schemas.stages[uses] as SchemaNode;
  const notes = [
    scope === 'study' ? 'It stands under `collect:` and runs once, over all cells.' : undefined,
    compute
      ? 'It computes with TensorFlow, so the number of threads (`resources.threads`) is part of its step key.'
      : undefined,
  ].filter((note) => note !== undefined);
  return lines([
    generated,
    `# ${uses}`,
    '',
    description,
    ...(notes.length === 0 ? [] : ['', notes.join(' ')]),
    '',
    '## `with`',
    '',
    '| key | takes | default | meaning |',
    '| --- | --- | --- | --- |',
    ...rows(schema, ''),
    '',
    '## Outputs',
    '',
    '| output | artifact |',
    '| --- | --- |',
    ...Object.entries(outputs).map(
      ([name, kind]) => `| \`${name}\` | [\`${kind}\`](../artifacts.md#columns) |`,
    ),
    '',
    `Version ${version}: raising it makes earlier results stale.`,
  ]);
}

/** A row for each key, those of nested objects below it. */
function rows(schema: SchemaNode, prefix: string): string[] {
  const required = new Set((schema.required as string[] | undefined) ?? []);
  const properties = Object.entries((schema.properties ?? {}) as Record<string, SchemaNode>);
  return properties.flatMap(([name, written]) => {
    const property = resolve(written);
    const key = `${prefix}${name}`;
    const fallback =
      property.default !== undefined
        ? code(JSON.stringify(property.default))
        : required.has(name)
          ? 'required'
          : '–';
    const meaning = cell(String(property.description ?? ''));
    return [`| \`${key}\` | ${takes(property)} | ${fallback} | ${meaning} |`, ...rows(property, `${key}.`)];
  });
}

function resolve(node: SchemaNode): SchemaNode {
  return node.$ref === '../model.schema.json' ? { ...(schemas.model as SchemaNode), ...node } : node;
}

function takes(node: SchemaNode): string {
  if (node.artifact !== undefined)
    return `artifact ${[node.artifact]
      .flat()
      .map((kind) => code(String(kind)))
      .join(' or ')}`;
  if (node.const !== undefined) return code(JSON.stringify(node.const));
  if (Array.isArray(node.enum)) return node.enum.map((value) => code(String(value))).join(', ');
  if (node.type === 'array') return `list of ${takes((node.items ?? {}) as SchemaNode)}`;
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

function firstSentence(text: string): string {
  return /^.*?[.:](?= |$)/.exec(text)?.[0].replace(/:$/, '.') ?? text;
}

function code(text: string): string {
  return `\`${text}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function lines(parts: readonly string[]): string {
  return `${parts.join('\n')}\n`;
}
