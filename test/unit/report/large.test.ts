/** A report of 10,000 cells: bounded in size and in what is read, and no cut without its words. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { evenly } from '../../../report/evenly.ts';
import { writeReport } from '../../../report/write-report.ts';
import { countReads, type Reads } from '../../fixtures/counted-store.ts';
import { someTroubles, sweepPipeline, writeLargeStudy } from '../../fixtures/large-study.ts';
import { storeOfThisFile } from '../../fixtures/store-of-this-file.ts';

const cells = 10_000;
const store = await storeOfThisFile();
const folder = join(fileURLToPath(store.uri), 'report');

let studyId: string;
let reads: Reads;
let page: string;
/** Without its tags. */
let text: string;
beforeAll(async () => {
  studyId = await writeLargeStudy(store, sweepPipeline(cells, 1), someTroubles(cells));
  reads = countReads(store);
  const { html } = await writeReport({ store: reads.store, studyId, outDirectory: folder });
  page = readFileSync(html, 'utf8');
  text = page
    .replace(/<(style|script|svg).*?<\/\1>/gs, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .replace(/ ([.;])/g, '$1');
});

describe('the report of 10,000 cells', () => {
  it('is as small as a browser opens at once', () => {
    expect(page.length).toBeLessThan(4_000_000);
    expect(page.match(/<[a-z]/g)!.length).toBeLessThan(30_000);
    for (const name of readdirSync(join(folder, 'figures')))
      expect(statSync(join(folder, 'figures', name)).size, name).toBeLessThan(2_500_000);
  });

  it('has a drawing of thousands of marks as a picture', () => {
    expect(page).toContain('<img alt="Collected results against the axes of the study"');
    expect(page.match(/<svg/g)).toHaveLength(3);
    expect(readFileSync(join(folder, 'figures', '1-collection.svg'), 'utf8')).toContain('<svg');
  });

  it('reads each record once, and steps and artifacts of those cells only that it shows', () => {
    const records = ['plan.json', 'result.json', 'left-out.json'].map((name) => `studies/${studyId}/${name}`);
    expect(reads.texts.size).toBe(cells + records.length);
    expect(Math.max(...reads.texts.values())).toBe(1);
    expect(Math.max(...reads.steps.values())).toBe(1);
    expect(reads.steps.size).toBeLessThan(40 * 5 + 2);
    const opened = [...reads.artifacts.values()].reduce((sum, times) => sum + times, 0);
    // 200 trainings; the fits and the sweep from one table; 60 cells in each of three figures, one of them with their fits.
    expect(opened).toBeLessThanOrEqual(200 + 2 + 4 * 60);
  });

  it.each([
    [
      'cells',
      '200 of 10,000 cells are listed, failed ones first, then those with warnings; cells.csv has all.',
    ],
    [
      'stages',
      'Stages of 40 of 10,000 finished cells are listed, failed ones first, then those with warnings;',
    ],
    [
      'machines',
      'These are the steps of 40 of 10,000 finished cells; epochal explain tells that of any artifact.',
    ],
    ['rows of results', '1,000 of 9,804 rows are listed; results.csv has all.'],
    ['trainings', 'From 200 of 10,000 trainings, evenly spread; a `collect` of them brings all here.'],
    ['fits', '200 of 9,800 fits are listed, those farthest from the theory first; fits.csv has all.'],
    ['the summary of all fits', 'mean and standard error of 9,800 of 10,000 cells'],
    ['failures of one kind', 'Nothing can be made of cell 4000. Try another. fit, 100 cells'],
    ['failures in the same words', 'Nothing can be made. Try another. fit, 100 cells'],
    ['warnings', 'The loss is NaN from step 6000 on. quadratic, 300 cells'],
    ['notes', '1,000 of 10,000 places are listed; notes.csv has all.'],
    ['settings of the collect', '… 50 of 9,800 items; epochal explain with --json has all'],
    ['values of an axis', '… (20 of 100 values)'],
    [
      'points of a figure',
      '600 of 9,800 cells are drawn as points, evenly spread and without their errors; the bars',
    ],
    ['cells of a figure', '60 of 10,000 cells are drawn and in the data; the artifacts have the others.'],
    ['colours', '12 of 60 drawn cells have a colour and marks of their own; the others are grey.'],
    ['whole tables', 'whole tables cells.csv notes.csv results.csv fits.csv'],
  ])('says how many of how many, and where the rest is: %s', (_what, words) => {
    expect(text).toContain(words);
  });

  it('has what failed first, then what has warnings', () => {
    const places = ['200 failed, 300 with warnings', ' Failures ', ' Warnings ', ' Notes ', ' Figures '];
    const found = places.map((words) => text.indexOf(words));
    expect(found).toEqual(found.toSorted((a, b) => a - b));
    expect(found[0]).toBeGreaterThan(-1);
  });

  it('lies beside tables that have every cell, note, result and fit', () => {
    const rows = (name: string) => readFileSync(join(folder, name), 'utf8').trimEnd().split('\r\n');
    const [heading, ...all] = rows('cells.csv');
    expect(heading).toMatch(/^cell,batchSize,.*,status,failed_stage,message,cure,.*,warnings$/);
    expect(all).toHaveLength(cells);
    const warned = (row: string) => !row.endsWith(',0');
    expect(all.findLastIndex((row) => row.includes(',failed,fit,Nothing can be made'))).toBe(199);
    expect(all.slice(200, 500).every(warned)).toBe(true);
    expect(all.slice(500).some(warned)).toBe(false);
    // Of the failed cells, whose trainings are some of those that were read, too.
    expect(rows('results.csv')).toHaveLength(1 + 9_804);
    expect(rows('fits.csv')).toHaveLength(1 + 9_800);
    // Each of five stages has one, but for the last of those that failed; and the warnings.
    expect(rows('notes.csv')).toHaveLength(1 + 5 * cells - 200 + 300);
  });

  it('names twelve cells in a legend, from all over the study', () => {
    const labels = page.match(/batchSize \d+, learningRate [\d.]+, momentum [\d.]+, seed \d+(?=<\/text>)/g)!;
    expect(new Set(labels).size).toBe(12);
    for (const value of [20, 25, 50, 100].map((size) => `batchSize ${size},`))
      expect(labels.some((label) => label.startsWith(value))).toBe(true);
  });
});

it('some of many are from all over, whatever returns among them at regular distances', () => {
  const items = Array.from({ length: 10_000 }, (_, index) => index);
  const some = evenly(items, 200);
  expect(new Set(some).size).toBe(200);
  expect(some.every((item, index) => Math.floor(item / 50) === index)).toBe(true);
  for (const period of [2, 5, 10, 25, 50])
    expect(new Set(some.map((item) => item % period)).size).toBe(period);
  expect(evenly(items, 20_000)).toBe(items);
});
