/**
 * Writes `docs/results/README.md` and its pictures from the studies that are kept in `docs/results/kept`: their records and small artifacts, as `export` leaves them, which
 * `epochal verify --store docs/results/kept/NAME` checks. No number on the page was typed in.
 *
 *     npm run results                          # the page, from what is kept
 *     npm run results -- keep NAME STUDY       # take a study of this home along (--store DIR: of another store) as NAME, then the page
 *     npm run results -- origin STUDY          # predict the noise that is left over of a study of this home, of which everything is in the store (docs/theory.md)
 */
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openStore } from '../artifacts/store/open-store.ts';
import { resolveStudyId } from '../cli/checks/study-records.ts';
import { exportStudy } from '../cli/storage/export-study.ts';
import { readStudy } from '../report/read-study.ts';
import { findHome } from '../runtime/home.ts';
import { leftoverOrigins } from './leftover-origin.ts';
import { withHeadline } from './results-headline.ts';
import { keptFolder, keptNames, originFile, resultsPage } from './results-page.ts';

const folder = join(import.meta.dirname, 'results');
const page = join(folder, 'README.md');
const readme = join(import.meta.dirname, '..', 'README.md');

const { values, positionals } = parseArgs({
  options: { store: { type: 'string' } },
  allowPositionals: true,
});
if (positionals.length === 0) {
  await writePage();
} else if (positionals[0] === 'keep' && positionals.length === 3) {
  await keep(positionals[1]!, positionals[2]!);
  await writePage();
} else if (positionals[0] === 'origin' && positionals.length === 2) {
  const store = await openStore(values.store ?? findHome().store);
  const study = await readStudy(store, await resolveStudyId(store, positionals[1]!));
  const cells = await leftoverOrigins(store, study);
  await writeFile(originFile(folder), `${JSON.stringify({ pipeline: study.plan.name, cells })}\n`);
  await writePage();
} else {
  console.error('Expected nothing, `keep NAME STUDY` or `origin STUDY`, and --store DIR.');
  process.exitCode = 2;
}

/** Puts the store of an export of the study, without its tensors, in the place of what was kept under the name. */
async function keep(name: string, wanted: string): Promise<void> {
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name))
    throw new RangeError(`A name of small letters, digits and dashes, not ${name}.`);
  const store = await openStore(values.store ?? findHome().store);
  const studyId = await resolveStudyId(store, wanted);
  await mkdir(join(folder, 'kept'), { recursive: true });
  const exported = await mkdtemp(join(folder, 'kept', '.new-'));
  try {
    await exportStudy(store, studyId, exported, false);
    const kept = keptFolder(folder, name);
    await rm(kept, { recursive: true, force: true });
    await rename(join(exported, 'store'), kept);
  } finally {
    await rm(exported, { recursive: true, force: true });
  }
}

async function writePage(): Promise<void> {
  const { markdown, pictures } = await resultsPage(folder);
  for (const file of await readdir(folder)) if (file.endsWith('.png')) await rm(join(folder, file));
  for (const { file, png } of pictures) await writeFile(join(folder, file), png());
  await writeFile(page, markdown);
  await writeFile(readme, await withHeadline(await readFile(readme, 'utf8'), folder));
  console.error(`${(await keptNames(folder)).length} studies, ${pictures.length} pictures`);
}
