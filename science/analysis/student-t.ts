/**
 * P(|t| <= x) of Student's t distribution with a whole number of degrees of freedom, in closed form (Abramowitz and Stegun 1964, 26.7.3 and
 * 26.7.4), with theta = atan(x / sqrt(nu)): a finite sum of powers of cos theta.
 */
export function studentTCentral(x: number, freedom: number): number {
  const theta = Math.atan(Math.abs(x) / Math.sqrt(freedom));
  const [sine, cosine] = [Math.sin(theta), Math.cos(theta)];
  const odd = freedom % 2 === 1;
  let term = odd ? cosine : 1;
  let sum = freedom === 1 ? 0 : term;
  for (let n = odd ? 3 : 2; n <= freedom - 2; n += 2) {
    term *= ((n - 1) / n) * cosine ** 2;
    sum += term;
  }
  return odd ? (2 / Math.PI) * (theta + sine * sum) : sine * sum;
}

/**
 * The x with P(|t| <= x) = `confidence`: half the width of a confidence interval, in standard errors, of a mean with `freedom` degrees of freedom.
 * Throws RangeError for degrees of freedom that are no positive whole number, or a confidence outside (0, 1).
 */
export function studentTQuantile(confidence: number, freedom: number): number {
  if (!(Number.isInteger(freedom) && freedom >= 1))
    throw new RangeError(`Degrees of freedom must be a positive whole number, got ${freedom}.`);
  if (!(confidence > 0 && confidence < 1))
    throw new RangeError(`A confidence must lie between 0 and 1, got ${confidence}.`);
  let [low, high] = [0, 1];
  while (studentTCentral(high, freedom) < confidence) high *= 2;
  while (high - low > 1e-12 * high) {
    const middle = (low + high) / 2;
    if (studentTCentral(middle, freedom) < confidence) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
