import { lambdaCross } from '../../../science/theory/regimes.ts';
import { formatSignificant } from '../../numbers.ts';
import type { CellTable } from './data.ts';
import type { Layer, LegendItem, Panel } from './drawing.ts';
import { type LogScale, logChannel, logScale } from './log-scale.ts';
import {
  distinctLevels,
  furtherLines,
  furtherTheories,
  isVisible,
  type Level,
  type LinePoint,
  lineColour,
  measuredPoints,
  pointColour,
  type SpectrumPoint,
  type SpectrumQuantity,
  theoryLine,
  thinning,
} from './spectrum-series.ts';
import { cellColours, colouredCells, colours } from './theme.ts';

const eigenvalueTitle = 'Hessian eigenvalue λ_{i}';

export interface PanelOptions {
  readonly width: number;
  readonly height: number;
  readonly title?: string;
  /** Layers that a figure adds, and values that the vertical axis must hold for them. */
  readonly extra?: { readonly layers: readonly Layer[]; readonly values: readonly number[] };
}

/** Measured points with standard errors, the theory's line, and lambda_cross, on logarithmic axes. */
export function spectrumPanel(
  cells: readonly CellTable[],
  quantity: SpectrumQuantity,
  options: PanelOptions,
): Panel {
  const { width, height, extra } = options;
  const stride = thinning(cells);
  const measured = cells.flatMap((cell, index) =>
    measuredPoints(cell, quantity, pointColour(cells, index), stride),
  );
  const theory = cells.flatMap((cell, index) => theoryLine(cell, quantity, index, lineColour(cells, index)));
  const further = furtherTheories.map((theory) => ({
    mark: theory.mark,
    points: furtherLines(cells, quantity, theory),
  }));
  const crossings = distinctLevels(cells, lambdaCross);
  const eigenvalues = measured.map((point) => point.eigenvalue);
  const x = logScale([
    ...eigenvalues,
    ...nearby(
      crossings.map(({ value }) => value),
      eigenvalues,
    ),
  ]);
  const y = logScale(
    [...measured, ...theory, ...further.flatMap((one) => one.points)]
      .map((point) => point.value)
      .concat(extra?.values ?? []),
  );
  const shown = crossings.filter(({ value }) => value > x.domain[0] && value < x.domain[1]);
  return {
    width,
    height,
    ...(options.title === undefined ? {} : { title: options.title }),
    encoding: {
      x: { field: 'eigenvalue', type: 'quantitative', ...logChannel(x, eigenvalueTitle, width) },
      y: { field: 'value', type: 'quantitative', ...logChannel(y, quantity.axisTitle, height) },
    },
    layer: [
      ...crossingLayers(shown, height, x),
      line(theory, 'line'),
      ...further.flatMap(({ points, mark }) => (points.length === 0 ? [] : [line(points, mark)])),
      errorBars(measured, y),
      points(measured),
      ...(extra?.layers ?? []),
    ],
  };
}

/** Legend of a spectrum figure: what marks mean (`more` are the figure's own), then which colour is which cell. */
export function spectrumLegend(
  cells: readonly CellTable[],
  quantities: readonly SpectrumQuantity[],
  more: readonly LegendItem[] = [],
): LegendItem[] {
  const single = cells.length === 1;
  const colour = single ? colours.theory.light : colours.muted.light;
  const further = furtherTheories.filter((theory) =>
    quantities.some((quantity) => cells.some((cell) => isVisible(cell, quantity, theory))),
  );
  return [
    { label: 'measured', colour: single ? colours.measured.light : colours.muted.light, mark: 'point' },
    { label: quantities[0]!.theoryLabel, colour, mark: 'line' },
    ...further.map(({ label, mark }) => ({ label, colour, mark })),
    ...more,
    ...(single ? [] : cellLegend(cells)),
  ];
}

/** Which colour is which cell. */
export function cellLegend(cells: readonly CellTable[], mark: LegendItem['mark'] = 'point'): LegendItem[] {
  const named = cells
    .slice(0, colouredCells)
    .map(({ label }, index): LegendItem => ({ label, colour: cellColours[index]!, mark }));
  const rest = cells.length - named.length;
  return rest > 0
    ? [...named, { label: `${rest} more of ${cells.length} cells`, colour: colours.other.light, mark }]
    : named;
}

