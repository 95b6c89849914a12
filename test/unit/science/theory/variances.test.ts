import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Sampling } from '../../../../science/sampling.ts';
import { noiseAutocovariance } from '../../../../science/theory/noise.ts';
import type { SgdProcess } from '../../../../science/theory/process.ts';
import {
  correlationTime,
  lossFluctuation,
  stationaryVariances,
} from '../../../../science/theory/variances.ts';
import { impulseSum, relative, slidesVariances, spectralSum } from './oracles.ts';

const samplings: readonly Sampling[] = [
  'without-replacement',
  'with-replacement',
  'shuffle-once',
  'sequential',
];

/** Processes with eta lambda from 10^-decades of the stability limit up to nearly the limit itself. */
const processes = (decades: number, sampling: fc.Arbitrary<Sampling>): fc.Arbitrary<SgdProcess> =>
  fc
    .record({
      learningRate: fc.double({ min: 1e-4, max: 1, noNaN: true }),
      momentum: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 0.98, noNaN: true })),
      decade: fc.double({ min: -decades, max: -1e-3, noNaN: true }),
      batchesPerEpoch: fc.integer({ min: 2, max: 60 }),
      sampling,
    })
    .map(({ decade, ...rest }) => ({
      ...rest,
      eigenvalue: (10 ** decade * 2 * (1 + rest.momentum)) / rest.learningRate,
    }));

describe('noise autocovariance, equation (2)', () => {
  it('sums to zero over all lags without replacement, because the noise of an epoch does', () => {
    for (const m of [2, 3, 17, 1000]) {
      let sum = 0;
      for (let h = -2 * m; h <= 2 * m; h++) sum += noiseAutocovariance(h, m, 'without-replacement');
      expect(Math.abs(sum)).toBeLessThan(1e-12);
    }
  });

  it('is the mean over positions in the epoch of the covariance of real permutations', () => {
    // All 24 orders of 4 batches with noise 3, -1, -1.5, -0.5; two epochs drawn independently.
    const noise = [3, -1, -1.5, -0.5];
    const orders = noise.flatMap((a) =>
      noise
        .filter((b) => b !== a)
        .flatMap((b) => noise.filter((c) => c !== a && c !== b).map((c) => [a, b, c, -a - b - c])),
    );
    expect(orders).toHaveLength(24);
    const variance = noise.reduce((sum, x) => sum + x * x, 0) / 4;
    for (const sampling of ['without-replacement', 'shuffle-once'] as const) {
      for (let h = 0; h <= 5; h++) {
        let sum = 0;
        let count = 0;
        for (const first of orders) {
          for (const second of orders) {
            const later = sampling === 'shuffle-once' ? first : second;
            const series = [...first, ...later, ...later];
            for (let k = 0; k < 4; k++) {
              sum += series[k]! * series[k + h]!;
              count++;
            }
          }
        }
        expect(sum / count / variance).toBeCloseTo(noiseAutocovariance(h, 4, sampling), 12);
      }
    }
  });

  it('takes a single full batch as noise without memory', () => {
    for (const sampling of samplings) expect(noiseAutocovariance(1, 1, sampling)).toBe(0);
  });
});

