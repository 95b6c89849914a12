import { describe, expect, it } from 'vitest';
import { analyzeSeries } from '../../../../science/analysis/analyze-series.ts';
import {
  batchMeansError,
  blockMeans,
  layOutBlocks,
  ratioError,
} from '../../../../science/analysis/blocks.ts';
import { detrend } from '../../../../science/analysis/detrend.ts';
import type { SeriesInput } from '../../../../science/analysis/spectrum.ts';
import { chooseLagWindow, velocitySums } from '../../../../science/analysis/velocity-sums.ts';
import { RandomStream } from '../../../../science/random.ts';
import { runQuadratic } from './quadratic-sgd.ts';

const run = {
  learningRate: 0.1,
  momentum: 0.5,
  eigenvalues: [4, 1, 0.5],
  batchesPerEpoch: 10,
  batchSize: 3,
  sampling: 'with-replacement',
  warmup: 20,
  epochs: 400,
  seed: 2,
} as const;
const simulated = runQuadratic(run);
const input: SeriesInput = {
  ...run,
  ...simulated,
  directions: 3,
  eigenvalues: Float64Array.from(run.eigenvalues),
  drift: 'linear',
  blocks: 10,
};

describe('analyzeSeries', () => {
  it('defines each measured column as a reader would compute it', () => {
    const { columns } = analyzeSeries({ ...input, drift: 'mean' });
    const theta = Float64Array.from({ length: input.steps }, (_, k) => input.theta[k * 3 + 1]!);
    const variance = (x: Float64Array) => {
      const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
      return x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
    };
    const v = theta.slice(1).map((value, k) => value - theta[k]!);
    const noise = v.slice(1).map((value, k) => -(value - 0.5 * v[k]!) / 0.1 - 1 * theta[k + 1]!);
    expect(columns.index[1]).toBe(1);
    expect(columns.eigenvalue[1]).toBe(1);
    expect(columns.weight_variance[1]).toBeCloseTo(variance(theta), 12);
    expect(columns.velocity_variance[1]).toBeCloseTo(variance(v), 12);
    expect(columns.noise_variance[1]).toBeCloseTo(variance(noise), 12);
    expect(columns.correlation_time[1]).toBeCloseTo((2 * variance(theta)) / variance(v), 10);
  });

  it('finds the variance of the noise that the examples have', () => {
    const { columns } = analyzeSeries(input);
    for (const [i, eigenvalue] of run.eigenvalues.entries()) {
      const random = new RandomStream(run.seed, 'examples', i);
      const xi = Array.from({ length: 30 }, () => Math.sqrt(eigenvalue) * random.normal());
      const mean = xi.reduce((sum, x) => sum + x, 0) / 30;
      const expected = xi.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 30 / run.batchSize;
      const error = columns.noise_variance_standard_error[i]!;
      expect(error).toBeLessThan(0.05 * expected);
      expect(Math.abs(columns.noise_variance[i]! - expected)).toBeLessThan(4 * error);
    }
  });

  it('does not see a reference, nor a straight drift', () => {
    const moved = input.theta.map((value, n) => value + 3 + 0.002 * Math.floor(n / 3));
    const { columns } = analyzeSeries({ ...input, theta: moved });
    const { columns: still } = analyzeSeries(input);
    for (const name of [
      'weight_variance',
      'velocity_variance',
      'noise_variance',
      'correlation_time_sum',
    ] as const) {
      for (let i = 0; i < 3; i++) expect(columns[name][i]! / still[name][i]!).toBeCloseTo(1, 8);
    }
  });

  it('takes float32 as well, and says when its spacing is too coarse', () => {
    const fine = analyzeSeries({ ...input, theta: Float32Array.from(input.theta) });
    const exact = analyzeSeries(input);
    expect(fine.columns.weight_variance[0]! / exact.columns.weight_variance[0]!).toBeCloseTo(1, 6);
    expect(fine.notes).toEqual(exact.notes);
    const coarse = analyzeSeries({ ...input, theta: Float32Array.from(input.theta, (value) => value + 2e6) });
    expect(coarse.notes.join()).toMatch(/3 of 3 directions are stored with a float32 spacing/);
  });

  it('gives directions without a stationary state no theory, and counts them', () => {
    const eigenvalues = Float64Array.of(31, -0.5, 0.5);
    const { columns, notes } = analyzeSeries({ ...input, eigenvalues });
    for (const i of [0, 1]) {
      expect(columns.weight_variance[i]).toBeGreaterThan(0);
      for (const name of [
        'weight_variance_theory',
        'correlation_time_theory_window',
        'weight_variance_deviation',
      ] as const) {
        expect(columns[name][i]).toBeNaN();
      }
    }
    expect(columns.weight_variance_theory[2]).toBeGreaterThan(0);
    expect(notes).toContainEqual(
      expect.stringMatching(/1 of 3 directions have no positive eigenvalue \(lowest -0.5\)/),
    );
    expect(notes).toContainEqual(
      expect.stringMatching(/1 of 3 directions have eta lambda >= 2 \(1 \+ beta\), lambda >= 30/),
    );
  });

  it('says where windows, blocks and epochs do not fit the assumptions', () => {
    const short = (steps: number, eigenvalue: number, change: Partial<SeriesInput> = {}) =>
      analyzeSeries({
        ...input,
        theta: input.theta.subarray(0, steps * 3),
        steps,
        eigenvalues: Float64Array.of(4, 1, eigenvalue),
        ...change,
      }).notes.join('\n');
    expect(short(300, 0.01)).toMatch(
      /1 of 3 directions relax in more than a tenth of the 300 recorded steps/,
    );
    expect(short(300, 0.01)).toMatch(/more than a fifth of a block of 30 steps/);
    expect(short(300, 0.01)).toMatch(/tau above a tenth of the 300 recorded steps/);
    expect(short(305, 0.5)).toMatch(/305 steps are not whole epochs of 10 batches/);
    expect(short(90, 0.5, { sampling: 'without-replacement' })).toMatch(
      /blocks of 9 steps are not whole epochs/,
    );
    const rising = input.theta.map((value, n) => value + 0.01 * Math.floor(n / 3));
    expect(analyzeSeries({ ...input, theta: rising }).notes.join()).toMatch(
      /3 of 3 directions drift by more/,
    );
    const frozen = input.theta.map((value, n) => (n % 3 === 1 ? 0.25 : value));
    const still = analyzeSeries({ ...input, theta: frozen });
    expect(still.notes.join()).toMatch(/1 of 3 directions do not move/);
    expect(still.columns.weight_variance[1]).toBe(0);
    expect(still.columns.correlation_time[1]).toBeNaN();
  });

  it('refuses what it cannot analyze, saying what it got', () => {
    expect(() => analyzeSeries({ ...input, steps: 7 })).toThrow(
      /12000 values; 7 steps of 3 directions are 21/,
    );
    expect(() => analyzeSeries({ ...input, eigenvalues: new Float64Array(2) })).toThrow(
      /2 eigenvalues for 3 directions/,
    );
    expect(() => analyzeSeries({ ...input, blocks: 1 })).toThrow(/at least 2 blocks, got 1/);
    expect(() => analyzeSeries({ ...input, blocks: 2000 })).toThrow(
      /4000 steps, 2000 blocks need at least 6000/,
    );
    const diverged = input.theta.slice();
    diverged[3 * 17 + 2] = Number.POSITIVE_INFINITY;
    expect(() => analyzeSeries({ ...input, theta: diverged })).toThrow(/direction 2 is Infinity at step 17/);
  });
});

