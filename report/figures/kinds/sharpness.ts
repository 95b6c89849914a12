import { countOf, formatSignificant } from '../../numbers.ts';
import { cellsSentence, span, trainingParts } from '../drawing/caption.ts';
import { type CellTable, column } from '../drawing/data.ts';
import type { CellFigure } from '../drawing/definition.ts';
import type { Layer, LegendItem, Panel } from '../drawing/drawing.ts';
import { isPlottable, type LogScale, logChannel, logScale } from '../drawing/log-scale.ts';
import { colours } from '../drawing/theme.ts';

/** Cells with a panel of their own. */
const maximumPanels = 4;

/** What SGD bears, by column. */
const thresholds = [
  { name: 'threshold_small_batch', label: '2(1−β)/η', mark: 'dashes', dash: [7, 4] },
  { name: 'threshold_full_batch', label: '2(1+β)/η', mark: 'dots', dash: [1.5, 2.5] },
] as const;

/** Batch sharpness and the largest eigenvalues of the Hessian against the epoch, with the curvature that SGD bears. */
export const figure: CellFigure = {
  name: 'sharpness',
  title: 'Sharpness along the training',
  shows:
    'The batch sharpness with its standard error and the largest Hessian eigenvalues at each state that a training kept, and the thresholds 2(1−β)/η and 2(1+β)/η; a panel for each of up to four cells.',
  of: 'curvature',
  from: 'curvature',
  byDefault: 6,
  scope: 'cell',
  draw: ({ cells }) => {
    const drawn = cells.slice(0, maximumPanels);
    const y = logScale(drawn.flatMap(valuesOf));
    const panels = drawn.map((cell, index) => panel(cell, index === drawn.length - 1, drawn.length, y));
    return { spec: panels.length === 1 ? panels[0]! : { vconcat: panels }, legend: legend(drawn) };
  },
  caption: (data) => [
    `Batch sharpness: the mean of g_BᵀH_B g_B/|g_B|² over ${span(data.cells.flatMap((cell) => [...column(cell, 'batches')]))} batches, with standard errors, where g_B and H_B are gradient and Hessian of a batch’s loss. λ₀ is the largest eigenvalue of the Hessian of the full loss.`,
    'Thresholds, of the η of each epoch: SGD holds the batch sharpness at 2/η without momentum, at 2(1−β)/η with it at small batches; gradient descent on the full loss is unstable above 2(1+β)/η.',
    `${trainingParts(data.cells).join(', ')}; η is that of the last epoch.`,
    ...lastRatios(data.cells),
    ...omitted(data.cells),
    ...cellsSentence(data, Math.min(data.cells.length, maximumPanels)),
  ],
};

interface Point {
  readonly epoch: number;
  readonly value: number;
}

/** The points of a column that a logarithmic axis can show. */
function points(cell: CellTable, name: string): Point[] {
  const epochs = column(cell, 'epoch');
  return [...column(cell, name)]
    .map((value, row) => ({ epoch: epochs[row]!, value }))
    .filter(({ value }) => isPlottable(value));
}

function eigenvalueColumns(cell: CellTable): string[] {
  return Object.keys(cell.columns).filter((name) => /^eigenvalue_\d+$/.test(name));
}

function drawnColumns(cell: CellTable): string[] {
  return ['batch_sharpness', ...eigenvalueColumns(cell), ...thresholds.map(({ name }) => name)];
}

function valuesOf(cell: CellTable): number[] {
  return drawnColumns(cell).flatMap((name) => points(cell, name).map(({ value }) => value));
}

function hasMomentum({ training }: CellTable): boolean {
  return (training?.momentum ?? 0) > 0;
}

