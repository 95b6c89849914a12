const goldenRatio = (Math.sqrt(5) - 1) / 2;

/**
 * `n` of the items at most, spread over all of them: one of each n-th part, at a place in it that differs from part to part, so that what comes again
 * at regular distances, as the values of the inner axes of a matrix do, is met as often as it is there.
 */
export function evenly<T>(items: readonly T[], n: number): readonly T[] {
  if (items.length <= n) return items;
  return Array.from({ length: n }, (_, index) => {
    const first = Math.floor((index * items.length) / n);
    const next = Math.floor(((index + 1) * items.length) / n);
    return items[first + Math.floor(((index * goldenRatio) % 1) * (next - first))]!;
  });
}
