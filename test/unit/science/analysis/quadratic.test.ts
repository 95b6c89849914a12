import { describe, expect, it } from 'vitest';
import { analyzeSeries } from '../../../../science/analysis/analyze-series.ts';
import { type Quantity, quantities, type Spectrum } from '../../../../science/analysis/spectrum.ts';
import type { Sampling } from '../../../../science/sampling.ts';
import { lambdaCross } from '../../../../science/theory/regimes.ts';
import { correlationTime } from '../../../../science/theory/variances.ts';
import type { Drift } from '../../../../science/theory/window.ts';
import { type QuadraticRun, runQuadratic } from './quadratic-sgd.ts';

interface Setting {
  readonly learningRate: number;
  readonly momentum: number;
  readonly batchesPerEpoch: number;
  readonly epochs: number;
  readonly drift: Drift;
}

const settings: readonly Setting[] = [
  { learningRate: 0.1, momentum: 0, batchesPerEpoch: 20, epochs: 3000, drift: 'linear' },
  { learningRate: 0.02, momentum: 0.5, batchesPerEpoch: 50, epochs: 1200, drift: 'mean' },
  { learningRate: 0.01, momentum: 0.9, batchesPerEpoch: 40, epochs: 3000, drift: 'linear' },
];

/** Eigenvalues as multiples of lambda_cross, from deep in the flat regime to near the limit of stability. */
function analyzed(
  setting: Setting,
  sampling: Sampling,
  multiples: readonly number[],
  theory: Sampling = sampling,
): Spectrum {
  const { learningRate, momentum } = setting;
  const limit = (2 * (1 + momentum)) / learningRate;
  const eigenvalues = multiples.map((multiple) => Math.min(multiple * lambdaCross(setting), 0.95 * limit));
  const run: QuadraticRun = { ...setting, eigenvalues, sampling, batchSize: 2, warmup: 100, seed: 11 };
  return analyzeSeries({
    ...setting,
    ...runQuadratic(run),
    sampling: theory,
    directions: eigenvalues.length,
    eigenvalues: Float64Array.from(eigenvalues),
    blocks: 40,
  });
}

/** All deviations from theory within 4 standard errors, and 95 % of them within 3. */
function agrees(deviations: readonly number[]): boolean {
  const within = (limit: number) => deviations.filter((d) => Math.abs(d) < limit).length;
  return within(4) === deviations.length && within(3) >= 0.95 * deviations.length;
}

const flatToSteep = [0.03, 0.1, 0.3, 0.7, 1, 1.5, 3, 6, 10, 20];

describe('SGD on a quadratic sum over examples, against (12)-(18)', () => {
  const spectra = settings.flatMap((setting) => [
    analyzed(setting, 'without-replacement', flatToSteep),
    // White noise relaxes in (1 - beta) / (eta lambda) steps, which must be short against the blocks.
    analyzed(setting, 'with-replacement', flatToSteep.slice(2)),
  ]);
  const all = (name: Quantity) => spectra.flatMap(({ columns }) => [...columns[`${name}_deviation`]]);

  it.each(quantities)('agrees in %s within standard errors on both sides of lambda_cross', (name) => {
    const deviations = all(name);
    expect(deviations).toHaveLength(54);
    expect(agrees(deviations)).toBe(true);
    // The standard errors are neither too small nor too large, and there is no bias in common.
    const mean = deviations.reduce((sum, d) => sum + d, 0) / deviations.length;
    const spread = Math.sqrt(deviations.reduce((sum, d) => sum + (d - mean) ** 2, 0) / deviations.length);
    expect(Math.abs(mean)).toBeLessThan(0.45);
    expect(spread).toBeGreaterThan(0.7);
    expect(spread).toBeLessThan(1.35);
  });

  it('is precise enough to mean something', () => {
    for (const { columns } of spectra) {
      for (const name of ['weight_variance', 'velocity_variance', 'correlation_time'] as const) {
        for (const [i, error] of columns[`${name}_standard_error`].entries()) {
          expect(error / columns[name][i]!).toBeLessThan(0.06);
        }
      }
    }
  });

  it('does not agree with the theory without E, that is without anti-correlations', () => {
    for (const setting of settings) {
      const { columns } = analyzed(setting, 'without-replacement', flatToSteep, 'with-replacement');
      expect(agrees([...columns.weight_variance_deviation])).toBe(false);
      expect(agrees([...columns.correlation_time_deviation])).toBe(false);
    }
  });

  it('needs no notes on long windows', () => {
    for (const { notes } of spectra) expect(notes).toEqual([]);
  });

  it('has both sides of equation (18) equal to tau', () => {
    const { columns } = spectra[0]!;
    for (let i = 0; i < columns.index.length; i++) {
      const tau = correlationTime({
        ...settings[0]!,
        eigenvalue: columns.eigenvalue[i]!,
        sampling: 'without-replacement',
      });
      expect(columns.correlation_time_theory[i]).toBe(tau);
      expect(columns.correlation_time_sum_theory[i]).toBe(tau);
      expect(Math.abs(columns.correlation_time[i]! / tau - 1)).toBeLessThan(0.06);
      expect(Math.abs(columns.correlation_time_sum[i]! / tau - 1)).toBeLessThan(0.2);
    }
  });
});

