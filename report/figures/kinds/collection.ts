import { evenly } from '../../evenly.ts';
import { countOf } from '../../numbers.ts';
import { crowdSentence, drawnPoints, middleLayers, middleLegend } from '../drawing/crowd.ts';
import type { Collection } from '../drawing/data.ts';
import type { CollectionFigure } from '../drawing/definition.ts';
import type { Layer, LegendItem, Panel } from '../drawing/drawing.ts';
import { colours } from '../drawing/theme.ts';

interface Quantity {
  readonly column: string;
  readonly axisTitle: string;
}

/** What is drawn of each kind of collected table: fits, evaluations, and the last epochs of histories. */
const tables: readonly (readonly Quantity[])[] = [
  [
    { column: 'lambda_cross', axisTitle: 'λ_{cross}' },
    { column: 'tau_sgd', axisTitle: 'τ_{SGD} (steps)' },
  ],
  [
    { column: 'accuracy', axisTitle: 'accuracy' },
    { column: 'loss', axisTitle: 'loss' },
  ],
  [
    { column: 'test_accuracy', axisTitle: 'test accuracy' },
    { column: 'train_accuracy', axisTitle: 'train accuracy' },
    { column: 'train_loss', axisTitle: 'train loss' },
  ],
];

/** So many names are all written at an axis; of more, some. */
const allNames = 30;
const someNames = 4;

type Row = Collection['rows'][number];

/** Fitted lambda_cross and tau_SGD against each axis of the matrix, with the theory's values (Fig. 21); or losses and accuracies. */
export const figure: CollectionFigure = {
  name: 'collection',
  title: 'Collected results against the axes of the study',
  shows:
    'What a `collect` gathered against each axis that varies: fitted λ_cross and τ_SGD with the theory’s, or accuracy and loss.',
  of: 'collect',
  from: 'collection',
  byDefault: 5,
  scope: 'study',
  draw: (data) => {
    const axes = drawnAxes(data);
    const quantities = quantitiesOf(data);
    const panels = (width: number) =>
      quantities.map((quantity) =>
        axes.map((axis) => panel(rowsAlong(axis, axes, data.rows), axis, quantity, width)),
      );
    const spec =
      axes.length === 1
        ? { hconcat: panels(380).flat() }
        : { vconcat: panels(axes.length === 2 ? 380 : 250).map((hconcat) => ({ hconcat })) };
    return { spec, legend: legend(isFit(data), data.rows.length > drawnPoints) };
  },
  caption: (data) => [
    isFit(data)
      ? `λ_cross and τ_SGD fitted to the correlation times of ${countOf(data.rows.length, data.planned, 'cell')}, with standard errors, against ${drawnAxes(data).join(', ')}.`
      : `Results of ${countOf(data.rows.length, data.planned, 'cell')} against ${drawnAxes(data).join(', ')}.`,
    ...(isFit(data) ? ['Theory: λ_cross = 3(1−β)S/(ηN) and τ_SGD = (M/3)(1+β)/(1−β).'] : []),
    ...alongSentence(data),
    ...crowdSentence(data.rows.length),
    ...hidden(data),
  ],
};

/**
 * The cells to draw against an axis. Where one axis at a time is varied about a base cell (the most frequent value of each axis), those in which the
 * other axes are at their base; otherwise all.
 */
function rowsAlong(axis: string, axes: readonly string[], rows: readonly Row[]): readonly Row[] {
  const base = new Map(axes.map((other) => [other, mostFrequent(rows.map((row) => row[other]!))]));
  const changed = (row: Row) => axes.filter((other) => row[other] !== base.get(other));
  if (rows.some((row) => changed(row).length > 1)) return rows;
  return rows.filter((row) => changed(row).every((other) => other === axis));
}

/** Says against which axes not all cells are drawn. */
function alongSentence(data: Collection): string[] {
  const axes = drawnAxes(data);
  const total = data.rows.length;
  const parts = axes
    .map((axis) => ({ axis, drawn: rowsAlong(axis, axes, data.rows).length }))
    .filter(({ drawn }) => drawn < total)
    .map(({ axis, drawn }) => `${countOf(drawn, total, 'cell')} against ${axis}`);
  return parts.length === 0
    ? []
    : [`Drawn are ${parts.join(', ')}: those that differ from the most frequent values in this axis alone.`];
}

function mostFrequent<T>(values: readonly T[]): T {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].reduce((best, entry) => (entry[1] > best[1] ? entry : best))[0];
}

