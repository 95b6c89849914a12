/**
 * Writes what is derived: of the files of the kinds (networks, data sets, figures, stores) their `index.ts` and `schemas/kinds.json`; of the schemas
 * `schemas/types.ts`, `schemas/pipeline.schema.json`, the table of `docs/models.md` and the pages `docs/stages/`, `docs/keys.md` and `docs/figures-of-a-report.md`. With
 * `--check` it writes nothing and fails if one of them is stale.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { kindIndexes, kindsText } from './kind-files.ts';

const root = new URL('../', import.meta.url);
const check = process.argv.includes('--check');

/** Writes these files, or names those that are stale. */
async function bring(files: Readonly<Record<string, string>>): Promise<string[]> {
  const stale: string[] = [];
  for (const [name, text] of Object.entries(files)) {
    if ((await readFile(new URL(name, root), 'utf8').catch(() => '')) === text) continue;
    stale.push(name);
    if (check) continue;
    await mkdir(new URL('./', new URL(name, root)), { recursive: true });
    await writeFile(new URL(name, root), text);
  }
  return stale;
}

/** In this order: each is made of those before. */
const steps = [
  () => kindIndexes(root),
  async () => ({ 'schemas/kinds.json': await kindsText(root) }),
  async () => ({ 'docs/models.md': await (await import('./models-page.ts')).modelsPage(root) }),
  async () => (await import('../compiler/docs/generated-files.ts')).generatedFiles(),
];

for (const step of steps) {
  const stale = await bring(await step());
  if (check && stale.length > 0) {
    console.error(`Not up to date: ${stale.join(', ')}; run \`npm run generate\`.`);
    process.exitCode = 1;
    break;
  }
}
