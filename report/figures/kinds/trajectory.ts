import type { ToyContext } from '../../../artifacts/arrow/measurement-contexts.ts';
import { countOf } from '../../numbers.ts';
import { cellsSentence, samplingNames } from '../drawing/caption.ts';
import { type CellTable, type CellTables, column } from '../drawing/data.ts';
import type { CellFigure } from '../drawing/definition.ts';
import type { Layer, LegendItem, Panel } from '../drawing/drawing.ts';
import { colours } from '../drawing/theme.ts';
import { noiseNames, toyOf, toyParts } from '../drawing/toy-caption.ts';

/** Cells side by side. */
const maximumPanels = 3;
/** Last steps of the path that are drawn. */
const maximumSteps = 2000;

interface Moments {
  readonly mean: readonly [number, number];
  readonly deviation: readonly [number, number];
}

/** The path of a toy run in its first two directions, with contours of the loss and the variances of theory and measurement (Fig. 16). */
export const figure: CellFigure = {
  name: 'trajectory',
  title: 'Weight trajectory in a quadratic loss',
  shows:
    'The path of a `toy` in its first two directions, with ellipses of two standard deviations, measured and of the theory; a panel for each of up to three cells.',
  of: 'toy',
  from: 'series',
  scope: 'cell',
  draw: ({ cells }) => {
    const drawn = cells.slice(0, maximumPanels);
    const domains = commonDomains(drawn);
    const panels = drawn.map((cell) => panel(cell, drawn.length, domains));
    return { spec: panels.length === 1 ? panels[0]! : { hconcat: panels }, legend };
  },
  caption: (data) => {
    const { cells } = data;
    const { eigenvalues } = quadratic(cells[0]!);
    const rows = Math.min(...cells.map((cell) => cell.rows));
    const steps = Math.min(maximumSteps, rows);
    return [
      `The last ${countOf(steps, rows, 'recorded step')} in ${countOf(2, eigenvalues.length, 'direction')}, λ_1 = ${eigenvalues[0]} and λ_2 = ${eigenvalues[1]}. Ellipses of two standard deviations: theory, equations (12)–(17), and measured over all recorded steps about their mean; grey: lines of equal loss.`,
      `${toyParts(cells).join(', ')}. The mean is subtracted for the variances, no other drift.`,
      ...ratios(data),
      ...cellsSentence(data, Math.min(cells.length, maximumPanels)),
    ];
  },
};

const legend: LegendItem[] = [
  { label: 'path', colour: colours.measured.light, mark: 'line' },
  { label: 'measured, 2σ', colour: colours.fit.light, mark: 'dashes' },
  { label: 'theory, 2σ', colour: colours.theory.light, mark: 'line' },
  { label: 'equal loss', colour: colours.other.light, mark: 'dots' },
];

function quadratic(cell: CellTable): ToyContext & { readonly eigenvalues: readonly number[] } {
  const toy = toyOf(cell);
  if (toy.eigenvalues === undefined || toy.eigenvalues.length < 2)
    throw new Error(
      `A trajectory needs a quadratic loss in at least two directions; cell ${cell.cellId} has none.`,
    );
  return { ...toy, eigenvalues: toy.eigenvalues };
}

function moments(cell: CellTable): Moments {
  const of = (name: string) => {
    const values = column(cell, name);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    return { mean, deviation: Math.sqrt(squares) };
  };
  const [x, y] = [of('theta_1'), of('theta_2')];
  return { mean: [x.mean, y.mean], deviation: [x.deviation, y.deviation] };
}

/** sigma_theta of the theory in the first two directions, where it exists. */
function theoryDeviations(toy: ToyContext): readonly [number, number] | undefined {
  const [a, b] = toy.weightVariances ?? [];
  return a == null || b == null ? undefined : [Math.sqrt(a), Math.sqrt(b)];
}

