import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../../artifacts/store/open-store.ts';
import type { CellTable } from '../../../report/figures/drawing/data.ts';
import { renderFigure } from '../../../report/figures/index.ts';
import { formatMeasured } from '../../../report/numbers.ts';
import { writeReport } from '../../../report/write-report.ts';
import { cellTable, historyColumns, parameters, spectrumColumns, training } from './synthetic.ts';
import { studyId, writeStudy } from './synthetic-study.ts';

/** The page of a study, its tags left out. */
async function pageOf(cells: number, failed: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'epochal-test-'));
  try {
    const store = await openStore(join(folder, 'store'));
    await writeStudy(store, cells, failed);
    const { html } = await writeReport({ store, studyId, outDirectory: join(folder, 'report') });
    return readFileSync(html, 'utf8')
      .replace(/<(style|script|svg).*?<\/\1>/gs, '')
      .replace(/<[^>]*>/g, ' ')
      .replace(/\s+/g, ' ')
      .replace(/ \./g, '.');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The cells named from one text of the page on, in their order. */
function cellsAfter(page: string, heading: string): string[] {
  const start = page.indexOf(heading);
  expect(start, heading).toBeGreaterThan(-1);
  return [...page.slice(start).matchAll(/\bseed=\d+/g)].map(([cell]) => cell);
}

describe('the report of a study of more cells than it lists', () => {
  let page = '';
  beforeAll(async () => {
    page = await pageOf(260, 45);
  }, 600_000);

  it.each([
    ['cells', '200 of 260 cells are listed, failed ones first, then those with warnings; cells.csv has all.'],
    [
      'stages',
      'Stages of 40 of 260 finished cells are listed, failed ones first, then those with warnings; epochal artifacts sweep-0123456789 names the files of all.',
    ],
    [
      'machines',
      'These are the steps of 40 of 260 finished cells; epochal explain tells that of any artifact.',
    ],
    ['fits', '200 of 215 fits are listed; fits.csv has the 200 that were read.'],
    ['quantities', '2 of the 3 quantities of a fit are listed; fits.csv has all.'],
    ['failures, by kind', 'No fit of cell seed=216. fit, 45 cells each'],
    ['the last failure', 'No fit of cell seed=260. seed=260'],
    ['notes, by kind', 'train, 260 cells each'],
    ['the last note', 'Remark of cell seed=215. seed=215'],
    ['values of an axis', '… (20 of 260 values)'],
    ['the summary of the fits', 'mean and standard error of 200 of 260 cells'],
    ['the summary of the training', 'mean of 200 of 260 cells'],
    [
      'results',
      'From 200 of 215 fits, 200 of 260 trainings, evenly spread; a `collect` of them brings all here.',
    ],
    ['the data beside a figure', 'Data of 60 of 260 cells (CSV)'],
    ['drawn cells', '60 of 260 cells are drawn and in the data; the artifacts have the others.'],
    ['colours', '12 of 60 drawn cells have a colour and marks of their own; the others are grey.'],
  ])('says how many of how many: %s', (_what, words) => {
    expect(page).toContain(words);
  });

  it('has the cells that failed first in every list', () => {
    expect(cellsAfter(page, 'Remark of')[0]).toBe('seed=216');
    const table = cellsAfter(page, 'Cells and stages');
    expect(table.slice(0, 45)).toEqual(Array.from({ length: 45 }, (_, index) => `seed=${216 + index}`));
    expect(table[45]).toBe('seed=1');
    expect(table.slice(200, 240)).toEqual(table.slice(0, 40));
  });
});

it.each([
  [1.06, 1e-16, '1.06'],
  [1.06, 2e-13, '1.06'],
  [0, 2e-13, '(0.0 ± 2.0) × 10⁻¹³'],
  [0.37214, 0.0153, '0.372 ± 0.015'],
])('%d with the error %d is written %s', (value, error, text) => {
  expect(formatMeasured(value, error)).toBe(text);
});

it('a report that shows everything speaks of no more', async () => {
  const page = await pageOf(3, 0);
  expect(page).not.toMatch(/\d of (the )?\d+ (cells|fits|failures|notes|values|finished)/);
  expect(page).toContain('mean of 3 cells');
  expect(page).toContain('Data (CSV)');
}, 300_000);

it('a report says how many cells have what it shows', async () => {
  const page = await pageOf(4, 3);
  expect(page).toContain('1 of 4 cells has a fit: seed 1.');
  expect(page).toContain('1 of 4 drawn cells has a fit.');
}, 300_000);

describe('a figure that shows less than there is', () => {
  const draw = async (kind: string, cells: readonly CellTable[], more = {}) => {
    const from = { scope: 'cell', stage: 'x', output: 'y', kind: 'spectrum' } as const;
    const { length } = cells;
    const data = { scope: 'cell', cells, available: length, planned: length, ...more } as const;
    return (await renderFigure({ kind, from }, data)).caption.join(' ');
  };
  const spectrum = (changes: Record<string, Float64Array> = {}, more: Partial<CellTable> = {}) => {
    const columns = spectrumColumns(training(), 60);
    const theory = columns.noise_variance!.map((value) => value * 1.1);
    return cellTable(
      { ...columns, noise_variance_theory: theory, ...changes },
      { training: training(), ...more },
    );
  };

  it.each([
    'weight-variance',
    'velocity-variance',
    'correlation-time',
    'variance-spectrum',
    'noise-variance',
  ])('%s: directions that no logarithmic axis can show', async (kind) => {
    const { eigenvalue } = spectrum().columns;
    const some = eigenvalue!.with(58, -0.01).with(59, 0);
    expect(await draw(kind, [spectrum({ eigenvalue: some })])).toContain(
      '2 of 60 directions with a non-positive eigenvalue are left out.',
    );
  });

  it.each(['weight-variance', 'noise-variance'])('%s: too many directions', async (kind) => {
    const columns = spectrumColumns(training(), 6001);
    const many = cellTable(
      { ...columns, noise_variance_theory: columns.noise_variance! },
      { training: training() },
    );
    expect(await draw(kind, [many])).toContain(
      '3,001 of 6,001 directions are drawn, evenly spread; the data has all.',
    );
  });

  it('cells of a study that are not there yet', async () => {
    expect(await draw('training-curves', [cellTable(historyColumns())], { planned: 5 })).toContain(
      '1 of 5 cells has what is drawn here.',
    );
  });

  it('epochs of a training that diverged', async () => {
    const columns = historyColumns();
    const diverged = { ...columns, train_loss: columns.train_loss!.with(29, Number.NaN) };
    expect(await draw('training-curves', [cellTable(columns), cellTable(diverged)])).toContain(
      'Of 1 of 2 drawn cells epochs whose loss is not finite are left out.',
    );
  });

  it('a fit that some cells lack', async () => {
    const fit = parameters(training());
    expect(await draw('correlation-time', [spectrum({}, { fit }), spectrum()])).toContain(
      '1 of 2 drawn cells has a fit.',
    );
    expect(await draw('correlation-time', [spectrum(), spectrum()])).not.toContain('has a fit');
  });

  it('a line that belongs to one cell', async () => {
    expect(await draw('noise-variance', [spectrum({}, { label: 'seed 1' }), spectrum()])).toContain(
      'The line C ∝ H is that of 1 of 2 cells: seed 1.',
    );
  });
});

describe('the results of a study', () => {
  const between = (page: string, from: string, to: string) =>
    page.slice(page.indexOf(from), page.indexOf(to));

  it('of one cell do not repeat its fitted parameters', async () => {
    const page = await pageOf(1, 0);
    const results = between(page, ' Results ', ' Fitted parameters ');
    expect(results).toContain('test accuracy');
    expect(results).not.toMatch(/lambda_cross|tau_sgd|in brackets/i);
    expect(between(page, ' Fitted parameters ', ' Parameters ')).toMatch(/λ cross .* τ SGD \(steps\) /);
  });

  it('of several cells have their mean', async () => {
    const results = between(await pageOf(2, 0), ' Results ', ' Fitted parameters ');
    expect(results).toContain('lambda_cross');
  });
});
