import { expect, test } from 'vitest';
import type { CellTable } from '../../../report/figures/drawing/data.ts';
import { renderFigure } from '../../../report/figures/index.ts';
import { cellTable, training } from './synthetic.ts';

function curvatureCell(momentum: number, label = 'main'): CellTable {
  const epoch = Float64Array.from({ length: 5 }, (_, row) => 4 * row);
  const same = (value: number) => epoch.map(() => value);
  const columns = {
    ...{ epoch, step: epoch.map((e) => 40 * e), batches: same(40), learning_rate: same(0.1) },
    ...{ eigenvalue_0: same(15), eigenvalue_1: Float64Array.of(9, 8, 7, -1, Number.NaN) },
    ...{ batch_sharpness: epoch.map((e) => 2 + e / 2), batch_sharpness_standard_error: same(0.5) },
    ...{ threshold_small_batch: same(20 * (1 - momentum)), threshold_full_batch: same(20 * (1 + momentum)) },
  };
  return cellTable(columns, { label, training: training({ momentum, learningRate: 0.1 }) });
}

const draw = (cells: readonly CellTable[]) =>
  renderFigure(
    { kind: 'sharpness', from: { scope: 'cell', stage: 'x', output: 'y', kind: 'curvature' } },
    { scope: 'cell', cells, available: cells.length, planned: cells.length },
  );
const pathsOf = (svg: string, colour: string) =>
  [...svg.matchAll(/<path[^>]*>/g)].map(([path]) => path).filter((path) => path.includes(colour));

test('has each state with its error bar, both thresholds, and says how far the last state is from them', async () => {
  const { svg, caption } = await draw([curvatureCell(0.8)]);
  const circles = pathsOf(svg, '#2c6bd6').filter((path) => path.includes('A'));
  expect(circles).toHaveLength(5);
  expect(svg.match(/<line[^>]*stroke="#2c6bd6"/g)).toHaveLength(5);
  // A line for each threshold; in the legend too.
  expect(pathsOf(svg, '#d4500f').filter((path) => path.includes('L'))).toHaveLength(2 + 2);
  const text = caption.join(' ');
  expect(text).toContain(
    'After epoch 16 the batch sharpness is 2.5 ± 0.1 of 2(1−β)/η and 0.278 ± 0.01 of 2(1+β)/η.',
  );
  expect(text).toContain('over 40 batches');
  expect(text).toContain('2 of 25 values that a logarithmic axis cannot show are left out.');
});

test('without momentum there is one threshold to be told of; several cells have a panel each', async () => {
  const { caption } = await draw([curvatureCell(0)]);
  expect(caption.join(' ')).toContain('After epoch 16 the batch sharpness is 0.5 ± 0.03 of 2/η.');
  const several = await draw([curvatureCell(0, 'plain'), curvatureCell(0.8, 'heavy')]);
  expect(several.svg).toContain('plain');
  expect(several.svg).toContain('heavy');
  expect(several.caption.join(' ')).not.toContain('After epoch');
});
