/** Borders of the smaller parts of the analysis, and how honest its errors are. */
import { describe, expect, it, test } from 'vitest';
import {
  batchMeansError,
  blockMeans,
  layOutBlocks,
  ratioError,
} from '../../../../science/analysis/blocks.ts';
import { epochsTogether, lowFrequencyPower, pooledShares } from '../../../../science/analysis/leftover.ts';
import { pairedDifference } from '../../../../science/analysis/paired-difference.ts';
import { studentTCentral, studentTQuantile } from '../../../../science/analysis/student-t.ts';
import { chooseLagWindow } from '../../../../science/analysis/velocity-sums.ts';
import { RandomStream } from '../../../../science/random.ts';

describe('errors from blocks', () => {
  /** x_k = rho x_{k-1} + noise, stationary from the start with variance 1. */
  function autoregressive(random: RandomStream, steps: number, rho: number): Float64Array {
    const x = new Float64Array(steps);
    for (let k = 0; k < steps; k++)
      x[k] = k === 0 ? random.normal() : rho * x[k - 1]! + Math.sqrt(1 - rho ** 2) * random.normal();
    return x;
  }
  /** Variance of the mean of `steps` values with autocorrelation a^h, over that of independent ones. */
  const inflation = (a: number, steps: number) =>
    (1 + a) / (1 - a) - (2 * a * (1 - a ** steps)) / (steps * (1 - a) ** 2);

  // Squares of a process with autocorrelation rho^h have rho^(2 h). Blocks of length L share what lies across their borders, and are n.
  test.each([5, 20])(
    'of a variance are what n blocks of %d relaxation times can know, in 600 series',
    (relaxations) => {
      const [relaxation, count, runs] = [8, 10, 600];
      const rho = Math.exp(-1 / relaxation);
      const length = relaxations * relaxation;
      const steps = count * length;
      const layout = layOutBlocks(steps, count, 1);
      const random = new RandomStream(4, 'errors', relaxations);
      let [stated, found, covered] = [0, 0, 0];
      const truth = Math.sqrt((2 * inflation(rho ** 2, steps)) / steps);
      for (let run = 0; run < runs; run++) {
        const squares = autoregressive(random, steps, rho).map((x) => x ** 2);
        const means = blockMeans(squares, 0, layout);
        const error = batchMeansError(means, steps, layout);
        const value = squares.reduce((sum, x) => sum + x, 0) / steps;
        stated += error ** 2 / runs;
        found += (value - 1) ** 2 / runs;
        if (Math.abs(value - 1) < error) covered++;
      }
      expect(Math.abs(found / truth ** 2 - 1)).toBeLessThan(4 * Math.sqrt(2.6 / runs));
      // E s^2 / n: n / (n - 1) of what the mean of a block scatters by more than that of all.
      const ofBlock = (2 * inflation(rho ** 2, length)) / length;
      const expected = (ofBlock - truth ** 2) / (count - 1);
      expect(Math.abs(stated / expected - 1)).toBeLessThan(0.09);
      // By how much they are low: a relaxation time of the squares over a block, each way.
      expect(Math.sqrt(expected) / truth).toBeGreaterThan(1 - 0.6 / relaxations);
      expect(Math.sqrt(expected) / truth).toBeLessThan(1);
      // 0.657 with nine degrees of freedom, less what the errors are low by.
      const share = 0.657 - 0.3 / relaxations;
      expect(Math.abs(covered / runs - share)).toBeLessThan(4 * Math.sqrt((0.66 * 0.34) / runs));
    },
  );

  it('of a ratio are those of its linearization', () => {
    const layout = { count: 3, length: 2 };
    // 3 - 2 * 1, 5 - 2 * 2, 4 - 2 * 3: 1, 1, -2, variance 3, over a mean of 2.
    const got = ratioError(2, Float64Array.of(3, 5, 4), Float64Array.of(1, 2, 3), 6, layout);
    expect(got).toBeCloseTo(Math.sqrt(3 / 3) / 2, 12);
    expect(ratioError(2, Float64Array.of(3, 5, 4), Float64Array.of(-1, -2, -3), 6, layout)).toBeGreaterThan(
      0,
    );
  });
});

