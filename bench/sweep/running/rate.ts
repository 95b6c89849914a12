/** A rate is taken between these shares of all that ended, so that neither the start nor the end counts. */
const [from, to] = [0.1, 0.9];

/**
 * How many ended in a second in the middle of a run: from the end of the first tenth to the end of the ninth, at the times `ends` (in seconds, in any
 * order). Undefined where there are fewer than ten, or all ended at once.
 */
export function middleRate(ends: readonly number[]): number | undefined {
  if (ends.length < 10) return undefined;
  const sorted = ends.toSorted((a, b) => a - b);
  const [first, last] = [Math.ceil(from * sorted.length) - 1, Math.ceil(to * sorted.length) - 1];
  const seconds = sorted[last]! - sorted[first]!;
  return seconds > 0 ? (last - first) / seconds : undefined;
}

/** Three digits, or nothing for what is not known. */
export function digits(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '';
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** A rate in words. */
export function inTheMiddle(rate: number | undefined): string {
  return rate === undefined ? 'too few for a rate' : `${digits(rate)}/s in the middle`;
}
