import { cellsSentence, span, thinnedSentence } from '../drawing/caption.ts';
import { type CellTable, type CellTables, column } from '../drawing/data.ts';
import type { CellFigure } from '../drawing/definition.ts';
import type { Layer, LegendItem, Panel } from '../drawing/drawing.ts';
import { colours } from '../drawing/theme.ts';

/** Cells with a panel of their own. */
const maximumPanels = 4;
/** Points drawn at most for lags of one sign in a panel. */
const maximumPoints = 200;

interface LagPoint {
  readonly lag: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Between two peaks, where the theory is one line. */
  readonly segment: number;
}

/** Autocovariance of the gradient noise over its variance against lag / M, with equation (2) (Fig. 12-15). */
export const figure: CellFigure = {
  name: 'autocovariance',
  title: 'Autocovariance of the gradient noise',
  shows:
    'The autocovariance of the gradient noise over its variance against the lag, with equation (2); a panel for each of up to four cells.',
  of: 'noise',
  from: 'autocovariance',
  byDefault: 4,
  scope: 'cell',
  draw: ({ cells }) => {
    const drawn = cells.slice(0, maximumPanels);
    const y = commonDomain(drawn);
    const panels = drawn.map((cell, index) => panel(cell, index === drawn.length - 1, drawn.length, y));
    return { spec: panels.length === 1 ? panels[0]! : { vconcat: panels }, legend };
  },
  caption: (data) => [
    'Autocovariance of the gradient noise δg over its variance, averaged over all weights, against the lag h in epochs of M steps, with standard errors; the values of 1, at h = 0, lie above the frame.',
    'Theory: equation (2), −(M−|h|)/(M(M−1)) for 1 ≤ |h| ≤ M without replacement; zero with replacement; −1/(M−1) between multiples of M for an order that is kept.',
    ...orderSentences(data),
    parameters(data),
    ...agreement(data),
    ...thinned(data),
    ...cellsSentence(data, Math.min(data.cells.length, maximumPanels)),
  ],
};

const legend: LegendItem[] = [
  { label: 'measured', colour: colours.measured.light, mark: 'point' },
  { label: 'theory, eq. (2)', colour: colours.theory.light, mark: 'line' },
];

/** The peaks: lag 0, and multiples of M for noise that repeats itself. */
function isPeak(cell: CellTable, row: number): boolean {
  return column(cell, 'theory')[row]! > 0.5;
}

function batchesPerEpoch({ training, cellId }: CellTable): number {
  if (training === undefined)
    throw new Error(`The table of cell ${cellId} does not say how many batches an epoch has.`);
  return training.batchesPerEpoch;
}

/** Every how many-th lag is drawn. */
function stride(cell: CellTable): number {
  return Math.max(1, Math.ceil(cell.rows / maximumPoints));
}

/** Values at lags of both signs. Peaks cut the line into segments. */
function points(cell: CellTable, name: 'measured' | 'theory'): LagPoint[] {
  const m = batchesPerEpoch(cell);
  const lags = column(cell, 'lag');
  const values = column(cell, name);
  const errors = column(cell, 'standard_error');
  const found: LagPoint[] = [];
  let segment = 0;
  for (let row = 0; row < cell.rows; row++) {
    if (isPeak(cell, row)) segment++;
    else if (name === 'theory' || row % stride(cell) === 0) {
      const error = name === 'theory' || !Number.isFinite(errors[row]!) ? 0 : errors[row]!;
      const [value, lag] = [values[row]!, lags[row]! / m];
      const range = { value, low: value - error, high: value + error };
      found.push({ ...range, lag, segment }, { ...range, lag: -lag, segment: -segment });
    }
  }
  return found;
}

function commonDomain(cells: readonly CellTable[]): [number, number] {
  let [low, high] = [0, 0];
  for (const cell of cells) {
    for (const point of [...points(cell, 'measured'), ...points(cell, 'theory')]) {
      low = Math.min(low, point.low);
      high = Math.max(high, point.high);
    }
  }
  const margin = 0.08 * (high - low);
  return [low - margin, high + margin];
}

function panel(cell: CellTable, last: boolean, panels: number, domain: [number, number]): Panel {
  const title = cell.label === cell.cellId ? {} : { title: cell.label };
  const measured = points(cell, 'measured');
  return {
    width: 640,
    height: panels === 1 ? 340 : 190,
    ...title,
    view: { stroke: null },
    encoding: {
      x: {
        field: 'lag',
        type: 'quantitative',
        scale: { nice: false },
        axis: { title: last ? 'lag h / M (epochs)' : null, grid: false, domain: true, tickCount: 9 },
      },
      y: {
        field: 'value',
        type: 'quantitative',
        scale: { domain, nice: false, zero: false },
        axis: { title: 'cov(δg_{k}, δg_{k+h}) / C', tickCount: 5 },
      },
    },
    layer: [errorBars(measured), dots(measured), theoryLine(cell), peakMarks(cell)],
  };
}