/** Grey cells first, so that those with a colour lie over them. */
export function greyFirst<T extends { readonly colour: string }>(values: readonly T[]): T[] {
  const rank = ({ colour }: T) => (colour === colours.other.light ? 0 : 1);
  return values.toSorted((a, b) => rank(a) - rank(b));
}

/** Looks of the rule at a level. */
export const levelMark = { type: 'rule' as const, strokeDash: [5, 4], strokeWidth: 1.2, opacity: 0.85 };

/** The axis is lengthened by up to one decade to show a crossing. */
function nearby(crossings: readonly number[], eigenvalues: readonly number[]): number[] {
  const low = eigenvalues.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = eigenvalues.reduce((a, b) => Math.max(a, b), 0);
  return crossings.filter((crossing) => crossing > low / 10 && crossing < high * 10);
}

function crossingLayers(crossings: readonly Level[], height: number, { domain }: LogScale): Layer[] {
  if (crossings.length === 0) return [];
  // The label stands right of its rule, unless it would leave the frame there.
  const place = Math.log(crossings[0]!.value / domain[0]) / Math.log(domain[1] / domain[0]);
  const side = place > 0.7 ? ({ align: 'right', dx: -6 } as const) : ({ align: 'left', dx: 6 } as const);
  const values = crossings.map(({ value: eigenvalue, colour }) => ({
    eigenvalue,
    colour,
    label: crossings.length === 1 ? `λ_{cross} = ${formatSignificant(eigenvalue)}` : '',
  }));
  return [
    {
      data: { values },
      mark: levelMark,
      encoding: {
        y: { value: 0 },
        y2: { value: height },
        color: { field: 'colour', type: 'nominal', scale: null },
      },
    },
    {
      data: { values },
      mark: {
        type: 'text',
        ...side,
        baseline: 'bottom',
        fontSize: 12,
        color: colours.muted.light,
      },
      encoding: { text: { field: 'label' }, y: { value: height - 8 } },
    },
  ];
}

function errorBars(values: readonly SpectrumPoint[], y: LogScale): Layer {
  const bars = greyFirst(values)
    .filter(({ low, high }) => high > low)
    .map(({ colour, eigenvalue, low, high }) => ({
      colour,
      eigenvalue,
      // A lower end at or below zero lies infinitely far down: the bar leaves through the frame.
      value: Math.max(low, y.domain[0]),
      high: Math.min(high, y.domain[1]),
    }));
  return {
    data: { values: bars },
    mark: { type: 'rule', clip: true, strokeWidth: 1, opacity: values.length > 1000 ? 0.18 : 0.45 },
    encoding: { y2: { field: 'high' }, color: { field: 'colour', type: 'nominal', scale: null } },
  };
}

function points(values: readonly SpectrumPoint[]): Layer {
  const many = values.length;
  const size = many > 2000 ? 8 : many > 400 ? 16 : 30;
  return {
    data: {
      values: greyFirst(values).map(({ colour, eigenvalue, value }) => ({ colour, eigenvalue, value })),
    },
    mark: { type: 'point', filled: true, shape: 'circle', size, opacity: many > 1000 ? 0.55 : 0.85 },
    encoding: { color: { field: 'colour', type: 'nominal', scale: null } },
  };
}

const strokes = {
  line: { strokeWidth: 1.6 },
  dashes: { strokeWidth: 2, strokeDash: [7, 4] },
  dots: { strokeWidth: 1.6, strokeDash: [1.5, 2.5] },
  dotdash: { strokeWidth: 1.6, strokeDash: [7, 3, 1.5, 3] },
};

/** A line per cell, in the order of the eigenvalues. */
export function line(values: readonly LinePoint[], stroke: keyof typeof strokes): Layer {
  return {
    data: { values: greyFirst(values) },
    mark: { type: 'line', clip: true, interpolate: 'linear', ...strokes[stroke] },
    encoding: {
      order: { field: 'eigenvalue', type: 'quantitative' },
      detail: { field: 'cell', type: 'nominal' },
      color: { field: 'colour', type: 'nominal', scale: null },
    },
  };
}
