import { expect, test } from 'vitest';
import { refusalOf, type SweepComparison, type SweepEntry } from '../../../bench/sweep/compare-sweep.ts';
import type { LongRun } from '../../../bench/sweep/long-run.ts';
import { growthOf, longVerdicts, sweepVerdicts } from '../../../bench/sweep/page/verdicts.ts';

const entry = (side: string, rates: readonly number[], more: Partial<SweepEntry> = {}): SweepEntry => ({
  side,
  count: 1000,
  runs: rates.map((middleRate) => ({
    ...{ seconds: 2000 / middleRate, middleRate, processorSeconds: 1, peakBytes: 1 },
  })),
  ...more,
});
const trivial = (...entries: SweepEntry[]): SweepComparison => ({ work: 'trivial', count: 1000, entries });

test('rates are medians, held against the fastest of the variants of a peer', () => {
  const verdicts = sweepVerdicts(
    trivial(
      entry('epochal', [39, 40, 400]),
      entry('snakemake', [3.9]),
      entry('snakemake-script', [1]),
      entry('ray-tune', [1]),
      entry('ray-tune-reuse', [25]),
      entry('temporal-no-ops', [160]),
    ),
  );
  expect(verdicts.map(({ reached }) => reached)).toEqual([true, true, true, false, false]);
  expect(verdicts[0]!.text).toBe('40.0 trivial stages a second, 20.0 with start and end (aim: 20)');
  expect(verdicts[1]!.text).toContain('10.3 times the rate of snakemake, 10.3 with start');
  expect(verdicts[4]!.text).toContain('4.00 times as fast');
});

test('a side whose results were refused, or that was too short for a rate, counts for nothing', () => {
  const { runs, ...short } = entry('ray-tune', [100]);
  const verdicts = sweepVerdicts(
    trivial(entry('epochal', [40]), entry('snakemake', [100], { refused: 'train images: off by 1.0e-3' }), {
      ...short,
      runs: runs.map(({ middleRate: _, ...run }) => run),
    }),
  );
  expect(verdicts).toHaveLength(1);
});

test('results of a trivial stage must be equal, numbers of a cell close', () => {
  expect(refusalOf({ 'train images': 0, 'test labels': 0 })).toBeUndefined();
  expect(refusalOf({ 'train images': 1e-6, 'test labels': 0 })).toBe('train images: off by 1.0e-6');
  expect(refusalOf({ eigenvalues: 1e-6, 'weight variances': 5e-4 })).toBeUndefined();
  expect(refusalOf({ eigenvalues: 5e-4, 'weight variances': 5e-4 })).toBe('eigenvalues: off by 5.0e-4');
  expect(refusalOf({ eigenvalues: Number.NaN })).toContain('eigenvalues');
});

/** A run whose worker takes `perCell` bytes more with each cell, after it has warmed up. */
const run = (perCell: number, slowest: number): LongRun => ({
  ...{ cells: 10_000, seconds: 700, middleRate: 15, processorSeconds: 1 },
  memory: Array.from({ length: 101 }, (_, index) => ({
    at: index,
    cells: index * 100,
    bytes: { server: 2e8, worker: 4e8 + perCell * index * 100, CLI: index === 100 ? 5e8 : 2e8 },
  })),
  statuses: [0.5, slowest].map((seconds) => ({ at: 0, seconds, ended: 1 })),
  histories: { runs: { study: 4, cell: 10_000 }, longest: { study: 9000, cell: 20 }, databaseBytes: 1 },
});

test('memory that grows with the cells is seen, and that of the program while it concludes', () => {
  expect(growthOf(run(0, 0.5))).toEqual({ server: 0, worker: 0, CLI: 0 });
  // From the middle of the second fifth to that of the last: 6,000 cells.
  expect(growthOf(run(2e4, 0.5)).worker).toBeCloseTo((6000 * 2e4) / (4e8 + 2950 * 2e4), 3);
  const reached = longVerdicts(run(2e4, 1.2)).map((verdict) => verdict.reached);
  expect(reached).toEqual([true, true, false, true, false, true, false]);
  expect(longVerdicts(run(0, 0.9)).filter((verdict) => !verdict.reached)).toHaveLength(1);
});
