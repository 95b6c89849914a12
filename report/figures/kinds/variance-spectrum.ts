import { spectrumSentences } from '../drawing/caption.ts';
import type { CellFigure } from '../drawing/definition.ts';
import { spectrumLegend, spectrumPanel } from '../drawing/spectrum-panel.ts';
import { velocityVarianceQuantity } from './velocity-variance.ts';
import { weightVarianceQuantity } from './weight-variance.ts';

const quantities = [weightVarianceQuantity, velocityVarianceQuantity];

/** Weight and velocity variance side by side (Fig. 17). */
export const figure: CellFigure = {
  name: 'variance-spectrum',
  title: 'Weight and velocity variance against Hessian eigenvalue',
  shows: 'Both variances side by side.',
  of: 'analyze',
  from: 'spectrum',
  byDefault: 1,
  scope: 'cell',
  draw: ({ cells }) => ({
    spec: {
      hconcat: quantities.map((quantity) => spectrumPanel(cells, quantity, { width: 380, height: 320 })),
    },
    legend: spectrumLegend(cells, quantities),
  }),
  caption: (data) => [
    'Variance of the weights (left) and of their steps v = θ(k) − θ(k−1) (right) in each direction of the Hessian, with standard errors.',
    ...spectrumSentences(data, quantities),
  ],
};
