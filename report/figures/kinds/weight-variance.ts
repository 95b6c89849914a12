import { spectrumSentences } from '../drawing/caption.ts';
import type { CellFigure } from '../drawing/definition.ts';
import { spectrumLegend, spectrumPanel } from '../drawing/spectrum-panel.ts';
import type { SpectrumQuantity } from '../drawing/spectrum-series.ts';

export const weightVarianceQuantity: SpectrumQuantity = {
  column: 'weight_variance',
  name: 'weight variance',
  axisTitle: 'weight variance σ^{2}_{θ,i}',
  theoryLabel: 'theory, eq. (12)–(17)',
};

/** sigma_theta,i^2 against lambda_i (Fig. 17, left). */
export const figure: CellFigure = {
  name: 'weight-variance',
  title: 'Weight variance against Hessian eigenvalue',
  shows:
    'The variance of the weights in each direction of the Hessian, with standard errors, and the theory of equations (12)–(17).',
  of: 'analyze',
  from: 'spectrum',
  scope: 'cell',
  draw: ({ cells }) => ({
    spec: spectrumPanel(cells, weightVarianceQuantity, { width: 560, height: 360 }),
    legend: spectrumLegend(cells, [weightVarianceQuantity]),
  }),
  caption: (data) => [
    'Variance of the weights in each direction of the Hessian, with standard errors.',
    ...spectrumSentences(data, [weightVarianceQuantity]),
  ],
};
