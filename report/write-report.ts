import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { EnvironmentError } from '../artifacts/errors.ts';
import { isOwnModule } from '../artifacts/own-module.ts';
import type { Store } from '../artifacts/store/store.ts';
import type { PlannedFigure } from '../compiler/plan.ts';
import { figureKinds } from '../compiler/schema/kinds.ts';
import { dataFiles } from './data-files.ts';
import { renderFigure } from './figures/index.ts';
import { type KeyResults, readKeyResults } from './key-results.ts';
import type { ReportFigure } from './page/figure-card.ts';
import { reportPage } from './page/page.ts';
import { baseDirectoryOf, readStudy, type Study } from './read-study.ts';
import { readFigureData } from './read-tables.ts';
import { resultRows } from './result-rows.ts';

/** Where the files of a report are. */
export interface WrittenReport {
  /** Path of `report.html`. */
  readonly html: string;
  /** Paths of the SVG and PNG of each figure. */
  readonly figures: string[];
  /** Paths of the tables that are whole where the page is not. */
  readonly tables: string[];
}

/**
 * Writes the report of a study, finished or running, into a folder: `report.html`, which needs no other file and no network, and
 * `figures/<n>-<kind>.svg`, `.png` and `.csv`, and of several cells the tables of {@link dataFiles}. A figure that cannot be drawn is told in the page and does not stop the others. Files appear
 * whole, `report.html` last. The same store gives the same bytes.
 *
 * Throws {@link import('../artifacts/errors.ts').InputError} if the store has no such study, and {@link EnvironmentError} if the
 * folder cannot be written.
 */
export async function writeReport(request: {
  readonly store: Store;
  readonly studyId: string;
  readonly outDirectory: string;
  /** The study and its results, if they have been read before. */
  readonly known?: { readonly study: Study; readonly results: KeyResults };
}): Promise<WrittenReport> {
  const { store, studyId, outDirectory, known } = request;
  const study = known?.study ?? (await readStudy(store, studyId));
  const results = known?.results ?? (await readKeyResults(store, study));
  const figures: ReportFigure[] = [];
  for (const [index, figure] of study.plan.report.figures.entries()) {
    figures.push(
      await drawFigure(store, study, figure, `${index + 1}-${basename(figure.kind).replace(/\.\w+$/, '')}`),
    );
  }
  const files: { name: string; content: string | Uint8Array }[] = [];
  for (const item of figures) {
    if (!('figure' in item)) continue;
    files.push({ name: `figures/${item.name}.svg`, content: item.figure.svg });
    files.push({ name: `figures/${item.name}.png`, content: item.figure.png });
    files.push({ name: `figures/${item.name}.csv`, content: item.figure.csv });
  }
  const rows = resultRows(study, results);
  const tables = dataFiles(study, results, rows);
  const names = tables.map(({ name }) => name);
  files.push(...tables, { name: 'report.html', content: reportPage(study, results, rows, names, figures) });
  await writeFiles(outDirectory, files);
  return {
    html: join(outDirectory, 'report.html'),
    figures: files
      .map(({ name }) => name)
      .filter((name) => /\.(svg|png)$/.test(name))
      .map((name) => join(outDirectory, name)),
    tables: names.map((name) => join(outDirectory, name)),
  };
}

async function drawFigure(
  store: Store,
  study: Study,
  figure: PlannedFigure,
  name: string,
): Promise<ReportFigure> {
  try {
    const data = await readFigureData(store, study, figure);
    const folder = isOwnModule(figure.kind) ? await baseDirectoryOf(store, study.studyId) : undefined;
    return { name, figure: await renderFigure(figure, data, folder) };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { name, title: figure.title ?? figureKinds[figure.kind]?.title ?? figure.kind, problem };
  }
}

/** Writes all files into a folder of their own first, so that a full disk leaves an earlier report as it was. */
async function writeFiles(
  folder: string,
  files: readonly { name: string; content: string | Uint8Array }[],
): Promise<void> {
  const draft = join(folder, `.report-${randomUUID()}`);
  try {
    await mkdir(join(draft, 'figures'), { recursive: true });
    for (const { name, content } of files) await writeFile(join(draft, name), content, { flush: true });
    await mkdir(join(folder, 'figures'), { recursive: true });
    for (const { name } of files) await rename(join(draft, name), join(folder, name));
  } catch (error) {
    throw new EnvironmentError(
      `The report cannot be written into ${folder}: ${error instanceof Error ? error.message : String(error)}`,
      'Choose a folder that can be written and has space left.',
    );
  } finally {
    // Where not even this can be done, the first error says why.
    await rm(draft, { recursive: true, force: true }).catch(() => undefined);
  }
}
