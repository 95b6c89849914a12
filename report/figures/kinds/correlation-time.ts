import { crossoverCorrelationTime, lambdaCross, tauSgd } from '../../../science/theory/regimes.ts';
import { countOf, formatSignificant } from '../../numbers.ts';
import { spectrumSentences } from '../drawing/caption.ts';
import { type CellTable, column } from '../drawing/data.ts';
import type { CellFigure } from '../drawing/definition.ts';
import type { Layer, LegendItem } from '../drawing/drawing.ts';
import { isPlottable } from '../drawing/log-scale.ts';
import { levelMark, line, spectrumLegend, spectrumPanel } from '../drawing/spectrum-panel.ts';
import { distinctLevels, type Level, lineColour, type SpectrumQuantity } from '../drawing/spectrum-series.ts';
import { colours } from '../drawing/theme.ts';

const quantity: SpectrumQuantity = {
  column: 'correlation_time',
  name: 'correlation time',
  axisTitle: 'correlation time τ_{i} (steps)',
  theoryLabel: 'theory, eq. (12)–(18)',
};

const width = 640;
const height = 380;

/** tau_i against lambda_i with both regimes and the fit (Fig. 18, 19). */
export const figure: CellFigure = {
  name: 'correlation-time',
  title: 'Correlation time against Hessian eigenvalue',
  shows:
    'The velocity correlation time of equation (18) in each direction, with λ_cross and τ_SGD of the theory, and the curve of the fit if one is given.',
  of: 'analyze',
  from: 'spectrum',
  fit: 'parameters',
  byDefault: 2,
  scope: 'cell',
  draw: ({ cells }) => {
    const plateaus = distinctLevels(cells, tauSgd);
    const extra = {
      values: plateaus.map(({ value }) => value),
      layers: [...plateauLayers(plateaus), ...fitLayers(cells)],
    };
    return {
      spec: spectrumPanel(cells, quantity, { width, height, extra }),
      legend: spectrumLegend(cells, [quantity], fitLegend(cells)),
    };
  },
  caption: (data) => [
    'Velocity correlation time τ = 2σ²_θ/σ²_v, equation (18), in each direction of the Hessian, with standard errors.',
    'Below λ_cross = 3(1−β)S/(ηN) it levels off at τ_SGD = (M/3)(1+β)/(1−β); above, it falls as (1+β)/(ηλ).',
    ...fitSentence(data.cells),
    ...spectrumSentences(data, [quantity]),
  ],
};

function plateauLayers(plateaus: readonly Level[]): Layer[] {
  if (plateaus.length === 0) return [];
  const values = plateaus.map(({ value, colour }) => ({
    value,
    colour,
    label: plateaus.length === 1 ? `τ_{SGD} = ${formatSignificant(value)} steps` : '',
  }));
  return [
    {
      data: { values },
      mark: levelMark,
      encoding: {
        x: { value: 0 },
        x2: { value: width },
        color: { field: 'colour', type: 'nominal', scale: null },
      },
    },
    {
      data: { values },
      mark: {
        type: 'text',
        align: 'right',
        baseline: 'bottom',
        dy: -4,
        fontSize: 12,
        color: colours.muted.light,
      },
      encoding: { text: { field: 'label' }, x: { value: width - 8 } },
    },
  ];
}

interface Fit {
  readonly crossing: number;
  readonly plateau: number;
}

function fitOf({ fit }: CellTable): Fit | undefined {
  const crossing = Number(fit?.lambda_cross);
  const plateau = Number(fit?.tau_sgd);
  return crossing > 0 && plateau > 0 ? { crossing, plateau } : undefined;
}

/**
 * The fitted curve at the eigenvalues: tau_SGD f(3 lambda / lambda_cross) with each direction's fixed factor kappa, which makes it exact at the
 * theory's parameters (`science/fit`). Without the theory's column kappa is 1.
 */
function fitLayers(cells: readonly CellTable[]): Layer[] {
  const curve = cells.flatMap((cell, index) => {
    const fit = fitOf(cell);
    if (fit === undefined) return [];
    const colour = cells.length === 1 ? colours.fit.light : lineColour(cells, index);
    return [...column(cell, 'eigenvalue')]
      .map((eigenvalue, row) => ({
        cell: index,
        colour,
        eigenvalue,
        value: fittedTime(cell, fit, eigenvalue, row),
      }))
      .filter(({ eigenvalue, value }) => isPlottable(eigenvalue) && isPlottable(value));
  });
  return curve.length === 0 ? [] : [line(curve, 'dashes')];
}

function fittedTime({ columns, training }: CellTable, fit: Fit, eigenvalue: number, row: number): number {
  const curve = crossoverCorrelationTime(eigenvalue, fit.crossing, fit.plateau);
  const theory = (columns.correlation_time_theory_window ?? columns.correlation_time_theory)?.[row];
  if (theory === undefined || training === undefined) return curve;
  return (curve * theory) / crossoverCorrelationTime(eigenvalue, lambdaCross(training), tauSgd(training));
}

/** Says if some cells have no fit, where others have, or a fit that did not succeed. */
function fitSentence(cells: readonly CellTable[]): string[] {
  const fitted = cells.filter((cell) => fitOf(cell) !== undefined).length;
  const none = cells.every(({ fit }) => fit === undefined);
  return none || fitted === cells.length
    ? []
    : [`${countOf(fitted, cells.length, 'drawn cell')} ${fitted === 1 ? 'has' : 'have'} a fit.`];
}

function fitLegend(cells: readonly CellTable[]): LegendItem[] {
  if (!cells.some((cell) => fitOf(cell) !== undefined)) return [];
  return [
    { label: 'fit', colour: cells.length === 1 ? colours.fit.light : colours.muted.light, mark: 'dashes' },
  ];
}
