import { expect, test } from 'vitest';
import { renderFigure } from '../../../report/figures/index.ts';
import { randomWalkComponents } from '../../../science/pca/random-walk.ts';
import { cellTable, spectrumColumns, training } from './synthetic.ts';

const planned = {
  kind: 'principal-components',
  from: { scope: 'cell', stage: 'pca', output: 'spectrum', kind: 'spectrum' },
} as const;

test('variances of the components stand beside those of a random walk', async () => {
  const context = training();
  const walk = randomWalkComponents(60, 100, 'linear').map(({ share }) => share);
  const columns = {
    ...spectrumColumns(context),
    variance_share: Float64Array.from(walk, (share) => 0.9 * share),
    random_walk_share: Float64Array.from(walk),
    sinusoid_share: Float64Array.from(walk, (_, k) => 0.9 / (1 + k / 10)),
  };
  const analysis = { drift: 'linear', blocks: 10, steps: 3200 } as const;
  const cells = [cellTable(columns, { training: context, analysis })];
  const figure = await renderFigure(planned, { scope: 'cell', cells, available: 1, planned: 1 });
  const total = 90 * walk.reduce((sum, share) => sum + share, 0);
  expect(figure.caption.join(' ')).toContain(
    `All components together hold ${total.toFixed(1)} % of the variance`,
  );
  expect(figure.caption.join(' ')).toContain('k = 60 directions, 3200 recorded steps');
  expect(figure.svg.match(/aria-roledescription|path/g)!.length).toBeGreaterThan(120);
  expect(figure.csv.split('\r\n')[0]).toContain('random_walk_share');
});

test('a spectrum that is no pca says which columns it lacks', async () => {
  const cells = [cellTable(spectrumColumns(training()))];
  await expect(renderFigure(planned, { scope: 'cell', cells, available: 1, planned: 1 })).rejects.toThrow(
    'no column variance_share',
  );
});