describe('short windows', () => {
  // 60 directions of one eigenvalue, each with noise of its own: their mean has a tenth of the scatter of one.
  const windows = [0.1, 0.3, 1, 10].map((multiple) => {
    const setting = {
      learningRate: 0.01,
      momentum: 0.9,
      batchesPerEpoch: 100,
      epochs: 10,
      drift: 'linear',
    } as const;
    const eigenvalues = new Array<number>(60).fill(multiple * lambdaCross(setting));
    const input = {
      ...setting,
      eigenvalues,
      sampling: 'with-replacement',
      batchSize: 1,
      warmup: 200,
      seed: 3,
    } as const;
    const { columns } = analyzeSeries({
      ...setting,
      ...runQuadratic(input),
      sampling: 'with-replacement',
      directions: 60,
      eigenvalues: Float64Array.from(eigenvalues),
      blocks: 5,
    });
    return columns;
  });
  const mean = (values: Float64Array) => values.reduce((sum, x) => sum + x, 0) / values.length;

  it('take variance out of slow directions as the theory of the window says', () => {
    const kept = windows.map((c) => mean(c.weight_variance_theory_window) / mean(c.weight_variance_theory));
    expect(kept[0]).toBeLessThan(0.4);
    expect(kept[3]).toBeGreaterThan(0.95);
    for (const columns of windows) {
      const ratios = columns.weight_variance.map((x, i) => x / columns.weight_variance_theory_window[i]!);
      const scatter = Math.sqrt(mean(ratios.map((r) => (r - mean(ratios)) ** 2)) / 60);
      expect(Math.abs(mean(ratios) - 1)).toBeLessThan(4 * scatter);
    }
  });
});

describe('noise that repeats every epoch', () => {
  it('has the variances of its theory on average over orders, but neither deviations nor the sums of (18)', () => {
    for (const multiple of [0.05, 1, 20]) {
      const setting = {
        learningRate: 0.02,
        momentum: 0.5,
        batchesPerEpoch: 25,
        epochs: 4,
        drift: 'mean',
      } as const;
      // Examples differ from direction to direction, so that one order is as good as 400.
      const eigenvalues = new Array<number>(400).fill(multiple * lambdaCross(setting));
      const warmup = Math.ceil(10 / multiple) + 20;
      const run = {
        ...setting,
        eigenvalues,
        sampling: 'shuffle-once',
        batchSize: 1,
        warmup,
        seed: 5,
      } as const;
      const { columns, notes } = analyzeSeries({
        ...setting,
        ...runQuadratic(run),
        sampling: 'shuffle-once',
        directions: 400,
        eigenvalues: Float64Array.from(eigenvalues),
        blocks: 4,
      });
      for (const name of ['weight_variance', 'velocity_variance'] as const) {
        const theory = columns[`${name}_theory`];
        const ratios = columns[name].map((x, i) => x / theory[i]!);
        const average = ratios.reduce((sum, r) => sum + r, 0) / 400;
        const scatter = Math.sqrt(ratios.reduce((sum, r) => sum + (r - average) ** 2, 0) / 400 / 400);
        expect(Math.abs(average - 1)).toBeLessThan(4 * scatter + 1e-3);
        expect(columns[`${name}_deviation`].every(Number.isNaN)).toBe(true);
      }
      expect(columns.correlation_time_sum.every(Number.isNaN)).toBe(true);
      expect(notes.some((note) => note.includes('repeats its noise every 25 steps'))).toBe(true);
    }
  });
});

