/** y = intercept + slope x by weighted least squares. */
export interface WeightedLine {
  readonly slope: number;
  readonly slopeError: number;
  /** The same from the scatter of the points about the line alone, whatever their errors are said to be: also smaller than these give. */
  readonly scatterError: number;
}

/**
 * Slope of the weighted least-squares line through (x, y) with standard errors `sigma` of y. Its own standard error is enlarged by the root
 * of the reduced chi-square where that exceeds one, so that points which scatter by more than their errors, or do not lie on a line, are not
 * taken for precise. NaN for fewer than three points or equal x.
 */
export function weightedLine(
  x: readonly number[],
  y: readonly number[],
  sigma: readonly number[],
): WeightedLine {
  const none = { slope: Number.NaN, slopeError: Number.NaN, scatterError: Number.NaN };
  if (x.length < 3) return none;
  let total = 0;
  let sumX = 0;
  let sumY = 0;
  for (let i = 0; i < x.length; i++) {
    const weight = sigma[i]! ** -2;
    total += weight;
    sumX += weight * x[i]!;
    sumY += weight * y[i]!;
  }
  const [meanX, meanY] = [sumX / total, sumY / total];
  let xx = 0;
  let xy = 0;
  for (let i = 0; i < x.length; i++) {
    const weight = sigma[i]! ** -2;
    xx += weight * (x[i]! - meanX) ** 2;
    xy += weight * (x[i]! - meanX) * (y[i]! - meanY);
  }
  if (!(xx > 0)) return none;
  const slope = xy / xx;
  let chiSquare = 0;
  for (let i = 0; i < x.length; i++) {
    chiSquare += ((y[i]! - meanY - slope * (x[i]! - meanX)) / sigma[i]!) ** 2;
  }
  const scale = chiSquare / (x.length - 2);
  return { slope, slopeError: Math.sqrt(Math.max(1, scale) / xx), scatterError: Math.sqrt(scale / xx) };
}

/**
 * Relative standard errors smoothed along increasing eigenvalue: each becomes the median of its `2 reach + 1` nearest. An error estimated from
 * ten blocks is itself uncertain by a quarter, and small by chance where the value is small by chance; weights made from such errors
 * would pull a fit down. How uncertain a direction is changes slowly with lambda, so neighbours tell it better.
 *
 * @param errors Relative standard errors in the order of increasing eigenvalue.
 */
export function pooledErrors(errors: readonly number[], reach = 5): number[] {
  return errors.map((_, i) => {
    const near = errors.slice(Math.max(0, i - reach), i + reach + 1).sort((a, b) => a - b);
    const middle = near.length >> 1;
    return near.length % 2 === 1 ? near[middle]! : (near[middle - 1]! + near[middle]!) / 2;
  });
}
