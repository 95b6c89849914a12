/**
 * Writes what is derived from the schemas: `schemas/types.ts`, `schemas/pipeline.schema.json` and the pages `docs/stages/`, `docs/keys.md`
 * and `docs/figures-of-a-report.md`. With `--check` it writes nothing and fails if one of them is stale.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { figurePage } from './docs/figure-docs.ts';
import { keysPage } from './docs/language-docs.ts';
import { publishedSchema } from './docs/published-schema.ts';
import { stagePages } from './docs/stage-docs.ts';
import { typesText } from './docs/types-text.ts';

const root = new URL('../', import.meta.url);
const pages = Object.entries(stagePages()).map(([name, text]) => [`docs/stages/${name}`, text] as const);
const generated: Readonly<Record<string, string>> = {
  'schemas/types.ts': await typesText(),
  'schemas/pipeline.schema.json': `${JSON.stringify(publishedSchema(), null, 2)}\n`,
  'docs/keys.md': keysPage(),
  'docs/figures-of-a-report.md': figurePage(),
  ...Object.fromEntries(pages),
};

if (process.argv.includes('--check')) {
  const stale: string[] = [];
  for (const [name, text] of Object.entries(generated)) {
    const present = await readFile(new URL(name, root), 'utf8').catch(() => '');
    if (present !== text) stale.push(name);
  }
  if (stale.length > 0) {
    console.error(`Not up to date with the schemas: ${stale.join(', ')}; run \`npm run generate\`.`);
    process.exitCode = 1;
  }
} else {
  await mkdir(new URL('docs/stages/', root), { recursive: true });
  for (const [name, text] of Object.entries(generated)) await writeFile(new URL(name, root), text);
}
