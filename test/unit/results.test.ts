import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openStore } from '../../artifacts/store/open-store.ts';
import { verifyStudy } from '../../cli/checks/verify.ts';
import { withHeadline } from '../../docs/results-headline.ts';
import { keptFolder, keptNames, resultsPage } from '../../docs/results-page.ts';

const folder = join(import.meta.dirname, '..', '..', 'docs', 'results');
const names = await keptNames(folder);

test('README and the page have the studies that they tell of', () => {
  expect(names).toEqual(expect.arrayContaining(['fig17-19-lenet-cpu', 'quickstart']));
});

test.each(names)('what is kept of %s is whole', async (name) => {
  const store = await openStore(keptFolder(folder, name));
  const studies = await store.listFolder('studies');
  expect(studies).toHaveLength(1);
  const { checks, unknown } = await verifyStudy(store, studies[0]!);
  expect(checks.length).toBeGreaterThan(0);
  expect(checks.filter(({ ok }) => !ok)).toEqual([]);
  expect(unknown).toEqual([]);
});

test('the page of results is what the kept studies say', async () => {
  const { markdown, pictures } = await resultsPage(folder);
  expect(readFileSync(join(folder, 'README.md'), 'utf8')).toBe(markdown);
  for (const { file } of pictures) readFileSync(join(folder, file));
});

test('README tells what the kept studies say', async () => {
  const readme = readFileSync(join(folder, '..', '..', 'README.md'), 'utf8');
  expect(await withHeadline(readme, folder)).toBe(readme);
});
