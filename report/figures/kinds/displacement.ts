import { countOf, formatSignificant } from '../../numbers.ts';
import { cellsSentence, trainingParts } from '../drawing/caption.ts';
import { type CellTable, type CellTables, column } from '../drawing/data.ts';
import type { CellFigure } from '../drawing/definition.ts';
import type { Layer, LegendItem, Panel } from '../drawing/drawing.ts';
import { isPlottable, type LogScale, logChannel, logScale } from '../drawing/log-scale.ts';
import { levelMark } from '../drawing/spectrum-panel.ts';
import { cellColours, colours } from '../drawing/theme.ts';

/** Cells with a panel of their own. */
const maximumPanels = 4;
/** Directions drawn in each. */
const maximumDirections = 5;

interface Direction {
  /** Rows of the table, lag after lag. */
  readonly rows: readonly number[];
  readonly eigenvalue: number;
  readonly colour: string;
}

interface Point {
  readonly lag: number;
  readonly value: number;
  readonly colour: string;
}

/** Mean square displacement over that of one step against the lag, for some directions, with the theory of the sampling. */
export const figure: CellFigure = {
  name: 'displacement',
  title: 'Mean square displacement against the lag',
  shows:
    'How far the weights get within a lag, over what one step does, for up to five directions, with the theory of the sampling: a direction that is stationary levels off at its correlation time, one that diffuses does not; a panel for each of up to four cells.',
  of: 'displacement',
  from: 'displacement',
  byDefault: 6,
  scope: 'cell',
  draw: ({ cells }) => {
    const drawn = cells.slice(0, maximumPanels);
    const x = logScale(
      drawn.flatMap((cell) => points(cell, 'theory').concat(points(cell, 'measured'))).map(({ lag }) => lag),
    );
    const y = logScale(
      drawn
        .flatMap((cell) => points(cell, 'theory').concat(points(cell, 'measured')))
        .map(({ value }) => value),
    );
    const panels = drawn.map((cell, index) =>
      panel(cell, index === drawn.length - 1, { x, y, of: drawn.length }),
    );
    return { spec: panels.length === 1 ? panels[0]! : { vconcat: panels }, legend: legendOf(drawn[0]!) };
  },
  caption: (data) => [
    'Mean of (θ(k+h) − θ(k))² over that of one step, σ²_v, against the lag h, with standard errors of a series as long; no drift is subtracted. A stationary direction levels off at 2σ²_θ/σ²_v = τ, equation (18); one that diffuses goes on like h. Lines: exact theory of the sampling, 2(Γ(0) − Γ(h))/σ²_v; dashed: one epoch.',
    `${trainingParts(data.cells).join(', ')}.`,
    ...verdicts(data),
    ...cellsSentence(data, Math.min(data.cells.length, maximumPanels)),
  ],
};

/** Directions of a table, evenly spread over their order in eigenvalue. */
function directionsOf(cell: CellTable): Direction[] {
  const groups = [
    ...Map.groupBy(column(cell, 'index').keys(), (row) => column(cell, 'index')[row]!).values(),
  ];
  const eigenvalue = column(cell, 'eigenvalue');
  groups.sort((a, b) => eigenvalue[b[0]!]! - eigenvalue[a[0]!]!);
  const count = Math.min(maximumDirections, groups.length);
  return Array.from({ length: count }, (_, i) => {
    const rows = groups[count === 1 ? 0 : Math.round((i * (groups.length - 1)) / (count - 1))]!;
    return { rows, eigenvalue: eigenvalue[rows[0]!]!, colour: cellColours[i]! };
  });
}

/** Displacements over that of the first lag, one step. */
function points(cell: CellTable, name: 'measured' | 'theory'): Point[] {
  const values = column(cell, name);
  const lags = column(cell, 'lag');
  return directionsOf(cell).flatMap(({ rows, colour }) =>
    rows
      .map((row) => ({ lag: lags[row]!, value: values[row]! / values[rows[0]!]!, colour }))
      .filter(({ value }) => isPlottable(value)),
  );
}