describe('orders by blocks and in pairs', () => {
  it('of pairs agree with their theory within standard errors, and not with that of new orders', () => {
    const spectra = settings.map((setting) => analyzed(setting, 'paired-reversal', flatToSteep));
    for (const name of quantities) {
      const deviations = spectra.flatMap(({ columns }) => [...columns[`${name}_deviation`]]);
      expect(deviations).toHaveLength(30);
      expect(agrees(deviations)).toBe(true);
    }
    for (const { notes } of spectra) expect(notes).toEqual([]);
    const others = settings.map((setting) =>
      analyzed(setting, 'paired-reversal', flatToSteep, 'without-replacement'),
    );
    for (const { columns } of others) expect(agrees([...columns.weight_variance_deviation])).toBe(false);
  });

  it('in pairs say so where blocks of the series cut them', () => {
    const setting = { ...settings[0]!, epochs: 121 };
    const { notes } = analyzed(setting, 'paired-reversal', [1]);
    expect(notes.some((note) => note.includes('not whole pairs of epochs of 20 batches'))).toBe(true);
  });

  it('by blocks have the variances of their theory on average over arrangements, and no deviations', () => {
    const base = { learningRate: 0.02, momentum: 0.5, batchesPerEpoch: 24, drift: 'mean' } as const;
    for (const multiple of [0.1, 20]) {
      // Examples differ from direction to direction, so that one arrangement is as good as 1600.
      const eigenvalues = new Array<number>(1600).fill(multiple * lambdaCross(base));
      const warmup = Math.ceil(10 / multiple) + 20;
      const order = { sampling: 'block-reshuffling', batchSize: 1, blockSize: 12 } as const;
      const analyzedAs = (batchesPerBlock: number) =>
        analyzeSeries({
          ...{ ...base, ...runQuadratic({ ...base, ...order, eigenvalues, warmup, epochs: 40, seed: 5 }) },
          ...{ sampling: 'block-reshuffling', batchesPerBlock, directions: 1600, blocks: 4 },
          eigenvalues: Float64Array.from(eigenvalues),
        });
      const { columns, notes } = analyzedAs(12);
      const offBy = (theory: Float64Array) => {
        const ratios = columns.weight_variance.map((x, i) => x / theory[i]!);
        const average = ratios.reduce((sum, r) => sum + r, 0) / 1600;
        const scatter = Math.sqrt(ratios.reduce((sum, r) => sum + (r - average) ** 2, 0) / 1600 / 1600);
        return Math.abs(average - 1) / (scatter + 1e-3);
      };
      expect(offBy(columns.weight_variance_theory_window)).toBeLessThan(3);
      if (multiple < 1) expect(offBy(analyzedAs(1).columns.weight_variance_theory_window)).toBeGreaterThan(3);
      expect(columns.weight_variance_deviation.every(Number.isNaN)).toBe(true);
      expect(columns.correlation_time_sum.every(Number.isNaN)).toBe(true);
      expect(notes.some((note) => note.includes('keeps its blocks for ever'))).toBe(true);
    }
  });
});
