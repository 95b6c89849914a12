import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Sampling } from '../../../../science/sampling.ts';
import {
  velocityAutocovariance,
  weightAutocovariance,
  weightStructureFunction,
} from '../../../../science/theory/autocovariance.ts';
import { noiseAutocovariance } from '../../../../science/theory/noise.ts';
import { correlationTime, stationaryVariances } from '../../../../science/theory/variances.ts';
import {
  type Drift,
  expectedCorrelationTimeSum,
  expectedNoiseVariance,
  expectedWindowVariances,
  windowStructureFunction,
} from '../../../../science/theory/window.ts';
import { impulseSum, relative, spectralSum } from './oracles.ts';

const base = { learningRate: 0.1, momentum: 0.6, eigenvalue: 0.8, batchesPerEpoch: 12 };

describe('autocovariance of weights and velocities', () => {
  it('equals the double sum over impulse responses at every lag', () => {
    for (const sampling of ['without-replacement', 'with-replacement'] as const) {
      const process = { ...base, sampling };
      const weights = weightAutocovariance(process, 40);
      const velocities = velocityAutocovariance(process, 40);
      for (const lag of [0, 1, 2, 5, 11, 12, 13, 25, 40]) {
        const [before, at, after] = [lag - 1, lag, lag + 1].map((h) => impulseSum(process, h, 500));
        expect(Math.abs(weights[lag]! - at!)).toBeLessThan(1e-10 * weights[0]!);
        expect(Math.abs(velocities[lag]! - (2 * at! - before! - after!))).toBeLessThan(
          1e-10 * velocities[0]!,
        );
      }
    }
  });

  it('equals the sum over frequencies for periodic noise, and never decays', () => {
    const process = { ...base, eigenvalue: 1e-9, sampling: 'shuffle-once' } as const;
    const weights = weightAutocovariance(process, 30);
    for (const lag of [0, 1, 7, 12, 29])
      expect(relative(weights[lag]!, spectralSum(process, lag))).toBeLessThan(1e-8);
    expect(relative(weights[24]!, weights[0]!)).toBeLessThan(1e-9);
  });

  it('begins with the variances and has the sums of equation (18), for any stable process', () => {
    fc.assert(
      fc.property(
        fc.record({
          learningRate: fc.constantFrom(0.01, 1),
          momentum: fc.double({ min: 0, max: 0.9, noNaN: true }),
          share: fc.double({ min: 0.02, max: 0.98, noNaN: true }),
          batchesPerEpoch: fc.integer({ min: 2, max: 40 }),
          sampling: fc.constantFrom<Sampling>('without-replacement', 'with-replacement'),
        }),
        ({ share, ...rest }) => {
          const process = { ...rest, eigenvalue: (share * 2 * (1 + rest.momentum)) / rest.learningRate };
          const { weightVariance, velocityVariance } = stationaryVariances(process);
          const lags = 6000;
          const velocities = velocityAutocovariance(process, lags);
          expect(relative(velocities[0]!, velocityVariance)).toBeLessThan(1e-10);
          let sum = 0;
          let first = 0;
          for (let h = 1; h <= lags; h++) {
            sum += velocities[h]!;
            first += h * velocities[h]!;
          }
          expect(relative(sum, -velocityVariance / 2)).toBeLessThan(1e-7);
          expect(relative(first, -weightVariance)).toBeLessThan(1e-5);
          expect(relative(first / sum, correlationTime(process))).toBeLessThan(1e-5);
        },
      ),
      { numRuns: 60, seed: 4 },
    );
  });
});

/** tr(P Gamma P) / T by dense matrices: what is left of the covariance after projecting out the drift. */
function denseExpectation(autocovariance: (lag: number) => number, steps: number, drift: Drift): number {
  const constant = new Float64Array(steps).fill(1 / Math.sqrt(steps));
  const line = Float64Array.from({ length: steps }, (_, t) => t - (steps - 1) / 2);
  const norm = Math.hypot(...line);
  const directions = drift === 'linear' ? [constant, line.map((t) => t / norm)] : [constant];
  let trace = steps * autocovariance(0);
  for (const q of directions) {
    for (let s = 0; s < steps; s++) {
      for (let t = 0; t < steps; t++) trace -= q[s]! * q[t]! * autocovariance(Math.abs(s - t));
    }
  }
  return trace / steps;
}

describe('expectations over a finite window', () => {
  it('equal the dense projection, for both drifts and all samplings', () => {
    for (const sampling of ['without-replacement', 'with-replacement', 'shuffle-once'] as const) {
      for (const eigenvalue of [0.001, 0.8, 20]) {
        for (const steps of [3, 24, 61]) {
          const process = { ...base, eigenvalue, sampling };
          const gamma = weightAutocovariance(process, steps);
          const velocities = velocityAutocovariance(process, steps);
          const structure = windowStructureFunction(process, steps);
          for (const drift of ['linear', 'mean'] as const) {
            const got = expectedWindowVariances(structure, steps, drift);
            const weights = denseExpectation((h) => gamma[h]!, steps, drift);
            expect(Math.abs(got.weightVariance - weights)).toBeLessThan(1e-9 * gamma[0]!);
            const velocity = denseExpectation((h) => velocities[h]!, steps - 1, 'mean');
            expect(relative(got.velocityVariance, velocity)).toBeLessThan(1e-8);
            const noise = expectedNoiseVariance(12, sampling, steps, drift);
            const expected = denseExpectation((h) => noiseAutocovariance(h, 12, sampling), steps, drift);
            expect(noise).toBeCloseTo(expected, 10);
          }
        }
      }
    }
  });

  it('tend to the stationary values as the window grows, and vanish in directions too slow for it', () => {
    const process = { ...base, sampling: 'with-replacement' } as const;
    const { weightVariance, velocityVariance } = stationaryVariances(process);
    const long = expectedWindowVariances(windowStructureFunction(process, 100_000), 100_000, 'linear');
    expect(relative(long.weightVariance, weightVariance)).toBeLessThan(2e-3);
    expect(relative(long.velocityVariance, velocityVariance)).toBeLessThan(1e-6);
    const slow = { ...process, eigenvalue: 1e-12 };
    const short = expectedWindowVariances(windowStructureFunction(slow, 100), 100, 'linear');
    expect(short.weightVariance).toBeLessThan(1e-6 * stationaryVariances(slow).weightVariance);
    // A random walk of variance s^2 a step keeps s^2 T / 15 of its variance after a line (Chan, Hayya and Ord 1977).
    const walk = { ...slow, momentum: 0 };
    const left = expectedWindowVariances(windowStructureFunction(walk, 5000), 5000, 'linear');
    expect(relative(left.weightVariance, (walk.learningRate ** 2 * 5000) / 15)).toBeLessThan(1e-3);
  });

  it('make the right side of equation (18) tend to tau as the lag window grows', () => {
    for (const sampling of ['without-replacement', 'with-replacement'] as const) {
      const process = { ...base, sampling };
      const window = { flat: 400, end: 800 };
      const structure = windowStructureFunction(process, 1e5, window);
      const got = expectedCorrelationTimeSum(structure, 1e5, window);
      expect(relative(got, correlationTime(process))).toBeLessThan(5e-3);
    }
  });

  it('are NaN where there is no stationary state', () => {
    const structure = weightStructureFunction(
      { ...base, eigenvalue: -1, sampling: 'without-replacement' },
      20,
    );
    expect(structure.every(Number.isNaN)).toBe(true);
    expect(expectedWindowVariances(structure, 20, 'linear').weightVariance).toBeNaN();
  });
});