function errorBars(values: readonly LagPoint[]): Layer {
  const color = colours.measured.light;
  return {
    data: { values: values.filter(({ low, high }) => high > low) },
    mark: { type: 'rule', clip: true, strokeWidth: 1, opacity: 0.4, color },
    encoding: { y: { field: 'low', type: 'quantitative' }, y2: { field: 'high' } },
  };
}

function dots(values: readonly LagPoint[]): Layer {
  const color = colours.measured.light;
  return {
    data: { values: [...values] },
    mark: { type: 'point', filled: true, shape: 'circle', clip: true, size: 16, opacity: 0.8, color },
  };
}

function theoryLine(cell: CellTable): Layer {
  return {
    data: { values: points(cell, 'theory') },
    mark: { type: 'line', clip: true, strokeWidth: 1.8, color: colours.theory.light, interpolate: 'linear' },
    encoding: {
      detail: { field: 'segment', type: 'nominal' },
      order: { field: 'lag', type: 'quantitative' },
    },
  };
}

/** Says at the upper edge where a value of 1 lies above the frame. */
function peakMarks(cell: CellTable): Layer {
  const m = batchesPerEpoch(cell);
  const lags = [...column(cell, 'lag')].filter((_, row) => isPeak(cell, row)).map((lag) => lag / m);
  return {
    data: { values: lags.flatMap((lag) => (lag === 0 ? [{ lag }] : [{ lag }, { lag: -lag }])) },
    mark: { type: 'text', text: '↑ 1', fontSize: 12, baseline: 'top', color: colours.muted.light },
    encoding: { y: { value: 2 } },
  };
}

function parameters({ cells }: CellTables): string {
  const values = (select: (cell: CellTable) => number | undefined) =>
    span(cells.map(select).filter((value): value is number => value !== undefined));
  const moving = cells.some(({ noise }) => noise?.weights === 'moving');
  const fixed = cells.some(({ noise }) => noise?.weights === 'fixed');
  const rates = moving
    ? [`η = ${values((c) => c.training?.learningRate)}`, `β = ${values((c) => c.training?.momentum)}`]
    : [];
  const seeds = values((c) => c.noise?.repeats);
  const parts = [
    `N = ${values((c) => c.training?.examples)}`,
    `S = ${values((c) => c.training?.batchSize)}`,
    `M = ${values((c) => c.training?.batchesPerEpoch)}`,
    ...rates,
    [
      fixed ? 'weights fixed' : '',
      moving ? 'weights moving by SGD, the gradient over all examples subtracted at every step' : '',
    ]
      .filter((text) => text !== '')
      .join(' / '),
    `after ${many(
      values((c) => c.noise?.firstEpoch),
      'epoch',
    )} of training`,
    `${many(
      values((c) => c.noise?.epochs),
      'epoch',
    )} with ${seeds === '1' ? 'seed' : `each of ${seeds} seeds from`} ${values((c) => c.training?.seed)}`,
  ];
  return `${parts.join(', ')}. No drift is subtracted: the noise has mean zero.`;
}

/** `1 epoch`, `0, 10 epochs` */
function many(values: string, noun: string): string {
  return `${values} ${noun}${values === '1' ? '' : 's'}`;
}

/** The theory of orders that only some studies have. */
function orderSentences({ cells }: CellTables): string[] {
  const has = (sampling: string) => cells.some(({ training }) => training?.sampling === sampling);
  return [
    ...(has('paired-reversal')
      ? ['An order and its reverse: −(2M−|h|)/(2M(M−1)), and 1/(2(M−1)) more at odd lags, up to |h| = 2M.']
      : []),
    ...(has('block-reshuffling')
      ? [
          'Blocks of k batches that stay: (k min(|h|, M)−M)/(M(M−1)) at multiples of k, −1/(M−1) between them, as the mean over arrangements.',
        ]
      : []),
  ];
}

/** How far measurement and theory are apart, over lags that are no peaks. */
function agreement({ cells }: CellTables): string[] {
  const deviations = cells.flatMap((cell) =>
    [...column(cell, 'measured')].flatMap((value, row) => {
      const deviation = (value - column(cell, 'theory')[row]!) / column(cell, 'standard_error')[row]!;
      return row === 0 || !Number.isFinite(deviation) ? [] : [deviation];
    }),
  );
  if (deviations.length === 0) return [];
  const within = deviations.filter((deviation) => Math.abs(deviation) <= 3).length;
  const meanSquare = deviations.reduce((sum, value) => sum + value ** 2, 0) / deviations.length;
  return [
    `${within} of ${deviations.length} lags are within 3 standard errors of the theory; root-mean-square deviation ${Math.sqrt(meanSquare).toFixed(2)} standard errors.`,
  ];
}

function thinned({ cells }: CellTables): string[] {
  const lags = cells.slice(0, maximumPanels).flatMap((cell) =>
    Array.from({ length: cell.rows }, (_, row) => row)
      .filter((row) => !isPeak(cell, row))
      .map((row) => row % stride(cell) === 0),
  );
  return thinnedSentence(lags.filter((drawn) => drawn).length, lags.length, 'lag');
}
