import { inWords } from '../schema/conditions.ts';
import type { SchemaNode } from '../schema/schema-transform.ts';
import { schemas } from '../schema/schemas.ts';
import { type StageKind, stageKinds } from '../schema/stage-kinds.ts';
import { cell, code, generated, keyTable, lines } from './docs-tables.ts';

/** The pages `docs/stages/<kind>.md`, by file name, from the schemas: what a stage kind does, what it takes and what it writes. */
export function stagePages(): Record<string, string> {
  const pages = Object.values(stageKinds).map((kind) => [`${kind.uses}.md`, stagePage(kind)]);
  return { 'README.md': index(), ...Object.fromEntries(pages) };
}

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

function stagePage({ uses, description, version, scope, compute, outputs, writes }: StageKind): string {
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
    ...keyTable(schema),
    '',
    '## Outputs',
    '',
    '| output | artifact |',
    '| --- | --- |',
    ...Object.entries(outputs).map(
      ([name, kind]) =>
        `| \`${name}\` | [\`${kind}\`](../artifacts.md#columns)${
          writes[name] === undefined ? '' : `, with ${inWords(writes[name])}`
        } |`,
    ),
    '',
    `Version ${version}: raising it makes earlier results stale.`,
  ]);
}

function firstSentence(text: string): string {
  return /^.*?[.:](?= |$)/.exec(text)?.[0].replace(/:$/, '.') ?? text;
}