describe('stationary variances, equations (12)-(17)', () => {
  it('equal the matrices of (14)-(17) as printed', () => {
    fc.assert(
      fc.property(processes(3, fc.constant<Sampling>('without-replacement')), (process) => {
        const got = stationaryVariances(process);
        const expected = slidesVariances(process);
        // (1 - D)^-2 costs the printed form about (eta lambda)^-2 in digits.
        const tolerance = 1e-10 + 1e-12 / (process.learningRate * process.eigenvalue) ** 2;
        expect(relative(got.weightVariance, expected.weightVariance)).toBeLessThan(tolerance);
        expect(relative(got.velocityVariance, expected.velocityVariance)).toBeLessThan(tolerance);
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it('equal the double sum of (2) over the impulse responses', () => {
    for (const sampling of ['without-replacement', 'with-replacement'] as const) {
      for (const [momentum, curvature, batchesPerEpoch] of [
        [0, 0.05, 8],
        [0, 1.9, 5],
        [0.5, 0.1, 2],
        [0.5, 2.7, 30],
        [0.8, 0.06, 25],
      ] as const) {
        const process = {
          learningRate: 0.1,
          momentum,
          eigenvalue: curvature / 0.1,
          batchesPerEpoch,
          sampling,
        };
        const got = stationaryVariances(process);
        const [atZero, atOne] = [impulseSum(process, 0, 900), impulseSum(process, 1, 900)];
        expect(relative(got.weightVariance, atZero)).toBeLessThan(1e-9);
        expect(relative(got.velocityVariance, 2 * (atZero - atOne))).toBeLessThan(1e-8);
      }
    }
  });

  it('equal the sum over the frequencies of periodic noise for one kept order', () => {
    fc.assert(
      fc.property(processes(12, fc.constantFrom<Sampling>('shuffle-once', 'sequential')), (process) => {
        const got = stationaryVariances(process);
        expect(relative(got.weightVariance, spectralSum(process, 0))).toBeLessThan(1e-8);
        const velocityVariance = 2 * (spectralSum(process, 0) - spectralSum(process, 1));
        expect(relative(got.velocityVariance, velocityVariance)).toBeLessThan(1e-8);
      }),
      { numRuns: 300, seed: 2 },
    );
  });

  it('approach their limit for lambda -> 0 smoothly, to the last digits', () => {
    for (const sampling of ['without-replacement', 'shuffle-once'] as const) {
      for (const momentum of [0, 0.9, 0.99]) {
        for (const batchesPerEpoch of [2, 100, 1000]) {
          const at = (eigenvalue: number) =>
            stationaryVariances({ learningRate: 0.01, momentum, eigenvalue, batchesPerEpoch, sampling });
          const limit = at(1e-300);
          expect(limit.weightVariance).toBeGreaterThan(0);
          for (const eigenvalue of [1e-100, 1e-30, 1e-15]) {
            const got = at(eigenvalue);
            const tolerance = 1e-9 + (eigenvalue * batchesPerEpoch) / (1 - momentum) ** 3;
            expect(relative(got.weightVariance, limit.weightVariance)).toBeLessThan(tolerance);
            expect(relative(got.velocityVariance, limit.velocityVariance)).toBeLessThan(tolerance);
          }
          if (momentum === 0 && sampling === 'without-replacement') {
            // A sum of m of M noises has variance m (M - m) / (M - 1); its mean over the epoch is (M + 1) / 6.
            expect(limit.weightVariance / 1e-4).toBeCloseTo((batchesPerEpoch + 1) / 6, 8);
            expect(limit.velocityVariance / 1e-4).toBeCloseTo(1, 12);
          }
        }
      }
    }
  });

  it('are positive, and weights fluctuate less without replacement than with', () => {
    fc.assert(
      fc.property(processes(14, fc.constantFrom(...samplings)), (process) => {
        const got = stationaryVariances(process);
        expect(got.stable).toBe(true);
        expect(got.weightVariance).toBeGreaterThan(0);
        expect(got.velocityVariance).toBeGreaterThan(0);
        const curvature = process.learningRate * process.eigenvalue;
        if (
          curvature < (1 - Math.sqrt(process.momentum)) ** 2 &&
          process.sampling === 'without-replacement'
        ) {
          const white = stationaryVariances({ ...process, sampling: 'with-replacement' });
          expect(got.weightVariance).toBeLessThan(white.weightVariance);
        }
      }),
      { numRuns: 500, seed: 3 },
    );
  });

  it('have tau = (1 + beta) / (eta lambda) exactly with replacement', () => {
    fc.assert(
      fc.property(processes(14, fc.constant<Sampling>('with-replacement')), (process) => {
        const expected = (1 + process.momentum) / (process.learningRate * process.eigenvalue);
        expect(relative(correlationTime(process), expected)).toBeLessThan(1e-12);
      }),
    );
  });

  it('signal directions without a stationary state', () => {
    const base = { learningRate: 0.1, momentum: 0.5, batchesPerEpoch: 10 };
    for (const sampling of samplings) {
      for (const eigenvalue of [-1e-9, -5, 0, 30, 31, Number.NaN]) {
        const got = stationaryVariances({ ...base, eigenvalue, sampling });
        expect(got).toEqual({ stable: false, weightVariance: Number.NaN, velocityVariance: Number.NaN });
        expect(correlationTime({ ...base, eigenvalue, sampling })).toBeNaN();
      }
      expect(stationaryVariances({ ...base, eigenvalue: 29.999, sampling }).stable).toBe(true);
    }
  });

  it('refuse impossible hyperparameters, naming the value', () => {
    const base = {
      learningRate: 0.1,
      momentum: 0.5,
      eigenvalue: 1,
      batchesPerEpoch: 10,
      sampling: 'shuffle-once',
    } as const;
    expect(() => stationaryVariances({ ...base, momentum: 1 })).toThrow(/momentum.*got 1/);
    expect(() => stationaryVariances({ ...base, learningRate: 0 })).toThrow(/learning rate.*got 0/);
    expect(() => stationaryVariances({ ...base, batchesPerEpoch: 2.5 })).toThrow(
      /batches per epoch.*got 2.5/,
    );
  });

  it('give the mean loss of the fluctuations', () => {
    expect(lossFluctuation([1, 2, 4], [0.5, 0.25, 1])).toBe(0.25 + 0.25 + 2);
  });
});
