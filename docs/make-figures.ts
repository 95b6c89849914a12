/**
 * Runs the pipelines of the figures one after another, at their small size and in one home, so that finished stages are reused, and writes
 * `docs/figures.md`: for each pipeline its command, its pictures (`docs/figures/*.png`) and what was measured beside the theory. All numbers are read
 * from the artifacts of the studies.
 *
 * Ends with how long each pipeline took.
 *
 *     npm run figures                      # all
 *     npm run figures -- fig24-replacement # some; the sections of the others stay as they are
 */
import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { openStore } from '../artifacts/store/open-store.ts';
import { readStudy } from '../report/read-study.ts';
import { findHome } from '../runtime/home.ts';
import { sectionOf } from './figure-section.ts';

const root = join(import.meta.dirname, '..');
const page = join(root, 'docs', 'figures.md');
const pictures = join(root, 'docs', 'figures');

const introduction = `# Figures

Every figure of the theory's slides, and what the text says in numbers, made by one command each. These are the small sizes, which run on real
handwritten digits on two cores in minutes; \`--set size=paper\` runs a pipeline as published. This page is written by \`npm run figures\` from the
artifacts of the studies: no number on it was typed in.
`;

const available = (await readdir(join(root, 'pipelines')))
  .filter((file) => file.endsWith('.yaml') && file !== 'quickstart.yaml')
  .map((file) => basename(file, '.yaml'))
  .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !available.includes(name));
if (unknown.length > 0) {
  console.error(`There is no pipeline ${unknown.join(', ')}; there are ${available.join(', ')}.`);
  process.exit(2);
}

const sections = await readSections();
const failed: string[] = [];
const took: string[] = [];
for (const name of wanted.length > 0 ? wanted : available) {
  console.error(`\n${name}`);
  const begin = performance.now();
  const studyId = await runPipeline(name);
  took.push(`${name}: ${Math.ceil((performance.now() - begin) / 1000)} s`);
  if (studyId === undefined) failed.push(name);
  else sections.set(name, await makeSection(name, studyId));
  await writePage();
}
console.error(`\n${took.join('\n')}`);
if (failed.length > 0) {
  console.error(`Did not succeed: ${failed.join(', ')}.`);
  process.exitCode = 1;
}

/** Runs `epochal run` as a user does; the study's id if it succeeded. */
function runPipeline(name: string): Promise<string | undefined> {
  const args = [join(root, 'cli', 'epochal.mjs'), 'run', join('pipelines', `${name}.yaml`), '--json'];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (data: Buffer) => {
    output += data;
  });
  return new Promise((resolve) => {
    child.on('close', (code) =>
      resolve(code === 0 ? (JSON.parse(output) as { studyId: string }).studyId : undefined),
    );
  });
}

async function makeSection(name: string, studyId: string): Promise<string> {
  const store = await openStore(findHome().store);
  const study = await readStudy(store, studyId);
  const command = `npx epochal run pipelines/${name}.yaml`;
  const section = await sectionOf(
    { name, folder: 'figures/', command, theoryPage: 'theory.md' },
    store,
    study,
  );
  await mkdir(pictures, { recursive: true });
  for (const old of await readdir(pictures)) {
    if (old.startsWith(`${name}-`)) await rm(join(pictures, old));
  }
  for (const { file, png } of section.pictures) await writeFile(join(pictures, file), png());
  return section.markdown;
}

/** The sections of an earlier page by pipeline. */
async function readSections(): Promise<Map<string, string>> {
  const text = await readFile(page, 'utf8').catch(() => '');
  const parts = text.split(/^<!-- pipeline ([\w-]+) -->\n/m).slice(1);
  const found = new Map<string, string>();
  for (let i = 0; i < parts.length; i += 2) found.set(parts[i]!, parts[i + 1]!.trimEnd());
  return found;
}

async function writePage(): Promise<void> {
  const text = available
    .filter((name) => sections.has(name))
    .map((name) => `<!-- pipeline ${name} -->\n${sections.get(name)}\n`);
  await writeFile(page, [introduction, ...text].join('\n'));
}
