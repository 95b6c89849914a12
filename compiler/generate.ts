/**
 * Writes what is derived from the schemas: `schemas/types.ts` and `schemas/pipeline.schema.json`. With `--check` it writes nothing and fails if
 * one of them is stale.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { publishedSchema } from './published-schema.ts';
import { typesText } from './types-text.ts';

const folder = new URL('../schemas/', import.meta.url);
const generated: Readonly<Record<string, string>> = {
  'types.ts': await typesText(),
  'pipeline.schema.json': `${JSON.stringify(publishedSchema(), null, 2)}\n`,
};

if (process.argv.includes('--check')) {
  const stale: string[] = [];
  for (const [name, text] of Object.entries(generated)) {
    const present = await readFile(new URL(name, folder), 'utf8').catch(() => '');
    if (present !== text) stale.push(`schemas/${name}`);
  }
  if (stale.length > 0) {
    console.error(`Not up to date with the schemas: ${stale.join(', ')}; run \`node compiler/generate.ts\`.`);
    process.exitCode = 1;
  }
} else {
  for (const [name, text] of Object.entries(generated)) await writeFile(new URL(name, folder), text);
}
