import type { LagWindow } from '../theory/window.ts';

/**
 * The lag window through which the right side of equation (18) is summed.
 *
 * The infinite sums converge only through cancellation, and the statistical error of sum_h h cov(v_k, v_{k+h}) grows with the last lag, so
 * they must be cut where the correlations have died out. The relaxation time of the weights, t = tau (1 - beta) / (1 + beta), is
 * (1 - beta) / (eta lambda) in steep directions and M/3 in flat ones; velocities also remember 1 / (1 - beta) steps by themselves. The window
 * is 1 up to 6 (t + 1 / (1 - beta)) lags and falls linearly to 0 at twice that: a flat top (Politis and Romano 1995) leaves the early lags
 * as they are, and the slope lets the error stop growing with the lag. It ends at a quarter of the series at the latest.
 *
 * @param correlationTime tau, the measured left side of (18).
 */
export function chooseLagWindow(
  correlationTime: number,
  momentum: number,
  steps: number,
): LagWindow & { readonly capped: boolean } {
  const relaxation = (correlationTime * (1 - momentum)) / (1 + momentum) + 1 / (1 - momentum);
  const wanted = Math.ceil(6 * relaxation);
  const most = Math.max(1, Math.floor(steps / 8));
  const flat = Math.min(wanted, most);
  return { flat, end: 2 * flat, capped: wanted > most };
}

/** The terms of both sums of (18) that begin at each step: their means over steps are the sums. */
export interface VelocitySums {
  /** v_j sum_h w(h) h v_{j+h} */
  readonly first: Float64Array;
  /** v_j sum_h w(h) v_{j+h} */
  readonly total: Float64Array;
}

/**
 * Sums of velocities through a lag window, from every step that has all its lags within the series, in O(T) whatever the window: a window
 * that is piecewise linear in h needs only running sums of theta and of its first moment.
 *
 * @param theta Detrended weights, length T; velocities are their differences, taken about their mean.
 */
export function velocitySums(theta: Float64Array, { flat, end }: LagWindow): VelocitySums {
  const steps = theta.length;
  const meanVelocity = (theta[steps - 1]! - theta[0]!) / (steps - 1);
  const y = Float64Array.from(theta, (value, k) => value - meanVelocity * (k - (steps - 1) / 2));
  // sums[m] = sum_{i<m} y_i, moments[m] = sum_{i<m} i y_i; the sum of the sums is (m - 1) sums[m] - moments[m].
  const sums = new Float64Array(steps + 1);
  const moments = new Float64Array(steps + 1);
  for (let i = 0; i < steps; i++) {
    sums[i + 1] = sums[i]! + y[i]!;
    moments[i + 1] = moments[i]! + i * y[i]!;
  }
  const sumOfSums = (m: number) => (m - 1) * sums[m]! - moments[m]!;
  const bases = steps - end;
  const first = new Float64Array(bases);
  const total = new Float64Array(bases);
  const slope = end - flat;
  for (let j = 0; j < bases; j++) {
    // v_j = y_{j+1} - y_j. Averaged over last lags H = flat ... end - 1, which is the window:
    // sum_{h<=H} v_{j+h} = y_{j+H+1} - y_{j+1} and sum_{h<=H} h v_{j+h} = H y_{j+H+1} - (y_{j+1} + ... + y_{j+H}).
    const near = j + flat + 1;
    const far = j + end + 1;
    const velocity = y[j + 1]! - y[j]!;
    const between = sums[far]! - sums[near]!;
    total[j] = velocity * (between / slope - y[j + 1]!);
    const weighted = moments[far]! - moments[near]! - (j + 1) * between;
    const inner = sumOfSums(far) - sumOfSums(near);
    first[j] = velocity * ((weighted - inner) / slope + sums[j + 1]!);
  }
  return { first, total };
}