function panel(cell: CellTable, last: boolean, panels: number, y: LogScale): Panel {
  const height = panels === 1 ? 360 : 200;
  const title = cell.label === cell.cellId ? {} : { title: cell.label };
  const [largest, ...others] = eigenvalueColumns(cell);
  const bars = errorBars(cell, y);
  return {
    ...{ width: 640, height, ...title, view: { stroke: null } },
    encoding: {
      x: {
        field: 'epoch',
        type: 'quantitative',
        scale: { nice: false, zero: false, padding: 8 },
        axis: {
          ...{ title: last ? 'epoch' : null, grid: false, domain: true },
          ...{ tickMinStep: 1, tickCount: 8, format: 'd' },
        },
      },
      y: { field: 'value', type: 'quantitative', ...logChannel(y, 'curvature', height) },
    },
    layer: [
      ...thresholds.map(({ name, dash }) => line(points(cell, name), colours.theory.light, [...dash])),
      ...others.map((name) => line(points(cell, name), colours.other.light)),
      line(points(cell, largest!), colours.fit.light),
      dots(points(cell, largest!), colours.fit.light),
      line(points(cell, 'batch_sharpness'), colours.measured.light),
      bars,
      dots(points(cell, 'batch_sharpness'), colours.measured.light),
    ],
  };
}

function line(values: readonly Point[], color: string, strokeDash: number[] = []): Layer {
  return {
    data: { values: [...values] },
    mark: { type: 'line', clip: true, strokeWidth: 1.6, interpolate: 'linear', color, strokeDash },
  };
}

function dots(values: readonly Point[], color: string): Layer {
  return {
    data: { values: [...values] },
    mark: { type: 'point', filled: true, shape: 'circle', size: 30, opacity: 0.9, color },
  };
}

function errorBars(cell: CellTable, { domain }: LogScale): Layer {
  const epochs = column(cell, 'epoch');
  const errors = column(cell, 'batch_sharpness_standard_error');
  const bars = [...column(cell, 'batch_sharpness')].flatMap((value, row) => {
    const error = errors[row]!;
    if (!isPlottable(value) || !(error > 0)) return [];
    // A lower end at or below zero lies infinitely far down: the bar leaves through the frame.
    const low = Math.max(value - error, domain[0]);
    return [{ epoch: epochs[row]!, value: low, high: Math.min(value + error, domain[1]) }];
  });
  return {
    data: { values: bars },
    mark: { type: 'rule', clip: true, strokeWidth: 1.2, opacity: 0.7, color: colours.measured.light },
    encoding: { y2: { field: 'high' } },
  };
}

function legend(cells: readonly CellTable[]): LegendItem[] {
  const more = Math.max(...cells.map((cell) => eigenvalueColumns(cell).length)) - 1;
  return [
    { label: 'batch sharpness', colour: colours.measured.light, mark: 'point' },
    { label: 'λ_{0} of the Hessian', colour: colours.fit.light, mark: 'line' },
    ...(more > 0
      ? [
          {
            label: more === 1 ? 'λ_{1}' : `λ_{1} … λ_{${more}}`,
            colour: colours.other.light,
            mark: 'line' as const,
          },
        ]
      : []),
    ...thresholds.map(({ label, mark }) => ({ label, mark, colour: colours.theory.light })),
  ];
}

/** How far the last state is from both thresholds, of a single cell. */
function lastRatios(cells: readonly CellTable[]): string[] {
  const [cell, second] = cells;
  if (cell === undefined || second !== undefined || cell.rows === 0) return [];
  const last = (name: string) => column(cell, name).at(-1)!;
  const [sharpness, error] = [last('batch_sharpness'), last('batch_sharpness_standard_error')];
  const ratios = thresholds
    .filter((_, index) => index === 0 || hasMomentum(cell))
    .map(({ name, label }) => {
      const [value, uncertainty] = [sharpness / last(name), error / last(name)];
      return `${formatSignificant(value, 3)} ± ${formatSignificant(uncertainty, 1)} of ${hasMomentum(cell) ? label : '2/η'}`;
    });
  return [`After epoch ${last('epoch')} the batch sharpness is ${ratios.join(' and ')}.`];
}

function omitted(cells: readonly CellTable[]): string[] {
  const all = cells.flatMap((cell) => drawnColumns(cell).flatMap((name) => [...column(cell, name)]));
  const left = all.filter((value) => !isPlottable(value)).length;
  return left === 0
    ? []
    : [
        `${countOf(left, all.length, 'value')} that a logarithmic axis cannot show ${left === 1 ? 'is' : 'are'} left out.`,
      ];
}