describe('velocitySums', () => {
  it('equals the double loop over steps and lags', () => {
    const random = new RandomStream(4, 'walk');
    let position = 50;
    const theta = Float64Array.from({ length: 120 }, () => {
      position += random.normal();
      return position;
    });
    const mean = (theta[119]! - theta[0]!) / 119;
    const v = theta.slice(1).map((value, k) => value - theta[k]! - mean);
    for (const [flat, end] of [
      [1, 2],
      [5, 10],
      [7, 30],
    ] as const) {
      const { first, total } = velocitySums(theta, { flat, end });
      expect(first).toHaveLength(120 - end);
      for (let j = 0; j < first.length; j++) {
        let [expectedFirst, expectedTotal] = [0, 0];
        for (let h = 1; h < end; h++) {
          const weight = h <= flat ? 1 : (end - h) / (end - flat);
          expectedFirst += weight * h * v[j]! * v[j + h]!;
          expectedTotal += weight * v[j]! * v[j + h]!;
        }
        expect(first[j]).toBeCloseTo(expectedFirst, 8);
        expect(total[j]).toBeCloseTo(expectedTotal, 8);
      }
    }
  });

  it('looks over some relaxation times, within a quarter of the series', () => {
    expect(chooseLagWindow(100, 0, 1e5)).toEqual({ flat: 606, end: 1212, capped: false });
    expect(chooseLagWindow(1900, 0.9, 1e5)).toEqual({ flat: 660, end: 1320, capped: false });
    expect(chooseLagWindow(1900, 0.9, 800)).toEqual({ flat: 100, end: 200, capped: true });
  });
});

