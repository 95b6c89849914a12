import { spectrumSentences } from '../drawing/caption.ts';
import type { CellFigure } from '../drawing/definition.ts';
import { spectrumLegend, spectrumPanel } from '../drawing/spectrum-panel.ts';
import type { SpectrumQuantity } from '../drawing/spectrum-series.ts';

export const velocityVarianceQuantity: SpectrumQuantity = {
  column: 'velocity_variance',
  name: 'velocity variance',
  axisTitle: 'velocity variance σ^{2}_{v,i}',
  theoryLabel: 'theory, eq. (12)–(17)',
};

/** sigma_v,i^2 against lambda_i (Fig. 17, right). */
export const figure: CellFigure = {
  name: 'velocity-variance',
  title: 'Velocity variance against Hessian eigenvalue',
  shows: 'The same of the steps v = θ(k) − θ(k−1).',
  of: 'analyze',
  from: 'spectrum',
  scope: 'cell',
  draw: ({ cells }) => ({
    spec: spectrumPanel(cells, velocityVarianceQuantity, { width: 560, height: 360 }),
    legend: spectrumLegend(cells, [velocityVarianceQuantity]),
  }),
  caption: (data) => [
    'Variance of the steps v = θ(k) − θ(k−1) in each direction of the Hessian, with standard errors.',
    ...spectrumSentences(data, [velocityVarianceQuantity]),
  ],
};
