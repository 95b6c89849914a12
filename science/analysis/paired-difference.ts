import { studentTQuantile } from './student-t.ts';

/** A mean over pairs with its uncertainty. */
export interface PairedDifference {
  /** Number of pairs, n. */
  readonly pairs: number;
  /** Mean over pairs of a and of b. */
  readonly first: number;
  readonly second: number;
  /** Mean of the differences, or of the relative differences 1 - a / b. */
  readonly difference: number;
  /** Standard deviation of the differences over sqrt(n); NaN for a single pair. */
  readonly standardError: number;
  /** Half the width of the confidence interval: Student's t with n - 1 degrees of freedom times the standard error. */
  readonly halfWidth: number;
  readonly confidence: number;
}

/**
 * The mean difference of two treatments that were each measured under the same n conditions (such as seeds): what both have in common within a pair
 * drops out (Student 1908, "The probable error of a mean", and any text on the paired t test).
 *
 * - `absolute`: a - b;
 * - `reduction`: 1 - a / b, by how much a is smaller than b as a share of b.
 *
 * Throws RangeError if there is no pair or the lengths differ.
 */
export function pairedDifference(
  first: readonly number[],
  second: readonly number[],
  kind: 'absolute' | 'reduction' = 'absolute',
  confidence = 0.95,
): PairedDifference {
  const n = first.length;
  if (n === 0 || second.length !== n)
    throw new RangeError(`Pairs need as many first as second values, got ${n} and ${second.length}.`);
  const differences = first.map((a, i) => (kind === 'absolute' ? a - second[i]! : 1 - a / second[i]!));
  const difference = mean(differences);
  const squares = differences.reduce((sum, value) => sum + (value - difference) ** 2, 0);
  const standardError = n > 1 ? Math.sqrt(squares / (n - 1) / n) : Number.NaN;
  return {
    pairs: n,
    first: mean(first),
    second: mean(second),
    difference,
    standardError,
    halfWidth: n > 1 ? studentTQuantile(confidence, n - 1) * standardError : Number.NaN,
    confidence,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
