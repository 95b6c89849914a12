/** Consecutive blocks of equal length, the unit of independent information in a correlated series. */
export interface BlockLayout {
  readonly count: number;
  /** Steps in each block. */
  readonly length: number;
}

/**
 * `count` blocks as long as fit into `steps`, and whole epochs long if they are at least one, because the fluctuations depend on the
 * position in the epoch. Steps left over at the end are not in any block.
 */
export function layOutBlocks(steps: number, count: number, batchesPerEpoch: number): BlockLayout {
  const longest = Math.floor(steps / count);
  const length = longest >= batchesPerEpoch ? longest - (longest % batchesPerEpoch) : longest;
  return { count, length };
}

/**
 * Mean of `values[from..]` in each block, where `values[k]` belongs to step k: the first block may lack the steps before `from`, which
 * have no value yet.
 */
export function blockMeans(values: Float64Array, from: number, { count, length }: BlockLayout): Float64Array {
  const means = new Float64Array(count);
  for (let b = 0; b < count; b++) {
    const start = Math.max(from, b * length);
    const end = (b + 1) * length;
    let sum = 0;
    for (let k = start; k < end; k++) sum += values[k]!;
    means[b] = sum / (end - start);
  }
  return means;
}

/**
 * Standard error of a mean over `steps` values by the method of batch means: standard deviation of the block means over the square root
 * of how many blocks the series is long. Right if blocks are much longer than the memory of the series; shorter ones give too little.
 */
export function batchMeansError(means: Float64Array, steps: number, { count, length }: BlockLayout): number {
  const mean = average(means);
  let squares = 0;
  for (const value of means) squares += (value - mean) ** 2;
  return Math.sqrt(squares / (count - 1) / (steps / length));
}

/**
 * Standard error of the ratio of two means, from its linearization: that of the block means of (numerator - ratio * denominator), over the
 * denominator. Unlike the jackknife it does not run away where leaving out one block takes the denominator through zero.
 */
export function ratioError(
  ratio: number,
  numerators: Float64Array,
  denominators: Float64Array,
  steps: number,
  layout: BlockLayout,
): number {
  const differences = numerators.map((value, b) => value - ratio * denominators[b]!);
  return batchMeansError(differences, steps, layout) / Math.abs(average(denominators));
}

export function average(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
