import type { LayersContext } from '../../../artifacts/arrow/measurement-contexts.ts';
import { countOf, formatMeasured } from '../../numbers.ts';
import { cellsSentence, span, trainingParts } from '../drawing/caption.ts';
import { type CellTable, column } from '../drawing/data.ts';
import type { CellFigure } from '../drawing/definition.ts';
import type { Layer, LegendItem, Panel } from '../drawing/drawing.ts';
import { isPlottable, type LogScale, logChannel, logScale } from '../drawing/log-scale.ts';
import { cellColours, colouredCells, colours } from '../drawing/theme.ts';

/** Cells with a panel of their own. */
const maximumPanels = 4;

/** Variance of the gradient noise against the Hessian eigenvalue within each layer, with the power law fitted to it. */
export const figure: CellFigure = {
  name: 'noise-by-layer',
  title: 'Noise variance against Hessian eigenvalue, by layer',
  shows:
    'The variance of the gradient noise along the Hessian eigenvectors of each layer, with the power law that is fitted to them and its exponent; a panel for each of up to four cells.',
  of: 'layers',
  from: 'layer-spectrum',
  byDefault: 7,
  scope: 'cell',
  draw: ({ cells }) => {
    const drawn = cells.slice(0, maximumPanels);
    const all = drawn.flatMap(points);
    const x = logScale(all.map(({ eigenvalue }) => eigenvalue));
    const y = logScale(all.flatMap(({ value, high }) => [value, high]));
    const panels = drawn.map((cell, index) => panel(cell, x, y, index === drawn.length - 1, drawn.length));
    return { spec: panels.length === 1 ? panels[0]! : { vconcat: panels }, legend: legend(drawn) };
  },
  caption: (data) => [
    'Variance p_iᵀCp_i of a batch’s gradient along the first eigenvectors p_i of the layer’s block of the Hessian, without the L2 term of the loss, from the gradients of all examples, with their standard errors; the lines are the fitted power laws C ∝ H^γ.',
    `${trainingParts(data.cells).join(', ')}; ${span(data.cells.flatMap(({ layers }) => layers?.examples ?? []))} examples in C and H.`,
    ...data.cells.slice(0, maximumPanels).map((cell) => exponents(cell, data.cells.length > 1)),
    ...omitted(data.cells),
    ...cellsSentence(data, Math.min(data.cells.length, maximumPanels)),
  ],
};

interface Point {
  readonly layer: string;
  readonly colour: string;
  readonly eigenvalue: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

type LayerFit = LayersContext['layers'][number];

function layersOf({ layers, cellId }: CellTable): readonly LayerFit[] {
  if (layers === undefined) throw new Error(`The table of cell ${cellId} does not say which layers it has.`);
  return layers.layers;
}

function colourOf(layer: number): string {
  return layer < colouredCells ? cellColours[layer]! : colours.other.light;
}

/** What logarithmic axes can show. */
function points(cell: CellTable): Point[] {
  const layers = layersOf(cell);
  const numbers = column(cell, 'layer');
  const variances = column(cell, 'noise_variance');
  const errors = column(cell, 'noise_variance_standard_error');
  return [...column(cell, 'eigenvalue')].flatMap((eigenvalue, row) => {
    const value = variances[row]!;
    if (!isPlottable(eigenvalue) || !isPlottable(value)) return [];
    const layer = numbers[row]!;
    const [low, high] = [value - errors[row]!, value + errors[row]!];
    return [{ layer: layers[layer]!.name, colour: colourOf(layer), eigenvalue, value, low, high }];
  });
}

function panel(cell: CellTable, x: LogScale, y: LogScale, last: boolean, panels: number): Panel {
  const [width, height] = [640, panels === 1 ? 400 : 240];
  const title = cell.label === cell.cellId ? {} : { title: cell.label };
  const own = points(cell);
  return {
    ...{ width, height, ...title },
    encoding: {
      x: {
        field: 'eigenvalue',
        type: 'quantitative',
        ...logChannel(x, last ? 'eigenvalue λ_{i} of the layer’s Hessian' : '', width),
      },
      y: {
        field: 'value',
        type: 'quantitative',
        ...logChannel(y, 'noise variance p_{i}^{T}C p_{i}', height),
      },
      color: { field: 'colour', type: 'nominal', scale: null },
    },
    layer: [fitted(cell, own), errorBars(own, y), dots(own)],
  };
}

/** The power law of each layer over the eigenvalues that the layer has. */
function fitted(cell: CellTable, own: readonly Point[]): Layer {
  const values = layersOf(cell).flatMap(({ name, exponent, eigenvalue: through, variance }) => {
    const eigenvalues = own.filter(({ layer }) => layer === name).map(({ eigenvalue }) => eigenvalue);
    const first = own.find(({ layer }) => layer === name);
    if (exponent === null || through === null || variance === null || first === undefined) return [];
    return [Math.min(...eigenvalues), Math.max(...eigenvalues)].map((eigenvalue) => ({
      ...{ layer: name, colour: first.colour, eigenvalue },
      value: variance * (eigenvalue / through) ** exponent,
    }));
  });
  return {
    data: { values },
    mark: { type: 'line', clip: true, strokeWidth: 1.6, opacity: 0.8 },
    encoding: { detail: { field: 'layer', type: 'nominal' } },
  };
}

function errorBars(values: readonly Point[], { domain }: LogScale): Layer {
  const bars = values.map(({ colour, eigenvalue, low, high }) => ({
    ...{ colour, eigenvalue },
    // A lower end at or below zero lies infinitely far down: the bar leaves through the frame.
    value: Math.max(low, domain[0]),
    high,
  }));
  return {
    data: { values: bars },
    mark: { type: 'rule', clip: true, strokeWidth: 1, opacity: 0.45 },
    encoding: { y2: { field: 'high' } },
  };
}

function dots(values: readonly Point[]): Layer {
  return {
    data: { values: [...values] },
    mark: { type: 'point', filled: true, shape: 'circle', size: 30, opacity: 0.85 },
  };
}

function exponentText({ exponent, standardError }: LayerFit): string {
  return exponent === null ? 'no fit' : `γ = ${formatMeasured(exponent, standardError ?? Number.NaN)}`;
}

/** The layers, in one cell with their exponents. */
function legend([cell, second]: readonly CellTable[]): LegendItem[] {
  const layers = layersOf(cell!);
  const items = layers.slice(0, colouredCells).map((layer, index): LegendItem => {
    const label = second === undefined ? `${layer.name}, ${exponentText(layer)}` : layer.name;
    return { label, colour: colourOf(index), mark: 'point' };
  });
  const rest = layers.length - items.length;
  if (rest > 0)
    items.push({
      label: `${rest} more of ${layers.length} layers`,
      colour: colours.other.light,
      mark: 'point',
    });
  return items;
}

function exponents(cell: CellTable, isOneOfSeveral: boolean): string {
  const parts = layersOf(cell).map((layer) => `${layer.name}: ${exponentText(layer)}`);
  return `${isOneOfSeveral ? `${cell.label}: ` : ''}${parts.join('; ')} (1 if C ∝ H).`;
}

function omitted(cells: readonly CellTable[]): string[] {
  const all = cells.reduce((sum, { rows }) => sum + rows, 0);
  const left = all - cells.reduce((sum, cell) => sum + points(cell).length, 0);
  return left === 0
    ? []
    : [
        `${countOf(left, all, 'direction')} that logarithmic axes cannot show ${left === 1 ? 'is' : 'are'} left out.`,
      ];
}
