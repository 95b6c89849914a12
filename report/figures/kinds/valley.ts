import { formatSignificant } from '../../numbers.ts';
import { cellsSentence, coloursSentence, thinnedSentence } from '../drawing/caption.ts';
import { type CellTable, type CellTables, column } from '../drawing/data.ts';
import type { CellFigure } from '../drawing/definition.ts';
import type { LegendItem, Panel } from '../drawing/drawing.ts';
import { logChannel, logScale } from '../drawing/log-scale.ts';
import { cellLegend } from '../drawing/spectrum-panel.ts';
import { cellColours, colours } from '../drawing/theme.ts';
import { noiseNames, toyOf, toyParts } from '../drawing/toy-caption.ts';

/** Points of each line. */
const maximumPoints = 600;

/** Trace of the Hessian over the steps, and the path, of gradient descents in a widening valley (Fig. 25). */
export const figure: CellFigure = {
  name: 'valley',
  title: 'Gradient descent in a widening valley',
  shows: 'The trace of the Hessian against the step, and the path, of a `toy` whose loss is a valley.',
  of: 'toy',
  from: 'series',
  scope: 'cell',
  draw: ({ cells }) => ({ spec: { hconcat: [tracePanel(cells), pathPanel(cells)] }, legend: legend(cells) }),
  caption: (data) => [
    'Loss L(u, v) = v²|u|²/2 with u of d components (Orvieto et al. 2022). Left: trace of the Hessian, Tr H = d v² + |u|², against the step. Right: the path in |u| and v; every point with u = 0 or v = 0 is a minimum, the flatter the nearer to the origin; grey: lines of equal trace.',
    'Theory: Anti-PGD on average descends L + (σ²/2) Tr H, and ends where only its own fluctuations are left, Tr H = 2dσ². White noise drives |u| out, until η|u|² = 2, where steps in v are no longer stable.',
    `${settings(data.cells).concat(toyParts(data.cells)).join(', ')}. No drift is subtracted.`,
    `At the end, Tr H is ${data.cells.map((cell) => `${formatSignificant(lastTrace(cell), 2)} (${nameOf(cell)})`).join(', ')}, averaged over the last tenth.`,
    ...thinned(data),
    ...coloursSentence(data.cells),
    ...cellsSentence(data),
  ],
};

function nameOf(cell: CellTable): string {
  return noiseNames[toyOf(cell).noise.name];
}

/** d */
function widthOf(cell: CellTable): number {
  const { width } = toyOf(cell).loss;
  if (width === undefined) throw new Error(`The toy of cell ${cell.cellId} is no valley: it has no width.`);
  return width;
}

function settings(cells: readonly CellTable[]): string[] {
  const scales = cells.map((cell) => toyOf(cell).noise).filter(({ name }) => name !== 'none');
  const deviations = [...new Set(scales.map(({ scale }) => formatSignificant(Math.sqrt(scale), 3)))];
  return [`d = ${widthOf(cells[0]!)}`, ...(deviations.length === 0 ? [] : [`σ = ${deviations.join(', ')}`])];
}

function lastTrace(cell: CellTable): number {
  const trace = column(cell, 'hessian_trace');
  const tail = trace.slice(-Math.max(1, Math.floor(trace.length / 10)));
  return tail.reduce((sum, value) => sum + value, 0) / tail.length;
}

function stride(cell: CellTable): number {
  return Math.max(1, Math.ceil(cell.rows / maximumPoints));
}

function thinned({ cells }: CellTables): string[] {
  const drawn = cells.reduce((sum, cell) => sum + Math.ceil(cell.rows / stride(cell)), 0);
  const all = cells.reduce((sum, { rows }) => sum + rows, 0);
  return thinnedSentence(drawn, all, 'step');
}

/** Every n-th value of a column. */
function drawn(cell: CellTable, name: string): number[] {
  return [...column(cell, name)].filter((_, row) => row % stride(cell) === 0);
}

const colourOf = (index: number): string => cellColours[index] ?? colours.other.light;
const lineMark = { type: 'line', clip: true, interpolate: 'linear' } as const;

