import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  crossoverCorrelationTime,
  crossoverShape,
  crossoverSlope,
  lambdaCross,
  largeEigenvalueLimit,
  smallEigenvalueLimit,
  tauSgd,
} from '../../../../science/theory/regimes.ts';
import { correlationTime, stationaryVariances } from '../../../../science/theory/variances.ts';
import { relative } from './oracles.ts';

const paper = { learningRate: 0.005 * 0.98 ** 100, momentum: 0.9, batchesPerEpoch: 1000 };

describe('the two regimes of Hessian eigenvalues', () => {
  it('are separated where both limits of tau meet', () => {
    const crossing = lambdaCross(paper);
    expect(crossing).toBeCloseTo((3 * (1 - 0.9) * 50) / (paper.learningRate * 50_000), 12);
    expect(tauSgd(paper)).toBeCloseTo((1000 * 19) / 3, 8);
    expect((1 + paper.momentum) / (paper.learningRate * crossing)).toBeCloseTo(tauSgd(paper), 8);
  });

  it('are the limits (19) and (20) of (12)-(17)', () => {
    for (const [momentum, tolerance] of [
      [0, 2e-3],
      [0.9, 4e-2],
    ] as const) {
      const hyperparameters = { ...paper, momentum };
      const exact = (factor: number) =>
        stationaryVariances({
          ...hyperparameters,
          eigenvalue: factor * lambdaCross(hyperparameters),
          sampling: 'without-replacement',
        });
      const low = smallEigenvalueLimit(hyperparameters);
      expect(relative(exact(1e-4).weightVariance, low.weightVariance)).toBeLessThan(tolerance);
      expect(relative(exact(1e-4).velocityVariance, low.velocityVariance)).toBeLessThan(tolerance);
      const high = largeEigenvalueLimit(hyperparameters, 30 * lambdaCross(hyperparameters));
      expect(relative(exact(30).weightVariance, high.weightVariance)).toBeLessThan(0.06);
      expect(relative(exact(30).velocityVariance, high.velocityVariance)).toBeLessThan(0.06);
    }
  });

  it('are joined by f(3 lambda / lambda_cross), the overdamped limit of (18) for many batches', () => {
    // The corrections are of order 1/M, so ten times the batches leave a tenth of the difference.
    for (const momentum of [0, 0.5, 0.9]) {
      for (const x of [1e-3, 0.1, 1, 3, 10, 30]) {
        const difference = (batchesPerEpoch: number) => {
          const hyperparameters = { learningRate: 0.01, momentum, batchesPerEpoch };
          const eigenvalue = (x * lambdaCross(hyperparameters)) / 3;
          const exact = correlationTime({ ...hyperparameters, eigenvalue, sampling: 'without-replacement' });
          const limit = crossoverCorrelationTime(
            eigenvalue,
            lambdaCross(hyperparameters),
            tauSgd(hyperparameters),
          );
          return relative(limit, exact);
        };
        expect(difference(1e5)).toBeLessThan(2e-3);
        expect(difference(1e5)).toBeLessThan(0.13 * difference(1e4));
      }
    }
  });

  it('have a shape that is smooth over its series and its closed form, with the stated limits', () => {
    expect(crossoverShape(0)).toBe(1);
    expect(crossoverShape(1e-6)).toBeCloseTo(1 - 1e-6 / 4, 12);
    expect(crossoverShape(1e6) * 1e6).toBeCloseTo(3, 4);
    expect(crossoverSlope(0)).toBe(0);
    expect(crossoverSlope(1e6)).toBeCloseTo(-1, 5);
    expect(relative(crossoverShape(1), crossoverShape(1 - 1e-12))).toBeLessThan(1e-11);
    expect(relative(crossoverSlope(1), crossoverSlope(1 - 1e-12))).toBeLessThan(1e-10);
    fc.assert(
      fc.property(fc.double({ min: -4, max: 4, noNaN: true }), (decade) => {
        const x = 10 ** decade;
        const numeric =
          Math.log(crossoverShape(x * 1.0001) / crossoverShape(x / 1.0001)) / (2 * Math.log(1.0001));
        expect(crossoverSlope(x)).toBeCloseTo(numeric, 6);
      }),
    );
  });
});