describe('the power of noise at low frequencies', () => {
  const process = { learningRate: 0.1, momentum: 0.5, batchesPerEpoch: 3 };
  // lambda_cross = 5: L = (2/3) 5 / lambda.

  it('is summed over (2/3) lambda_cross / lambda epochs, rounded, at least 2 and at most a quarter of the series', () => {
    expect([3.33, 1.4, 1.2, 0.5, 20].map((x) => epochsTogether(process, x, 80))).toEqual([2, 2, 3, 7, 2]);
    expect(epochsTogether(process, 0.1, 80)).toBe(20);
    expect(epochsTogether(process, 0.1, 79)).toBe(19);
    expect(epochsTogether(process, 0.1, 7)).toBe(1);
    expect([0, -1].map((x) => epochsTogether(process, x, 80))).toEqual([20, 20]);
  });

  it('leaves out the first epoch and what is left at the end, and gives back what the mean takes', () => {
    const random = new RandomStream(1, 'power');
    const noise = Float64Array.from({ length: 3 * 18 + 2 }, () => random.normal());
    // 17 epochs after the first, four together: 4 windows of twelve steps.
    let squares = 0;
    for (let window = 0; window < 4; window++) {
      let sum = 0;
      for (let k = 0; k < 12; k++) sum += noise[3 + 12 * window + k]!;
      squares += sum ** 2;
    }
    const { share, windows } = lowFrequencyPower(noise, 0.7, 1e-3, process);
    expect(windows).toBe(4);
    expect(share).toBeCloseTo(squares / 4 / (3 / 4) / (12 * 0.7), 10);
    expect(lowFrequencyPower(noise.subarray(0, 9), 1, 1e-3, process).windows).toBe(2);
    expect(lowFrequencyPower(noise.subarray(0, 8), 1, 1e-3, process).windows).toBe(0);
  });

  it('is pooled over five neighbours in eigenvalue on each side, by their windows, and lies between 0 and 1', () => {
    const eigenvalues = Float64Array.from({ length: 14 }, (_, i) => (i * 5) % 14);
    const powers = Array.from({ length: 14 }, (_, i) => ({ share: 0.01 * (i + 1), windows: 8 + i }));
    const shares = pooledShares(eigenvalues, powers);
    for (let i = 0; i < 14; i++) {
      let [sum, total] = [0, 0];
      for (let j = 0; j < 14; j++) {
        if (Math.abs(eigenvalues[j]! - eigenvalues[i]!) > 5) continue;
        sum += powers[j]!.share * powers[j]!.windows;
        total += powers[j]!.windows;
      }
      expect(shares[i]).toBeCloseTo(sum / total, 12);
    }
    expect(pooledShares(Float64Array.of(1), [{ share: -0.3, windows: 8 }])[0]).toBe(0);
    expect(pooledShares(Float64Array.of(1), [{ share: 1.3, windows: 8 }])[0]).toBe(1);
  });
});

describe('the lag window', () => {
  it('is six relaxation times and six memories of the velocity long, rounded up, to an eighth of the series', () => {
    expect(chooseLagWindow(9, 0.5, 1e4)).toEqual({ flat: 30, end: 60, capped: false });
    expect(chooseLagWindow(9.1, 0.5, 1e4)).toEqual({ flat: 31, end: 62, capped: false });
    expect(chooseLagWindow(9, 0.5, 240)).toEqual({ flat: 30, end: 60, capped: false });
    expect(chooseLagWindow(9, 0.5, 239)).toEqual({ flat: 29, end: 58, capped: true });
    expect(chooseLagWindow(9, 0.5, 7)).toEqual({ flat: 1, end: 2, capped: true });
  });
});

describe("Student's t", () => {
  it('has its quantiles to nearly full precision', () => {
    // tan(pi c / 2) for one degree of freedom, c sqrt(2 / (1 - c^2)) for two.
    for (const c of [0.01, 0.5, 0.683, 0.95, 0.9999]) {
      expect(studentTQuantile(c, 1) / Math.tan((Math.PI * c) / 2)).toBeCloseTo(1, 10);
      expect(studentTQuantile(c, 2) / (c * Math.sqrt(2 / (1 - c ** 2)))).toBeCloseTo(1, 10);
    }
    expect(studentTCentral(-2, 5)).toBe(studentTCentral(2, 5));
    expect(studentTCentral(0, 5)).toBe(0);
    for (const wrong of [0, 1, Number.NaN])
      expect(() => studentTQuantile(wrong, 3)).toThrow('between 0 and 1');
  });

  it('gives a paired difference its means, error and interval', () => {
    const got = pairedDifference([3, 5, 10], [2, 3, 5], 'absolute', 0.9);
    // Differences 1, 2, 5: mean 8/3, variance 13/3.
    expect(got).toMatchObject({ pairs: 3, first: 6, confidence: 0.9 });
    expect(got.second).toBeCloseTo(10 / 3, 12);
    expect(got.difference).toBeCloseTo(8 / 3, 12);
    expect(got.standardError).toBeCloseTo(Math.sqrt(13) / 3, 12);
    expect(got.halfWidth).toBeCloseTo((studentTQuantile(0.9, 2) * Math.sqrt(13)) / 3, 12);
    const reduced = pairedDifference([1, 1], [4, 2], 'reduction');
    expect(reduced.difference).toBeCloseTo(0.625, 12);
    expect(reduced.standardError).toBeCloseTo(0.125, 12);
    expect(pairedDifference([2], [1]).halfWidth).toBeNaN();
  });
});
