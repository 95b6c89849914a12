import { expect, test } from 'vitest';
import type { LayersContext } from '../../../artifacts/arrow/measurement-contexts.ts';
import type { CellTable } from '../../../report/figures/drawing/data.ts';
import { renderFigure } from '../../../report/figures/index.ts';
import { cellTable, training } from './synthetic.ts';

const layer = (name: string, exponent: number | null): LayersContext['layers'][number] => ({
  ...{ name, weights: 30, exponent, standardError: 0.05, directions: 4 },
  ...{ eigenvalue: 1, variance: 2, cosine: 0.9, commutator: 0.1 },
});

/** Two layers of four directions each, one of them with a negative eigenvalue. */
function layersCell(label = 'main'): CellTable {
  const eigenvalue = Float64Array.of(8, 4, 2, 1, 3, 2, 1, -1);
  const columns = {
    layer: Float64Array.of(0, 0, 0, 0, 1, 1, 1, 1),
    index: Float64Array.of(0, 1, 2, 3, 0, 1, 2, 3),
    ...{ eigenvalue, residual: eigenvalue.map(() => 1e-4) },
    noise_variance: eigenvalue.map((lambda) => 2 * Math.abs(lambda) ** 1.5),
    noise_variance_standard_error: eigenvalue.map(() => 0.1),
  };
  const layers = [layer('dense1', 1.5), layer('dense2', null)];
  const context = { examples: 500, top: 4, tolerance: 1e-3, layers };
  return { ...cellTable(columns, { label, training: training() }), layers: context };
}

const draw = (cells: readonly CellTable[]) =>
  renderFigure(
    { kind: 'noise-by-layer', from: { scope: 'cell', stage: 'x', output: 'y', kind: 'layer-spectrum' } },
    { scope: 'cell', cells, available: cells.length, planned: cells.length },
  );
const pathsOf = (svg: string, colour: string) =>
  [...svg.matchAll(/<path[^>]*>/g)].map(([path]) => path).filter((path) => path.includes(colour));

test('each layer has its colour, its power law and its exponent, if there is one', async () => {
  const { svg, caption } = await draw([layersCell()]);
  const marks = (colour: string, command: string) =>
    pathsOf(svg, colour).filter((path) => path.includes(command)).length;
  expect([marks('#3f78d8', 'A'), marks('#e0701b', 'A')]).toEqual([4, 3]);
  expect([marks('#3f78d8', 'L'), marks('#e0701b', 'L')]).toEqual([1, 0]);
  expect(svg).toContain('dense1, γ = 1.500 ± 0.050');
  const text = caption.join(' ');
  expect(text).toContain('dense1: γ = 1.500 ± 0.050; dense2: no fit (1 if C ∝ H).');
  expect(text).toContain('500 examples in C and H');
  expect(text).toContain('1 of 8 directions that logarithmic axes cannot show is left out.');
});

test('several cells have a panel each, and their exponents in the caption', async () => {
  const { svg, caption } = await draw([layersCell('one'), layersCell('two')]);
  expect(svg).not.toContain('γ');
  expect(caption.join(' ')).toMatch(/one: dense1: γ = 1\.500.* two: dense1: γ = 1\.500/);
});
