import type { Drift } from '../theory/window.ts';

export interface Detrended {
  /** What is left after the drift is subtracted; its mean is zero. */
  readonly residual: Float64Array;
  /** Mean square of the subtracted line about its own mean; 0 if only the mean is subtracted. */
  readonly driftVariance: number;
}

/** Subtracts the least-squares straight line, or the mean, from equally spaced values, in place. */
export function detrend(values: Float64Array, drift: Drift): Detrended {
  const steps = values.length;
  const centre = (steps - 1) / 2;
  // Sums of differences from the first value keep their digits when the series lies far from zero.
  const origin = values[0] ?? 0;
  let sum = 0;
  let moment = 0;
  for (let k = 0; k < steps; k++) {
    const value = values[k]! - origin;
    sum += value;
    moment += (k - centre) * value;
  }
  const spread = (steps * (steps ** 2 - 1)) / 12;
  const slope = drift === 'linear' ? moment / spread : 0;
  const mean = origin + sum / steps;
  for (let k = 0; k < steps; k++) values[k]! -= mean + slope * (k - centre);
  return { residual: values, driftVariance: (slope ** 2 * spread) / steps };
}
