import { countOf, plural } from '../../numbers.ts';
import { cellsSentence, coloursSentence, trainingParts } from '../drawing/caption.ts';
import { type CellTable, column } from '../drawing/data.ts';
import type { CellFigure } from '../drawing/definition.ts';
import type { LegendItem, Panel } from '../drawing/drawing.ts';
import { cellLegend, greyFirst } from '../drawing/spectrum-panel.ts';
import { cellColours, colours } from '../drawing/theme.ts';

const trainDash = [1, 0];
const testDash = [6, 4];

/** Loss (left) and accuracy (right) of training and test examples over the epochs (Fig. 26). */
export const figure: CellFigure = {
  name: 'training-curves',
  title: 'Loss and accuracy during training',
  shows: 'Loss and accuracy of the training and the test examples after each epoch.',
  of: 'train',
  from: 'history',
  byDefault: 3,
  scope: 'cell',
  draw: ({ cells }) => ({
    spec: { hconcat: [panel(cells, 'loss'), panel(cells, 'accuracy')] },
    legend: cells.length === 1 ? splitLegend(cells[0]!) : [...splitLegend(), ...cellLegend(cells, 'line')],
  }),
  caption: (data) => [
    'Loss, with its L2 term (left), and accuracy (right) after each epoch.',
    `${trainingParts(data.cells)
      .concat(plural(Math.max(...data.cells.map(({ rows }) => rows)), 'epoch'))
      .join(', ')}.`,
    ...(data.cells.some(({ training }) => training !== undefined) ? ['η is that of the last epoch.'] : []),
    ...diverged(data.cells),
    ...coloursSentence(data.cells),
    ...cellsSentence(data),
  ],
};

/** Says of how many cells a curve breaks off because the loss was no longer finite. */
function diverged(cells: readonly CellTable[]): string[] {
  const some = cells.filter((cell) => !column(cell, 'train_loss').every(Number.isFinite)).length;
  return some === 0
    ? []
    : [`Of ${countOf(some, cells.length, 'drawn cell')} epochs whose loss is not finite are left out.`];
}

function panel(cells: readonly CellTable[], quantity: 'loss' | 'accuracy'): Panel {
  const percent = quantity === 'accuracy';
  const values = cells.flatMap((cell, index) =>
    (['train', 'test'] as const).flatMap((split) => {
      const epochs = column(cell, 'epoch');
      return [...column(cell, `${split}_${quantity}`)]
        .map((value, row) => ({
          line: `${index} ${split}`,
          split,
          colour: curveColour(cells, index, split),
          epoch: epochs[row]!,
          value,
        }))
        .filter(({ value }) => Number.isFinite(value));
    }),
  );
  if (values.length === 0) throw new Error(`There is no finite ${quantity} in the history.`);
  return {
    width: 380,
    height: 300,
    view: { stroke: null },
    encoding: {
      x: {
        field: 'epoch',
        type: 'quantitative',
        scale: { nice: false, zero: false },
        axis: { title: 'epoch', grid: false, domain: true, tickMinStep: 1, tickCount: 8, format: 'd' },
      },
      y: {
        field: 'value',
        type: 'quantitative',
        scale: { zero: !percent, nice: true },
        axis: { title: quantity, tickCount: 6, ...(percent ? { format: '~%' } : {}) },
      },
    },
    layer: [
      {
        data: { values: greyFirst(values) },
        mark: { type: 'line', strokeWidth: 1.8, interpolate: 'linear' },
        encoding: {
          detail: { field: 'line', type: 'nominal' },
          color: { field: 'colour', type: 'nominal', scale: null },
          strokeDash: {
            field: 'split',
            type: 'nominal',
            scale: { domain: ['train', 'test'], range: [trainDash, testDash] },
            legend: null,
          },
        },
      },
    ],
  };
}

function curveColour(cells: readonly CellTable[], index: number, split: 'train' | 'test'): string {
  if (cells.length > 1) return cellColours[index] ?? colours.other.light;
  return split === 'train' ? colours.measured.light : colours.theory.light;
}

/** Colours tell train from test where there is one cell; dashes do so otherwise. */
function splitLegend(only?: CellTable): LegendItem[] {
  const train: LegendItem = {
    label: 'train',
    colour: only ? colours.measured.light : colours.muted.light,
    mark: 'line',
  };
  const test: LegendItem = {
    label: 'test',
    colour: only ? colours.theory.light : colours.muted.light,
    mark: 'dashes',
  };
  const hasTest = only === undefined || column(only, 'test_loss').some(Number.isFinite);
  return hasTest ? [train, test] : [train];
}
