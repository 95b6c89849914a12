import { countOf, formatSignificant } from '../../numbers.ts';
import { spectrumSentences } from '../drawing/caption.ts';
import { type CellTable, type CellTables, column } from '../drawing/data.ts';
import type { CellFigure } from '../drawing/definition.ts';
import type { LegendItem, Panel } from '../drawing/drawing.ts';
import { logChannel, logScale } from '../drawing/log-scale.ts';
import { cellLegend } from '../drawing/spectrum-panel.ts';
import { lineColour, pointColour } from '../drawing/spectrum-series.ts';
import { colours } from '../drawing/theme.ts';

/** The finite-size artefacts of principal component analysis: variances against rank, and how sinusoidal the components' courses are. */
export const figure: CellFigure = {
  name: 'principal-components',
  title: 'Principal components of the recorded weights',
  shows:
    'Share of the variance in each component of a `pca`, and how sinusoidal its course is, beside those of a free random walk.',
  of: 'pca',
  from: 'spectrum',
  scope: 'cell',
  draw: ({ cells: all }) => {
    const cells = distinct(all);
    return { spec: { hconcat: [variancePanel(cells), sinusoidPanel(cells)] }, legend: legend(cells) };
  },
  caption: (data) => {
    const cells = distinct(data.cells);
    const same = data.cells.length - cells.length;
    return [
      ...captionOf({ ...data, cells, available: data.available - same }),
      ...(same > 0
        ? [
            `${countOf(cells.length, data.cells.length, 'cell')} ${cells.length === 1 ? 'is' : 'are'} drawn: the others have the same components.`,
          ]
        : []),
    ];
  },
};

/** Cells that analyze one and the same trajectory in different ways have the same components: they are drawn once. */
function distinct(cells: readonly CellTable[]): readonly CellTable[] {
  const byContent = new Map(cells.map((cell) => [column(cell, 'variance_share').join(), cell]));
  return [...byContent.values()];
}

function captionOf(data: CellTables): string[] {
  return [
    'Left: share of the variance of all weights in each principal component. Right: share of a component’s course in time that is one sinusoid, that of a random walk’s component of the same rank.',
    'A free random walk of many dimensions has variances that fall like 1/k² and courses that are sinusoids, whatever it did (Antognini and Sohl-Dickstein 2018): what follows the line says nothing about the network.',
    ...(data.cells.length === 1
      ? [
          `All components together hold ${formatSignificant(100 * sum(data.cells[0]!, 'variance_share'))} % of the variance; of the first, ${formatSignificant(100 * column(data.cells[0]!, 'sinusoid_share')[0]!)} % is a sinusoid, in the median ${formatSignificant(100 * median(data.cells[0]!, 'sinusoid_share'))} %.`,
        ]
      : []),
    ...spectrumSentences(data, []),
  ];
}

function variancePanel(cells: readonly CellTable[]): Panel {
  const measured = rankedPoints(cells, 'variance_share', pointColour);
  const walk = rankedPoints(cells, 'random_walk_share', lineColour);
  const x = logScale(measured.map(({ rank }) => rank));
  const y = logScale([...measured, ...walk].map(({ value }) => value));
  return {
    width: 380,
    height: 320,
    encoding: {
      x: { field: 'rank', type: 'quantitative', ...logChannel(x, 'rank k of the component', 380) },
      y: { field: 'value', type: 'quantitative', ...logChannel(y, 'share of the total variance', 320) },
    },
    layer: [
      {
        data: { values: walk },
        mark: { type: 'line', strokeWidth: 1.6, interpolate: 'linear' },
        encoding: { detail: { field: 'cell', type: 'nominal' }, color: ownColour },
      },
      {
        data: { values: measured },
        mark: { type: 'point', filled: true, shape: 'circle', size: 30, opacity: 0.85 },
        encoding: { color: ownColour },
      },
    ],
  };
}

function sinusoidPanel(cells: readonly CellTable[]): Panel {
  const values = rankedPoints(cells, 'sinusoid_share', pointColour);
  const x = logScale(values.map(({ rank }) => rank));
  return {
    width: 380,
    height: 320,
    encoding: {
      x: { field: 'rank', type: 'quantitative', ...logChannel(x, 'rank k of the component', 380) },
      y: {
        field: 'value',
        type: 'quantitative',
        scale: { domain: [0, 1] },
        axis: { title: 'share explained by a sinusoid', tickCount: 6 },
      },
    },
    layer: [
      {
        data: { values },
        mark: { type: 'point', filled: true, shape: 'circle', size: 30, opacity: 0.85 },
        encoding: { color: ownColour },
      },
    ],
  };
}

const ownColour = { field: 'colour', type: 'nominal', scale: null } as const;

function rankedPoints(
  cells: readonly CellTable[],
  name: string,
  colourOf: (cells: readonly CellTable[], index: number) => string,
) {
  return cells.flatMap((cell, index) =>
    [...column(cell, name)].map((value, row) => ({
      cell: index,
      colour: colourOf(cells, index),
      rank: row + 1,
      value,
    })),
  );
}

function legend(cells: readonly CellTable[]): LegendItem[] {
  const single = cells.length === 1;
  return [
    { label: 'measured', colour: single ? colours.measured.light : colours.muted.light, mark: 'point' },
    {
      label: 'free random walk, 1/k² for large k',
      colour: single ? colours.theory.light : colours.muted.light,
      mark: 'line',
    },
    ...(single ? [] : cellLegend(cells)),
  ];
}

function sum(cell: CellTable, name: string): number {
  return column(cell, name).reduce((total, value) => total + value, 0);
}

function median(cell: CellTable, name: string): number {
  const sorted = column(cell, name).toSorted();
  return sorted[sorted.length >> 1]!;
}