describe('detrend', () => {
  it('leaves nothing of a line, and keeps what is orthogonal to it', () => {
    const line = Float64Array.from({ length: 11 }, (_, k) => 1e6 - 2 * k);
    const { residual, driftVariance } = detrend(line, 'linear');
    expect(Math.max(...residual.map(Math.abs))).toBeLessThan(1e-9);
    expect(driftVariance).toBeCloseTo(4 * 10, 8);
    const parabola = Float64Array.from({ length: 11 }, (_, k) => (k - 5) ** 2 + 3 * k);
    const left = detrend(parabola, 'linear').residual;
    for (const [k, value] of left.entries()) expect(value).toBeCloseTo((k - 5) ** 2 - 10, 10);
    expect(detrend(Float64Array.of(1, 2, 6), 'mean')).toEqual({
      residual: Float64Array.of(-2, -1, 3),
      driftVariance: 0,
    });
  });
});

describe('blocks', () => {
  it('are whole epochs where at least one fits', () => {
    expect(layOutBlocks(1000, 10, 30)).toEqual({ count: 10, length: 90 });
    expect(layOutBlocks(1000, 10, 200)).toEqual({ count: 10, length: 100 });
  });

  it('give the standard errors of independent values', () => {
    const random = new RandomStream(9, 'white');
    const steps = 40_000;
    const x = Float64Array.from({ length: steps }, () => 2 + 3 * random.normal());
    const y = Float64Array.from({ length: steps }, () => 5 + random.normal());
    // A tenth of the steps is left over, yet the error is that of the mean over all.
    const layout = layOutBlocks(steps, 400, 90);
    expect(layout.length).toBe(90);
    const [meansX, meansY] = [blockMeans(x, 0, layout), blockMeans(y, 0, layout)];
    expect(Math.abs(batchMeansError(meansX, steps, layout) / (3 / Math.sqrt(steps)) - 1)).toBeLessThan(0.15);
    const expected = Math.sqrt((3 / 5) ** 2 + (2 / 25) ** 2) / Math.sqrt(steps);
    expect(Math.abs(ratioError(2 / 5, meansX, meansY, steps, layout) / expected - 1)).toBeLessThan(0.15);
    expect(ratioError(1, meansX, meansX, steps, layout)).toBe(0);
  });

  it('leave out the steps before the first value', () => {
    expect([...blockMeans(Float64Array.of(99, 99, 1, 3, 2, 4, 5, 6), 2, { count: 2, length: 4 })]).toEqual([
      2, 4.25,
    ]);
  });
});
