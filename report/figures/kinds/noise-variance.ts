import { formatSignificant } from '../../numbers.ts';
import { cellsSentence, coloursSentence, omissions, trainingParts } from '../drawing/caption.ts';
import { type CellTable, column } from '../drawing/data.ts';
import type { CellFigure } from '../drawing/definition.ts';
import { isPlottable } from '../drawing/log-scale.ts';
import { line, spectrumLegend, spectrumPanel } from '../drawing/spectrum-panel.ts';
import type { LinePoint, SpectrumQuantity } from '../drawing/spectrum-series.ts';
import { colours } from '../drawing/theme.ts';

const quantity: SpectrumQuantity = {
  column: 'noise_variance',
  name: 'noise variance',
  axisTitle: 'noise variance σ^{2}_{δg,i}',
  theoryLabel: "from all examples' gradients",
};

/** Variance of the gradient noise in each direction against the Hessian eigenvalue: how nearly C is proportional to H. */
export const figure: CellFigure = {
  name: 'noise-variance',
  title: 'Noise variance against Hessian eigenvalue',
  shows:
    'The variance of the gradient noise along each Hessian eigenvector, measured and from the gradients of all examples, and the line C ∝ H.',
  of: 'noise',
  from: 'noise-spectrum',
  scope: 'cell',
  draw: ({ cells }) => {
    const proportional = proportionalLine(cells[0]!);
    const extra = {
      layers: proportional.length === 0 ? [] : [line(proportional, 'dashes')],
      values: proportional.map(({ value }) => value),
    };
    const more =
      proportional.length === 0
        ? []
        : [{ label: 'C ∝ H', colour: colours.fit.light, mark: 'dashes' as const }];
    return {
      spec: spectrumPanel(cells, quantity, { width: 640, height: 380, extra }),
      legend: spectrumLegend(cells, [quantity], more),
    };
  },
  caption: (data) => [
    'Variance of the gradient noise of batches along each Hessian eigenvector: of the batches drawn, with standard errors, and from the gradients of all examples with the factor (N−S)/((N−1)S) of a finite population (1/S with replacement).',
    `${trainingParts(data.cells).join(', ')}. No drift is subtracted.`,
    ...alignmentSentence(data.cells),
    ...proportionalSentence(data.cells),
    ...omissions(data.cells, [quantity]),
    ...coloursSentence(data.cells),
    ...cellsSentence(data),
  ],
};

/** The line through the geometric mean of sigma_dg^2 / lambda. */
function proportionalLine(cell: CellTable): LinePoint[] {
  const variances = column(cell, 'noise_variance_theory');
  const pairs = [...column(cell, 'eigenvalue')]
    .map((eigenvalue, row) => ({ eigenvalue, variance: variances[row]! }))
    .filter(({ eigenvalue, variance }) => isPlottable(eigenvalue) && isPlottable(variance));
  const logs = pairs.map(({ eigenvalue, variance }) => Math.log(variance / eigenvalue));
  const ratio = Math.exp(logs.reduce((sum, value) => sum + value, 0) / logs.length);
  return pairs.map(({ eigenvalue }) => ({
    cell: 0,
    colour: colours.fit.light,
    eigenvalue,
    value: ratio * eigenvalue,
  }));
}

function proportionalSentence(cells: readonly CellTable[]): string[] {
  const { length } = cells;
  return length > 1 ? [`The line C ∝ H is that of 1 of ${length} cells: ${cells[0]!.label}.`] : [];
}

function alignmentSentence(cells: readonly CellTable[]): string[] {
  const known = cells.flatMap(({ noise }) => (noise?.cosine === undefined ? [] : [noise]));
  if (known.length === 0) return [];
  const list = (values: (number | null | undefined)[]) =>
    [...new Set(values.map((value) => formatSignificant(value ?? Number.NaN, 3)))].join(', ');
  return [
    `Within these directions the cosine between C and H is tr(CH)/(|C||H|) = ${list(known.map((n) => n.cosine))} (1 if C ∝ H), and their commutator |[C,H]|/(2|C||H|) = ${list(known.map((n) => n.commutator))} (0 if they commute).`,
  ];
}