/** The quantities of the first kind of table that `data` is. */
function quantitiesOf({ rows }: Collection): readonly Quantity[] {
  const has = ({ column }: Quantity) => rows.some((row) => Number.isFinite(Number(row[column])));
  const drawn = tables.map((quantities) => quantities.filter(has)).find(({ length }) => length > 0);
  if (drawn === undefined) throw new Error('No cell has a finite λ_cross, accuracy or loss.');
  return drawn;
}

function isFit(data: Collection): boolean {
  return quantitiesOf(data).some(({ column }) => column === 'lambda_cross' || column === 'tau_sgd');
}

/** Axes with at least two values. One that only repeats is an abscissa only if nothing else varies. */
function drawnAxes({ axes, seeds, rows }: Collection): string[] {
  const varying = axes.filter((axis) => new Set(rows.map((row) => row[axis])).size > 1);
  const meaningful = varying.filter((axis) => !seeds.includes(axis));
  if (meaningful.length > 0) return meaningful;
  return varying.length > 0 ? varying : ['cell'];
}

function hidden(data: Collection): string[] {
  const quantities = quantitiesOf(data);
  const bad = data.rows.filter((row) =>
    quantities.some(({ column }) => !Number.isFinite(Number(row[column]))),
  ).length;
  const what = isFit(data) ? 'fit' : 'value';
  return bad === 0
    ? []
    : [`${countOf(bad, data.rows.length, 'cell')} without a ${what} ${bad === 1 ? 'is' : 'are'} left out.`];
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
        : { field: 'x', type: 'nominal', axis: namesAxis(axis, points) },
      y: {
        field: 'value',
        type: 'quantitative',
        scale: { zero: !column.includes('accuracy'), nice: true },
        axis: { title: axisTitle, tickCount: 5 },
      },
    },
    layer: [...theoryLayers(rows, axis, column, numeric), ...pointLayers(points)],
  };
}

/** Names on an axis: all, or some where they would lie over one another. */
function namesAxis(axis: string, points: readonly Point[]): NominalAxis {
  const look = { labelAngle: 0, grid: false, domain: true };
  const namesOf = (some: readonly Point[]) => [...new Set(some.map(({ x }) => String(x)))];
  const names = namesOf(points);
  if (names.length <= allNames) return { title: axis, ...look };
  const values = [...evenly(namesOf(evenly(points, drawnPoints)), someNames)];
  return { title: `${axis} (${countOf(someNames, names.length, 'name')} written)`, ...look, values };
}

interface NominalAxis {
  readonly title: string;
  readonly labelAngle: number;
  readonly grid: boolean;
  readonly domain: boolean;
  values?: string[];
}

interface Point {
  readonly x: number | string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

function pointLayers(points: readonly Point[]): Layer[] {
  const color = colours.measured.light;
  const look = { type: 'point', filled: true, shape: 'circle', color } as const;
  if (points.length > drawnPoints) {
    const values = evenly(points, drawnPoints).map(({ x, value }) => ({ x, value }));
    return [{ data: { values }, mark: { ...look, size: 12, opacity: 0.35 } }, ...middleLayers(points)];
  }
  return [
    {
      data: { values: [...points] },
      mark: { type: 'rule', strokeWidth: 1.2, color, opacity: 0.6 },
      encoding: { y: { field: 'low', type: 'quantitative' }, y2: { field: 'high' } },
    },
    { data: { values: [...points] }, mark: { ...look, size: 42, opacity: 0.85 } },
  ];
}

/** A line where the axis alone decides the theory's value; otherwise a dash at each cell's own. */
function theoryLayers(rows: readonly Row[], axis: string, column: string, numeric: boolean): Layer[] {
  const pairs = new Map<string, { x: number | string; value: number }>();
  for (const row of rows) {
    const value = Number(row[`${column}_theory`]);
    if (Number.isFinite(value)) pairs.set(JSON.stringify([row[axis], value]), { x: row[axis]!, value });
  }
  const all = [...pairs.values()];
  if (all.length === 0) return [];
  const isFunction = new Set(all.map(({ x }) => x)).size === all.length;
  const values = [...evenly(all, drawnPoints)];
  const color = colours.theory.light;
  return numeric && isFunction && values.length > 1
    ? [{ data: { values }, mark: { type: 'line', strokeWidth: 1.8, color, interpolate: 'linear' } }]
    : [{ data: { values }, mark: { type: 'tick', orient: 'horizontal', size: 22, thickness: 2, color } }];
}

function legend(fitted: boolean, crowded: boolean): LegendItem[] {
  return [
    { label: fitted ? 'fit' : 'measured', colour: colours.measured.light, mark: 'point' },
    ...(crowded ? [middleLegend] : []),
    ...(fitted ? [{ label: 'theory', colour: colours.theory.light, mark: 'line' } as const] : []),
  ];
}
