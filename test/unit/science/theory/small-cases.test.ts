/** Sums of a few terms, written out, and what happens at the ends of what is allowed. */
import { expect, it } from 'vitest';
import { largeEigenvalueLimit, smallEigenvalueLimit } from '../../../../science/theory/regimes.ts';
import { correlationTime, stationaryVariances } from '../../../../science/theory/variances.ts';
import { expectedCorrelationTimeSum, windowStructureFunction } from '../../../../science/theory/window.ts';

const base = { learningRate: 0.1, momentum: 0.6, eigenvalue: 0.8, batchesPerEpoch: 12 };
const process = { ...base, sampling: 'without-replacement' } as const;

it('the sums of equation (18) through a lag window have the weights 1, 1, 3/4, 1/2, 1/4, less the variance of the mean velocity', () => {
  // B(h) of 8 steps; the covariance of velocities is its second difference.
  const b = Float64Array.of(0, 1, 3, 4, 6, 7, 7.5, 9, 11);
  const covariances = [1, -1, 1, -1, -0.5];
  const mean = (2 * 9) / 7 ** 2;
  const weights = [1, 1, 3 / 4, 1 / 2, 1 / 4];
  const total = weights.reduce((sum, w, i) => sum + w * (covariances[i]! - mean), 0);
  const first = weights.reduce((sum, w, i) => sum + (i + 1) * w * (covariances[i]! - mean), 0);
  const got = expectedCorrelationTimeSum(b, 8, { flat: 2, end: 6 });
  expect(got).toBeCloseTo(first / total, 12);
});

it('the structure function of a window reaches its last step, and one lag beyond where its lag window ends', () => {
  expect(windowStructureFunction(process, 50)).toHaveLength(50);
  expect(windowStructureFunction(process, 2)).toHaveLength(2);
  expect(windowStructureFunction(process, 50, { flat: 5, end: 10 })).toHaveLength(50);
  expect(windowStructureFunction(process, 9, { flat: 5, end: 10 })).toHaveLength(12);
});

it('one batch an epoch has noise without memory, and no batch is refused', () => {
  for (const sampling of ['without-replacement', 'shuffle-once'] as const) {
    const one = stationaryVariances({ ...base, batchesPerEpoch: 1, sampling });
    expect(one).toEqual(stationaryVariances({ ...base, sampling: 'with-replacement' }));
  }
  expect(() => correlationTime({ ...process, batchesPerEpoch: 0 })).toThrow(/got 0/);
});

it('both limits of the variances are stable, with sigma_v^2 = eta^2 / (1 - beta^2) and sigma_theta^2 = sigma_v^2 tau / 2', () => {
  const speed = 0.01 / (1 - 0.36);
  const steep = largeEigenvalueLimit(base, 0.8);
  expect(steep.stable).toBe(true);
  expect(steep.velocityVariance).toBeCloseTo(speed, 14);
  expect(steep.weightVariance).toBeCloseTo((speed * 1.6) / 0.08 / 2, 12);
  const flat = smallEigenvalueLimit(base);
  expect(flat.weightVariance).toBeCloseTo((speed * 4 * 4) / 2, 12);
});
