import type { ArtifactKind } from '../../artifacts/reference.ts';

/** A kind of figure: its default title, what it shows, what it is drawn from, and the fit that can be drawn into it. */
export interface FigureKind {
  readonly title: string;
  readonly shows: string;
  /** Stage kind whose artifact it is made for. */
  readonly of: string;
  readonly from: ArtifactKind;
  readonly fit?: ArtifactKind;
  /** Drawn of each artifact of its kind where the report names no figures. */
  readonly byDefault?: true;
}

export const figureKinds: Readonly<Record<string, FigureKind>> = {
  'weight-variance': {
    title: 'Weight variance against Hessian eigenvalue',
    shows:
      'The variance of the weights in each direction of the Hessian, with standard errors, and the theory of equations (12)–(17).',
    of: 'analyze',
    from: 'spectrum',
  },
  'velocity-variance': {
    title: 'Velocity variance against Hessian eigenvalue',
    shows: 'The same of the steps v = θ(k) − θ(k−1).',
    of: 'analyze',
    from: 'spectrum',
  },
  'variance-spectrum': {
    title: 'Weight and velocity variance against Hessian eigenvalue',
    shows: 'Both variances side by side.',
    of: 'analyze',
    from: 'spectrum',
    byDefault: true,
  },
  'correlation-time': {
    title: 'Correlation time against Hessian eigenvalue',
    shows:
      'The velocity correlation time of equation (18) in each direction, with λ_cross and τ_SGD of the theory, and the curve of the fit if one is given.',
    of: 'analyze',
    from: 'spectrum',
    fit: 'parameters',
    byDefault: true,
  },
  'training-curves': {
    title: 'Loss and accuracy during training',
    shows: 'Loss and accuracy of the training and the test examples after each epoch.',
    of: 'train',
    from: 'history',
    byDefault: true,
  },
  'principal-components': {
    title: 'Principal components of the recorded weights',
    shows:
      'Share of the variance in each component of a `pca`, and how sinusoidal its course is, beside those of a free random walk.',
    of: 'pca',
    from: 'spectrum',
  },
  'paired-difference': {
    title: 'Difference between two levels of an axis',
    shows:
      'Loss of the fluctuations or accuracy at the two levels of the one axis that has two, seeds apart, cell by cell, and the mean difference with its interval.',
    of: 'collect',
    from: 'collection',
  },
  autocovariance: {
    title: 'Autocovariance of the gradient noise',
    shows:
      'The autocovariance of the gradient noise over its variance against the lag, with equation (2); a panel for each of up to four cells.',
    of: 'noise',
    from: 'autocovariance',
    byDefault: true,
  },
  'noise-variance': {
    title: 'Noise variance against Hessian eigenvalue',
    shows:
      'The variance of the gradient noise along each Hessian eigenvector, measured and from the gradients of all examples, and the line C ∝ H.',
    of: 'noise',
    from: 'noise-spectrum',
  },
  trajectory: {
    title: 'Weight trajectory in a quadratic loss',
    shows:
      'The path of a `toy` in its first two directions, with ellipses of two standard deviations, measured and of the theory; a panel for each of up to three cells.',
    of: 'toy',
    from: 'series',
  },
  valley: {
    title: 'Gradient descent in a widening valley',
    shows: 'The trace of the Hessian against the step, and the path, of a `toy` whose loss is a valley.',
    of: 'toy',
    from: 'series',
  },
  collection: {
    title: 'Collected results against the axes of the study',
    shows:
      'What a `collect` gathered against each axis that varies: fitted λ_cross and τ_SGD with the theory’s, or accuracy and loss.',
    of: 'collect',
    from: 'collection',
    byDefault: true,
  },
};
