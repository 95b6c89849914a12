import { expect, test } from 'vitest';
import type { CellTable } from '../../../report/figures/drawing/data.ts';
import { cellColours } from '../../../report/figures/drawing/theme.ts';
import { renderFigure } from '../../../report/figures/index.ts';
import type { Sampling } from '../../../science/sampling.ts';
import { weightStructureFunction } from '../../../science/theory/autocovariance.ts';
import { cellTable, training } from './synthetic.ts';

const lags = [1, 2, 4, 8, 16, 40, 80, 160, 320];

/** Seven directions, of which the last does not relax; measured is theory times 1.1. */
function cell(sampling: Sampling, label: string): CellTable {
  const of = training({ sampling });
  const eigenvalues = [10, 3, 1, 0.3, 0.1, 0.03, 1e-6];
  const rows = eigenvalues.flatMap((eigenvalue, index) => {
    const structure = weightStructureFunction({ ...of, eigenvalue }, 320);
    return lags.map((lag) => ({ index, eigenvalue, lag, theory: 2 * structure[lag]! }));
  });
  const column = (value: (row: (typeof rows)[number]) => number) => Float64Array.from(rows, value);
  const columns = {
    index: column(({ index }) => index),
    eigenvalue: column(({ eigenvalue }) => eigenvalue),
    lag: column(({ lag }) => lag),
    theory: column(({ theory }) => theory),
    measured: column(({ theory, lag }) => theory * (lag === 1 ? 1 : 1.1)),
    standard_error: column(({ theory }) => 0.1 * theory),
    verdict: column(({ index }) => (index < 4 ? 1 : index < 6 ? 0 : -1)),
  };
  return cellTable(columns, { label, training: of });
}

const draw = (cells: readonly CellTable[]) =>
  renderFigure(
    { kind: 'displacement', from: { scope: 'cell', stage: 'x', output: 'y', kind: 'displacement' } },
    { scope: 'cell', cells, available: cells.length, planned: cells.length },
  );

test('displacement: five of the directions, each with its line, and how many are stationary', async () => {
  const { svg, png, caption } = await draw([cell('with-replacement', 'main')]);
  for (const name of ['λ = 10', 'λ = 1', 'λ = 0.03', 'measured', 'theory', 'lag h (steps)'])
    expect(svg.replaceAll(/<[^>]*>/g, '')).toContain(name);
  // A line with a point for each lag, of each of the five.
  for (const colour of cellColours.slice(0, 5)) {
    const lines = [...svg.matchAll(/<path[^>]*>/g)].filter(([path]) => path.includes(`stroke="${colour}"`));
    expect(lines.map(([path]) => path.split('L').length)).toContain(lags.length);
  }
  expect(svg).not.toContain(cellColours[5]);
  expect(png.length).toBeGreaterThan(5000);
  const text = caption.join(' ');
  expect(text).toContain(
    '4 of 7 directions are stationary within the window, 1 diffuse, of 2 it cannot be told',
  );
  expect(text).toContain('5 of 7 directions are drawn');
  expect(text).toContain('M = 40');
});

test('displacement: a panel a cell', async () => {
  const { svg } = await draw([cell('with-replacement', 'draws'), cell('without-replacement', 'orders')]);
  expect(svg).toContain('draws');
  expect(svg).toContain('orders');
});
