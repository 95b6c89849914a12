import { count } from '../numbers.ts';
import type { Collection } from './data.ts';
import type { CollectionFigure } from './definition.ts';
import type { Layer, LegendItem, Panel } from './drawing.ts';
import { colours } from './theme.ts';

interface Quantity {
  readonly column: string;
  readonly axisTitle: string;
}

const quantities: readonly Quantity[] = [
  { column: 'lambda_cross', axisTitle: 'λ_{cross}' },
  { column: 'tau_sgd', axisTitle: 'τ_{SGD} (steps)' },
];

type Row = Collection['rows'][number];

/** Fitted lambda_cross and tau_SGD against each axis of the matrix, with the theory's values (Fig. 21). */
export const collection: CollectionFigure = {
  kind: 'collection',
  scope: 'study',
  title: 'Fitted λ_cross and τ_SGD against the hyperparameters',
  draw: (data) => {
    const axes = drawnAxes(data);
    const panels = (width: number) =>
      quantities.map((quantity) => axes.map((axis) => panel(data.rows, axis, quantity, width)));
    const spec =
      axes.length === 1
        ? { hconcat: panels(380).flat() }
        : { vconcat: panels(axes.length === 2 ? 380 : 250).map((hconcat) => ({ hconcat })) };
    return { spec, legend: legend() };
  },
  caption: (data) => [
    `λ_cross and τ_SGD fitted to the correlation times of ${count(data.rows.length, 'cell')}, with standard errors, against ${drawnAxes(data).join(', ')}.`,
    'Theory: λ_cross = 3(1−β)S/(ηN) and τ_SGD = (M/3)(1+β)/(1−β).',
    ...hidden(data),
  ],
};

/** Axes with at least two values. A seed only repeats, so it is an abscissa only if nothing else varies. */
function drawnAxes({ axes, rows }: Collection): string[] {
  const varying = axes.filter((axis) => new Set(rows.map((row) => row[axis])).size > 1);
  const meaningful = varying.filter((axis) => axis !== 'seed');
  if (meaningful.length > 0) return meaningful;
  return varying.length > 0 ? varying : ['cell'];
}

function hidden({ rows }: Collection): string[] {
  const bad = rows.filter((row) =>
    quantities.some(({ column }) => !Number.isFinite(Number(row[column]))),
  ).length;
  return bad === 0 ? [] : [`${count(bad, 'cell')} without a fit ${bad === 1 ? 'is' : 'are'} left out.`];
}

function panel(rows: readonly Row[], axis: string, { column, axisTitle }: Quantity, width: number): Panel {
  const numeric = rows.every((row) => typeof row[axis] === 'number');
  const points = rows
    .map((row) => {
      const value = Number(row[column]);
      const error = Number(row[`${column}_standard_error`] ?? 0);
      const spread = Number.isFinite(error) ? error : 0;
      return { x: row[axis]!, value, low: value - spread, high: value + spread };
    })
    .filter(({ value }) => Number.isFinite(value));
  if (points.length === 0) throw new Error(`No cell has a finite ${column}.`);
  return {
    width,
    height: 240,
    view: { stroke: null },
    encoding: {
      x: numeric
        ? {
            field: 'x',
            type: 'quantitative',
            scale: { zero: false, nice: false, padding: 22 },
            axis: { title: axis, grid: false, domain: true, tickCount: 5 },
          }
        : { field: 'x', type: 'nominal', axis: { title: axis, labelAngle: 0, grid: false, domain: true } },
      y: {
        field: 'value',
        type: 'quantitative',
        scale: { zero: true, nice: true },
        axis: { title: axisTitle, tickCount: 5 },
      },
    },
    layer: [
      ...theoryLayers(rows, axis, column, numeric),
      {
        data: { values: points },
        mark: { type: 'rule', strokeWidth: 1.2, color: colours.measured.light, opacity: 0.6 },
        encoding: { y: { field: 'low', type: 'quantitative' }, y2: { field: 'high' } },
      },
      {
        data: { values: points },
        mark: {
          type: 'point',
          filled: true,
          shape: 'circle',
          size: 42,
          color: colours.measured.light,
          opacity: 0.85,
        },
      },
    ],
  };
}

/** A line where the axis alone decides the theory's value; otherwise a dash at each cell's own. */
function theoryLayers(rows: readonly Row[], axis: string, column: string, numeric: boolean): Layer[] {
  const pairs = new Map<string, { x: number | string; value: number }>();
  for (const row of rows) {
    const value = Number(row[`${column}_theory`]);
    if (Number.isFinite(value)) pairs.set(JSON.stringify([row[axis], value]), { x: row[axis]!, value });
  }
  const values = [...pairs.values()];
  if (values.length === 0) return [];
  const isFunction = new Set(values.map(({ x }) => x)).size === values.length;
  const color = colours.theory.light;
  return numeric && isFunction && values.length > 1
    ? [{ data: { values }, mark: { type: 'line', strokeWidth: 1.8, color, interpolate: 'linear' } }]
    : [{ data: { values }, mark: { type: 'tick', orient: 'horizontal', size: 22, thickness: 2, color } }];
}

function legend(): LegendItem[] {
  return [
    { label: 'fit', colour: colours.measured.light, mark: 'point' },
    { label: 'theory', colour: colours.theory.light, mark: 'line' },
  ];
}
