/**
 * P(chi-square >= x) with a whole number of degrees of freedom: the upper tail of the chi-square distribution, Q(freedom / 2, x / 2).
 *
 * By the series of the lower tail (Abramowitz and Stegun 1964, 26.4.6) or the continued fraction of the upper one (6.5.31, by the modified method of
 * Lentz), whichever loses no digits. Throws RangeError for degrees of freedom that are no positive whole number; NaN for x that is none.
 */
export function chiSquareTail(x: number, freedom: number): number {
  if (!(Number.isInteger(freedom) && freedom >= 1))
    throw new RangeError(`Degrees of freedom must be a positive whole number, got ${freedom}.`);
  if (!(x > 0)) return Number.isNaN(x) ? Number.NaN : 1;
  if (x === Number.POSITIVE_INFINITY) return 0;
  const [a, half] = [freedom / 2, x / 2];
  const logScale = a * Math.log(half) - half - logGamma(freedom);
  return x < freedom + 2
    ? 1 - Math.exp(logScale) * lowerSeries(a, half)
    : Math.exp(logScale) * upperFraction(a, half);
}

/** ln Gamma(freedom / 2), by the recurrence from Gamma(1/2) or Gamma(1). */
function logGamma(freedom: number): number {
  let sum = freedom % 2 === 1 ? Math.log(Math.PI) / 2 : 0;
  for (let n = freedom - 2; n > 0; n -= 2) sum += Math.log(n / 2);
  return sum;
}

function lowerSeries(a: number, x: number): number {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; term > sum * Number.EPSILON; n++) {
    term *= x / (a + n);
    sum += term;
  }
  return sum;
}

function upperFraction(a: number, x: number): number {
  let b = x + 1 - a;
  let c = Number.POSITIVE_INFINITY;
  let d = 1 / b;
  let fraction = d;
  for (let n = 1; ; n++) {
    const numerator = -n * (n - a);
    b += 2;
    d = 1 / (numerator * d + b);
    c = b + numerator / c;
    const change = c * d;
    fraction *= change;
    if (Math.abs(change - 1) < 4 * Number.EPSILON) return fraction;
  }
}