interface Frame {
  readonly x: LogScale;
  readonly y: LogScale;
  readonly of: number;
}

function panel(cell: CellTable, last: boolean, { x, y, of }: Frame): Panel {
  const [width, height] = [640, of === 1 ? 380 : 210];
  const lag = logChannel(x, 'lag h (steps)', width);
  const title = cell.label === cell.cellId ? {} : { title: cell.label };
  const epoch = cell.training === undefined ? [] : [{ lag: cell.training.batchesPerEpoch }];
  const colour = { color: { field: 'colour', type: 'nominal' as const, scale: null } };
  const marks: Layer[] = [
    {
      data: { values: epoch.filter((at) => at.lag > x.domain[0] && at.lag < x.domain[1]) },
      mark: { ...levelMark, color: colours.muted.light },
      encoding: { y: { value: 0 }, y2: { value: height } },
    },
    {
      data: { values: points(cell, 'theory') },
      mark: { type: 'line', clip: true, strokeWidth: 1.6 },
      encoding: colour,
    },
    {
      data: { values: errorBars(cell, y) },
      mark: { type: 'rule', clip: true, strokeWidth: 1, opacity: 0.5 },
      encoding: { ...colour, y2: { field: 'high' } },
    },
    {
      data: { values: points(cell, 'measured') },
      mark: { type: 'point', filled: true, shape: 'circle', size: 22, opacity: 0.85 },
      encoding: colour,
    },
  ];
  return {
    ...{ width, height, ...title },
    encoding: {
      x: {
        field: 'lag',
        type: 'quantitative',
        ...lag,
        axis: { ...lag.axis, title: last ? lag.axis.title : null },
      },
      y: { field: 'value', type: 'quantitative', ...logChannel(y, '⟨Δθ^{2}⟩ / σ^{2}_{v}', height) },
    },
    layer: marks,
  };
}

function errorBars(cell: CellTable, y: LogScale) {
  const [measured, errors, lags] = ['measured', 'standard_error', 'lag'].map((name) => column(cell, name));
  return directionsOf(cell).flatMap(({ rows, colour }) =>
    rows.flatMap((row) => {
      const [value, error] = [measured![row]!, errors![row]!].map((part) => part / measured![rows[0]!]!);
      if (!isPlottable(error) || !isPlottable(value)) return [];
      const low = Math.max(value - error, y.domain[0]);
      return [{ lag: lags![row]!, value: low, high: Math.min(value + error, y.domain[1]), colour }];
    }),
  );
}

function legendOf(cell: CellTable): LegendItem[] {
  return [
    { label: 'measured', colour: colours.muted.light, mark: 'point' },
    { label: 'theory', colour: colours.muted.light, mark: 'line' },
    ...directionsOf(cell).map(({ eigenvalue, colour }) => ({
      ...{ label: `λ = ${formatSignificant(eigenvalue)}`, colour },
      mark: 'point' as const,
    })),
  ];
}

/** What became of the directions of each cell, and how many are drawn. */
function verdicts({ cells }: CellTables): string[] {
  return cells.slice(0, maximumPanels).flatMap((cell) => {
    const first = [
      ...new Map([...column(cell, 'index')].map((index, row) => [index, row] as const).reverse()).values(),
    ];
    const count = (value: number) => first.filter((row) => column(cell, 'verdict')[row] === value).length;
    const name = cell.label === cell.cellId ? '' : `${cell.label}: `;
    const drawn = Math.min(maximumDirections, first.length);
    return [
      `${name}${count(1)} of ${first.length} directions are stationary within the window, ${count(-1)} diffuse, of ${count(0)} it cannot be told; ${countOf(drawn, first.length, 'direction')} ${drawn === 1 ? 'is' : 'are'} drawn.`,
    ];
  });
}
