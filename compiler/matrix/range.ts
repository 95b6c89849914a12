import { describe, type Value } from '../values.ts';

/**
 * From, from + step, ... up to `to` included. Whole numbers stay whole; doubles are rounded to 15 digits, so that 0.1 to 0.3 by 0.1 gives
 * 0.3 and not 0.30000000000000004.
 */
export function rangeValues(
  bounds: readonly Value[],
  limit: number,
): { readonly values: readonly Value[] } | { readonly problem: string; readonly cure: string } {
  const cure = 'a range is `[from, to]` or `[from, to, step]`, both ends included';
  const wrong = bounds.find(
    (bound) => typeof bound !== 'bigint' && !(typeof bound === 'number' && Number.isFinite(bound)),
  );
  if (wrong !== undefined) return { problem: `expected numbers in the range, got ${describe(wrong)}`, cure };
  const [from, to, step = 1] = bounds.map(Number) as [number, number, number?];
  if (step === 0) return { problem: 'the step of the range is 0', cure };
  const count = Math.floor((to - from) / step + 1e-9) + 1;
  if (count < 1) return { problem: `the range from ${from} to ${to} by ${step} is empty`, cure };
  if (count > limit) return { problem: `the range has more than ${limit} values`, cure };
  const [first, , by = 1n] = bounds;
  return {
    values: Array.from({ length: count }, (_, index) =>
      bounds.every((bound) => typeof bound === 'bigint')
        ? (first as bigint) + BigInt(index) * (by as bigint)
        : Number((from + index * step).toPrecision(15)),
    ),
  };
}
