import type { Drift } from '../theory/window.ts';

/** One principal component of a random walk of very many dimensions. */
export interface WalkComponent {
  /** Share of the total variance. */
  readonly share: number;
  /** Its course in time at T equally spaced steps, with unit sum of squares. */
  readonly course: Float64Array;
}

/**
 * The finite-size artefact of principal component analysis: the first `count` components of T steps of a free random walk in infinitely many
 * dimensions, after its drift is subtracted. They are sinusoids, whatever the walk did, and their variances fall like 1 / k^2 (Antognini
 * and Sohl-Dickstein 2018, "PCA of high dimensional random walks with comparison to neural network training", for the mean).
 *
 * With s in [-1/2, 1/2] the time, they are the eigenfunctions of Brownian motion's covariance with the drift projected out: phi'' = -w^2 phi,
 * with variance proportional to 1 / w^2, and
 *
 * - mean subtracted: phi'(+-1/2) = 0, w = pi k, course cos(pi k (s + 1/2)); all variances together are 1/6 (in units where 1 / w^2 is one's);
 * - line subtracted: phi'(1/2) = phi'(-1/2) and no overlap with the line, so w = 2 pi n with cos(w s), and tan(w / 2) = w / 2 with sin(w s), in
 *   turn; all variances together are 1/15.
 */
export function randomWalkComponents(count: number, steps: number, drift: Drift): WalkComponent[] {
  const total = drift === 'mean' ? 1 / 6 : 1 / 15;
  return Array.from({ length: count }, (_, index) => {
    const { frequency, even } = frequencyOf(index + 1, drift);
    const course = Float64Array.from({ length: steps }, (_, k) => {
      const phase = frequency * ((k + 0.5) / steps - 0.5);
      return even ? Math.cos(phase) : Math.sin(phase);
    });
    const norm = Math.sqrt(course.reduce((sum, value) => sum + value ** 2, 0));
    return { share: 1 / frequency ** 2 / total, course: course.map((value) => value / norm) };
  });
}

function frequencyOf(k: number, drift: Drift): { frequency: number; even: boolean } {
  if (drift === 'mean') return { frequency: Math.PI * k, even: k % 2 === 0 };
  if (k % 2 === 1) return { frequency: Math.PI * (k + 1), even: true };
  return { frequency: 2 * tangentRoot(k / 2), even: false };
}

/** The n-th positive root of tan x = x, by Newton's method on x cos x - sin x from just below (n + 1/2) pi. */
function tangentRoot(n: number): number {
  const start = (n + 0.5) * Math.PI;
  let x = start - 1 / start;
  for (let step = 0; step < 8; step++) x += (x * Math.cos(x) - Math.sin(x)) / (x * Math.sin(x));
  return x;
}

/** Share of a detrended series' variance that this course in time explains: the square of their correlation. */
export function shareExplained(series: Float64Array, course: Float64Array): number {
  let product = 0;
  let squares = 0;
  for (let k = 0; k < series.length; k++) {
    product += series[k]! * course[k]!;
    squares += series[k]! ** 2;
  }
  return squares > 0 ? product ** 2 / squares : Number.NaN;
}
