/** The starts t = 0 ... n - 1 from which displacements over one lag are averaged. */
export interface Displacements {
  /** h */
  readonly lag: number;
  /** n */
  readonly starts: number;
}

/**
 * Covariance of two mean square displacements, D(h) = (1/n) sum_{t < n} (theta_{t+h} - theta_t)^2 and D(h'), from one series, if theta is normal:
 *
 *     cov = 2 / (n n') sum_{t < n, t' < n'} c(t' - t)^2,   c(s) = B(s + h') + B(s - h) - B(s + h' - h) - B(s),
 *
 * by Isserlis's theorem; c is the covariance of the two displacements themselves. Unlike errors from blocks of the series it holds for lags as long as a
 * block, and for displacements that never forget. In O(n + n').
 *
 * @param structure B(h) = `weightStructureFunction(process, lags)` with lags at least those of the series, T - 1.
 */
export function displacementCovariance(structure: Float64Array, a: Displacements, b: Displacements): number {
  const at = (lag: number) => structure[lag < 0 ? -lag : lag]!;
  // Of one lag with itself, t' - t and t - t' are alike.
  const alike = a.lag === b.lag && a.starts === b.starts;
  let sum = 0;
  for (let s = alike ? 0 : 1 - a.starts; s < b.starts; s++) {
    const pairs = Math.min(a.starts, b.starts - s) - Math.max(0, -s);
    const covariance = at(s + b.lag) + at(s - a.lag) - at(s + b.lag - a.lag) - at(s);
    if (pairs > 0) sum += (alike && s > 0 ? 2 : 1) * pairs * covariance ** 2;
  }
  return (2 * sum) / (a.starts * b.starts);
}
