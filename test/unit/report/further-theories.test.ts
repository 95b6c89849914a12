/** Lines of the theory beside its first one: drawn and named where they say something else. */
import { expect, test } from 'vitest';
import { spectrumLegend } from '../../../report/figures/drawing/spectrum-panel.ts';
import { furtherLines, furtherTheories } from '../../../report/figures/drawing/spectrum-series.ts';
import { cellTable, spectrumColumns, training } from './synthetic.ts';

const quantity = {
  column: 'correlation_time',
  name: 'correlation time',
  axisTitle: 'τ',
  theoryLabel: 'theory',
};

function withTheories(window: number, leftover: number) {
  const columns = spectrumColumns(training());
  const times = (factor: number) => columns.correlation_time_theory!.map((time) => time * factor);
  return cellTable({
    ...columns,
    correlation_time_theory_window: times(window),
    correlation_time_theory_leftover: times(leftover),
  });
}

const labels = (cell: ReturnType<typeof withTheories>) =>
  spectrumLegend([cell], [quantity]).map(({ label, mark }) => [mark, label]);

test.each([
  [1, 1, []],
  [0.99, 0.98, []],
  [0.9, 0.9, [['dots', 'theory, recorded window']]],
  [1, 1.1, [['dotdash', 'theory with the noise left over an epoch']]],
  [
    0.9,
    1,
    [
      ['dots', 'theory, recorded window'],
      ['dotdash', 'theory with the noise left over an epoch'],
    ],
  ],
])('window x %d and leftover x %d: %j', (window, leftover, expected) => {
  const cell = withTheories(window, leftover);
  expect(labels(cell).slice(2)).toEqual(expected);
  const drawn = furtherTheories.filter((theory) => furtherLines([cell], quantity, theory).length > 0);
  expect(drawn.map(({ mark }) => mark)).toEqual(expected.map(([mark]) => mark));
});

test('a spectrum of an older version has neither', () => {
  expect(labels(cellTable(spectrumColumns(training())))).toHaveLength(2);
});