/** The same axes for all panels, so that they can be compared. */
function commonDomains(cells: readonly CellTable[]): readonly [number, number] {
  const reach = (axis: 0 | 1) =>
    Math.max(
      ...cells.flatMap((cell) => [
        2.2 * (theoryDeviations(quadratic(cell))?.[axis] ?? 0),
        ...lastSteps(cell, axis === 0 ? 'theta_1' : 'theta_2').map(Math.abs),
      ]),
    ) * 1.05;
  return [reach(0), reach(1)];
}

function lastSteps(cell: CellTable, name: string): number[] {
  return [...column(cell, name).slice(-maximumSteps)];
}

function panel(cell: CellTable, panels: number, [xReach, yReach]: readonly [number, number]): Panel {
  const toy = quadratic(cell);
  const { mean, deviation } = moments(cell);
  const theory = theoryDeviations(toy);
  const y = lastSteps(cell, 'theta_2');
  const path = lastSteps(cell, 'theta_1').map((x, step) => ({ x, y: y[step]!, step }));
  const axis = (title: string, reach: number) => ({
    type: 'quantitative' as const,
    scale: { domain: [-reach, reach], nice: false, zero: false },
    axis: { title, tickCount: 5 },
  });
  const title = toy.noise.name === 'examples' ? samplingNames[toy.sampling] : noiseNames[toy.noise.name];
  return {
    width: panels === 1 ? 480 : panels === 2 ? 330 : 230,
    height: panels === 1 ? 400 : 330,
    title,
    encoding: {
      x: { field: 'x', ...axis('θ_{1}', xReach) },
      y: { field: 'y', ...axis('θ_{2}', yReach) },
    },
    layer: [
      ...contours(toy.eigenvalues, xReach, yReach),
      {
        data: { values: path },
        mark: {
          type: 'line',
          clip: true,
          strokeWidth: 0.7,
          opacity: 0.55,
          color: colours.measured.light,
          interpolate: 'linear',
        },
        encoding: { order: { field: 'step', type: 'quantitative' } },
      },
      ...(theory === undefined
        ? []
        : [ellipse([0, 0], [2 * theory[0], 2 * theory[1]], colours.theory.light)]),
      ellipse(mean, [2 * deviation[0], 2 * deviation[1]], colours.fit.light, [7, 4]),
    ],
  };
}

function ellipse(
  [x0, y0]: readonly [number, number],
  [a, b]: readonly [number, number],
  color: string,
  strokeDash: number[] = [1, 0],
  strokeWidth = 2,
): Layer {
  const values = Array.from({ length: 121 }, (_, n) => {
    const angle = (2 * Math.PI * n) / 120;
    return { x: x0 + a * Math.cos(angle), y: y0 + b * Math.sin(angle), step: n };
  });
  return {
    data: { values },
    mark: { type: 'line', clip: true, strokeWidth, strokeDash, color, interpolate: 'linear' },
    encoding: { order: { field: 'step', type: 'quantitative' } },
  };
}

/** Ellipses lambda_1 x^2 + lambda_2 y^2 = 2 L at values of L that fill the frame. */
function contours([a, b]: readonly number[], xReach: number, yReach: number): Layer[] {
  const largest = a! * xReach ** 2 + b! * yReach ** 2;
  return [0.04, 0.16, 0.36, 0.64, 1].map((share) =>
    ellipse(
      [0, 0],
      [Math.sqrt((share * largest) / a!), Math.sqrt((share * largest) / b!)],
      colours.other.light,
      [1.5, 2.5],
      1,
    ),
  );
}

/** Measured over theoretical variance, in words. */
function ratios({ cells }: CellTables): string[] {
  return cells.slice(0, maximumPanels).flatMap((cell) => {
    const toy = quadratic(cell);
    const theory = theoryDeviations(toy);
    if (theory === undefined) return [];
    const { deviation } = moments(cell);
    const [first, second] = [0, 1].map((i) => ((deviation[i]! / theory[i]!) ** 2).toFixed(2));
    const name = toy.noise.name === 'examples' ? samplingNames[toy.sampling] : noiseNames[toy.noise.name];
    return [`Measured over predicted variance, ${name}: ${first} along λ_1, ${second} along λ_2.`];
  });
}