function tracePanel(cells: readonly CellTable[]): Panel {
  const lines = (name: string, of: readonly CellTable[]) =>
    of.flatMap((cell) => {
      const steps = drawn(cell, 'step');
      const cellIndex = cells.indexOf(cell);
      return drawn(cell, name).map((value, n) => ({
        cell: cellIndex,
        colour: colourOf(cellIndex),
        step: steps[n]!,
        value,
      }));
    });
  const measured = lines('hessian_trace', cells);
  const theory = lines(
    'hessian_trace_theory',
    cells.filter(({ columns }) => columns.hessian_trace_theory !== undefined),
  );
  const y = logScale([...measured, ...theory].map(({ value }) => value));
  const encoding = {
    detail: { field: 'cell', type: 'nominal' as const },
    order: { field: 'step', type: 'quantitative' as const },
  };
  return {
    width: 380,
    height: 320,
    encoding: {
      x: {
        field: 'step',
        type: 'quantitative',
        scale: { nice: false },
        axis: { title: 'step k', grid: false, tickCount: 5 },
      },
      y: { field: 'value', type: 'quantitative', ...logChannel(y, 'Tr H', 320) },
    },
    layer: [
      {
        data: { values: measured },
        mark: { ...lineMark, strokeWidth: 1.4 },
        encoding: { ...encoding, color: { field: 'colour', type: 'nominal', scale: null } },
      },
      ...(theory.length === 0
        ? []
        : [
            {
              data: { values: theory },
              mark: { ...lineMark, strokeWidth: 2, strokeDash: [7, 4], color: colours.ink.light },
              encoding,
            },
          ]),
    ],
  };
}

function pathPanel(cells: readonly CellTable[]): Panel {
  const values = cells.flatMap((cell, index) => {
    const v = drawn(cell, 'v');
    return drawn(cell, 'u_norm').map((u, n) => ({
      cell: index,
      colour: colourOf(index),
      u,
      v: v[n]!,
      step: n,
    }));
  });
  const uReach = Math.max(...values.map(({ u }) => u)) * 1.05;
  const vs = values.map(({ v }) => v);
  const vDomain = [Math.min(-0.2, ...vs) * 1.05, Math.max(...vs) * 1.05] as const;
  return {
    width: 330,
    height: 320,
    encoding: {
      x: {
        field: 'u',
        type: 'quantitative',
        scale: { domain: [0, uReach], nice: false },
        axis: { title: '|u|', grid: false, tickCount: 5 },
      },
      y: {
        field: 'v',
        type: 'quantitative',
        scale: { domain: [...vDomain], nice: false, zero: false },
        axis: { title: 'v', grid: false, tickCount: 6 },
      },
    },
    layer: [
      {
        data: { values: equalTraces(widthOf(cells[0]!), uReach, vDomain) },
        mark: { ...lineMark, strokeWidth: 1, strokeDash: [1.5, 2.5], color: colours.other.light },
        encoding: {
          detail: { field: 'level', type: 'nominal' },
          order: { field: 'step', type: 'quantitative' },
        },
      },
      {
        data: { values },
        mark: { ...lineMark, strokeWidth: 1, opacity: 0.8 },
        encoding: {
          detail: { field: 'cell', type: 'nominal' },
          order: { field: 'step', type: 'quantitative' },
          color: { field: 'colour', type: 'nominal', scale: null },
        },
      },
    ],
  };
}

/** Half ellipses d v^2 + |u|^2 = trace. */
function equalTraces(width: number, uReach: number, [low, high]: readonly [number, number]) {
  const largest = width * Math.max(low ** 2, high ** 2) + uReach ** 2;
  return [0.04, 0.16, 0.36, 0.64].flatMap((share, level) =>
    Array.from({ length: 61 }, (_, n) => {
      const angle = Math.PI * (n / 60 - 0.5);
      const radius = Math.sqrt(share * largest);
      return {
        level,
        step: n,
        u: radius * Math.cos(angle),
        v: (radius / Math.sqrt(width)) * Math.sin(angle),
      };
    }),
  );
}

function legend(cells: readonly CellTable[]): LegendItem[] {
  const theory = cells.some(({ columns }) => columns.hessian_trace_theory !== undefined);
  return [
    ...cellLegend(
      cells.map((cell) => ({ ...cell, label: nameOf(cell) })),
      'line',
    ),
    ...(theory ? [{ label: 'theory of Anti-PGD', colour: colours.ink.light, mark: 'dashes' } as const] : []),
  ];
}
