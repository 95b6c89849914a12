import { expect, test } from 'vitest';
import type { Collection } from '../../../report/figures/drawing/data.ts';
import { renderFigure } from '../../../report/figures/index.ts';
import { figure as collection } from '../../../report/figures/kinds/collection.ts';
import { parameters, training } from './synthetic.ts';

const planned = {
  kind: 'collection',
  from: { scope: 'study', stage: 'sweep', output: 'table', kind: 'collection' },
} as const;

function fits(cells: readonly (readonly [batchSize: number, learningRate: number])[]): Collection {
  const rows = cells.map(([batchSize, learningRate], index) => ({
    batchSize,
    learningRate,
    cell: String(index),
    ...parameters(training({ batchSize, learningRate, batchesPerEpoch: 2000 / batchSize })),
  }));
  return { scope: 'study', axes: ['batchSize', 'learningRate'], seeds: [], rows, planned: rows.length };
}

/** How many fitted points each panel holds, row by row. */
function pointsIn(data: Collection): number[] {
  const { vconcat } = collection.draw(data).spec as unknown as {
    vconcat: { hconcat: { layer: { mark: { type: string }; data: { values: unknown[] } }[] }[] }[];
  };
  return vconcat
    .flatMap(({ hconcat }) => hconcat)
    .map(({ layer }) => layer.find(({ mark }) => mark.type === 'point')!.data.values.length);
}

test('cells that vary one axis at a time about a base are drawn against their own axis, base included', () => {
  const oneAtATime = fits([
    [50, 0.02],
    [25, 0.02],
    [100, 0.02],
    [50, 0.01],
  ]);
  expect(pointsIn(oneAtATime)).toEqual([3, 2, 3, 2]);
});

test('a caption says how many cells are drawn against each axis, and are in the table at all', () => {
  const data = fits([
    [50, 0.02],
    [25, 0.02],
    [100, 0.02],
    [50, 0.01],
  ]);
  const rows = data.rows.map((row, index) => (index === 3 ? { ...row, tau_sgd: Number.NaN } : row));
  const caption = collection.caption({ ...data, rows, planned: 9 }).join(' ');
  expect(caption).toContain('of 4 of 9 cells, with standard errors');
  expect(caption).toContain('Drawn are 3 of 4 cells against batchSize, 2 of 4 cells against learningRate:');
  expect(caption).toContain('1 of 4 cells without a fit is left out.');
});

test('a full grid is drawn whole against each axis', () => {
  const grid = fits([
    [25, 0.01],
    [50, 0.01],
    [25, 0.02],
    [50, 0.02],
  ]);
  expect(pointsIn(grid)).toEqual([4, 4, 4, 4]);
});

test('evaluations are drawn without a theory', async () => {
  const rows = [0.9, 0.92].map((accuracy, index) => ({
    epochs: 10 * (index + 1),
    cell: String(index),
    loss: 0.3,
    accuracy,
    examples: 2000,
  }));
  const figure = await renderFigure(planned, {
    scope: 'study',
    axes: ['epochs'],
    seeds: [],
    rows,
    planned: rows.length,
  });
  expect(figure.svg).toContain('accuracy');
  expect(figure.svg).not.toContain('theory');
  expect(figure.caption).toEqual(['Results of 2 cells against epochs.']);
});

test('a table with nothing to draw says what it lacks', async () => {
  const rows = [{ epochs: 1, cell: 'a' }];
  await expect(
    renderFigure(planned, { scope: 'study', axes: ['epochs'], seeds: [], rows, planned: rows.length }),
  ).rejects.toThrow('No cell has a finite λ_cross, accuracy or loss');
});
