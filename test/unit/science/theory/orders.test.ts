import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Sampling } from '../../../../science/sampling.ts';
import { weightAutocovariance } from '../../../../science/theory/autocovariance.ts';
import { flatLimit } from '../../../../science/theory/flat-limits.ts';
import { noiseAutocovariance } from '../../../../science/theory/noise.ts';
import type { SgdProcess } from '../../../../science/theory/process.ts';
import { tauSgd } from '../../../../science/theory/regimes.ts';
import { correlationTime, stationaryVariances } from '../../../../science/theory/variances.ts';
import { impulseSum, relative } from './oracles.ts';

/** All orders of a list. */
function orders<T>(of: readonly T[]): T[][] {
  if (of.length === 0) return [[]];
  return of.flatMap((first, i) => orders(of.toSpliced(i, 1)).map((rest) => [first, ...rest]));
}

/** Mean over positions 0 ... period - 1 of all series of x_k x_{k+h}, over the variance. */
function meanProduct(series: readonly number[][], period: number, lag: number): number {
  let [products, squares] = [0, 0];
  for (const x of series) {
    for (let k = 0; k < period; k++) {
      products += x[k]! * x[k + lag]!;
      squares += x[k]! ** 2;
    }
  }
  return products / squares;
}

describe('the autocovariance of noise', () => {
  it('of an order and its reverse is the mean over all permutations', () => {
    const noise = [3, -1, -1.5, -0.5];
    const pair = (order: readonly number[]) => [...order, ...order.toReversed()];
    const series = orders(noise).flatMap((first) =>
      orders(noise).map((second) => [...pair(first), ...pair(second)]),
    );
    for (let h = 0; h <= 8; h++)
      expect(meanProduct(series, 8, h)).toBeCloseTo(noiseAutocovariance(h, 4, 'paired-reversal'), 12);
    // Seen from forward epochs only it is another: (2) within the epoch, then the mirrored partners.
    expect(meanProduct(series, 4, 7)).not.toBeCloseTo(noiseAutocovariance(7, 4, 'paired-reversal'), 3);
  });

  it.each([
    [[3, -1, -1.5, -0.5], 2],
    [[4, -1, -2, 0.5, -2.5, 1], 3],
    [[4, -1, -2, 0.5, -2.5, 1], 2],
  ])('of %j in blocks of %i is the mean over all arrangements and all orders of blocks', (noise, k) => {
    const m = noise.length;
    const series = orders(noise).flatMap((kept) => {
      const blocks = Array.from({ length: m / k }, (_, b) => kept.slice(b * k, (b + 1) * k));
      const epochs = orders(blocks).map((epoch) => epoch.flat());
      return epochs.flatMap((first) => epochs.map((second) => [...first, ...second]));
    });
    for (let h = 0; h <= m; h++)
      expect(meanProduct(series, m, h)).toBeCloseTo(noiseAutocovariance(h, m, 'block-reshuffling', k), 12);
    // Epochs further on know no less of each other.
    for (let h = m; h <= 3 * m; h++)
      expect(noiseAutocovariance(h, m, 'block-reshuffling', k)).toBe(
        noiseAutocovariance(m + (h % k), m, 'block-reshuffling', k),
      );
  });

  it('sums to zero over all lags of a pair, because the noise of each epoch does', () => {
    for (const m of [2, 3, 17, 400]) {
      let sum = 0;
      for (let h = -2 * m; h <= 2 * m; h++) sum += noiseAutocovariance(h, m, 'paired-reversal');
      expect(Math.abs(sum)).toBeLessThan(1e-12);
    }
  });
});

const sizes = [
  [12, 3],
  [12, 4],
  [12, 6],
  [10, 2],
  [7, 7],
  [9, 1],
] as const;

describe('variances and autocovariances of weights', () => {
  const cases: SgdProcess[] = (
    [
      [0, 0.05],
      [0, 1.9],
      [0.5, 0.1],
      [0.5, 2.7],
      [0.8, 0.06],
    ] as const
  ).flatMap(([momentum, curvature]) => {
    const base = { learningRate: 0.1, momentum, eigenvalue: curvature / 0.1 };
    return [
      ...[2, 5, 12].map((m) => ({ ...base, batchesPerEpoch: m, sampling: 'paired-reversal' as const })),
      ...sizes.map(([m, k]) => ({
        ...{ ...base, batchesPerEpoch: m, batchesPerBlock: k },
        sampling: 'block-reshuffling' as const,
      })),
    ];
  });

  it('equal the double sum of the autocovariance over the impulse responses', () => {
    for (const process of cases) {
      const got = stationaryVariances(process);
      const [atZero, atOne] = [impulseSum(process, 0, 600), impulseSum(process, 1, 600)];
      expect(relative(got.weightVariance, atZero)).toBeLessThan(1e-9);
      expect(relative(got.velocityVariance, 2 * (atZero - atOne))).toBeLessThan(1e-8);
    }
  });

  it('do so at every lag, over epochs', () => {
    for (const process of cases.slice(18, 27)) {
      const weights = weightAutocovariance(process, 40);
      for (const lag of [1, 2, 5, 11, 12, 13, 23, 24, 25, 40])
        expect(Math.abs(weights[lag]! - impulseSum(process, lag, 300))).toBeLessThan(1e-9 * weights[0]!);
    }
  });

  it('are those without replacement in blocks of one batch, and those of one order in one block', () => {
    for (const eigenvalue of [1e-9, 0.1, 3, 15]) {
      for (const momentum of [0, 0.9]) {
        const base = { learningRate: 0.1, momentum, eigenvalue, batchesPerEpoch: 24 };
        const of = (sampling: Sampling, batchesPerBlock?: number) =>
          weightAutocovariance({ ...base, sampling, batchesPerBlock }, 60);
        for (const [k, same] of [
          [1, of('without-replacement')],
          [24, of('shuffle-once')],
        ] as const)
          for (const [h, value] of of('block-reshuffling', k).entries())
            expect(Math.abs(value - same[h]!)).toBeLessThan(1e-12 * same[0]!);
      }
    }
  });

  it('refuse blocks that do not fit', () => {
    const process = { learningRate: 0.1, momentum: 0, eigenvalue: 1, batchesPerEpoch: 12 };
    expect(() =>
      stationaryVariances({ ...process, sampling: 'block-reshuffling', batchesPerBlock: 5 }),
    ).toThrow(/divide the 12 of an epoch, got 5/);
  });
});

describe('flat directions', () => {
  const kinds: readonly (readonly [Sampling, number])[] = [
    ['without-replacement', 1],
    ['shuffle-once', 1],
    ['sequential', 1],
    ['paired-reversal', 1],
    ['block-reshuffling', 1],
    ['block-reshuffling', 5],
    ['block-reshuffling', 20],
    ['block-reshuffling', 100],
  ];

  it.each(kinds)('%s, blocks of %i: have the closed form', (sampling, batchesPerBlock) => {
    for (const batchesPerEpoch of [100, 1000]) {
      for (const momentum of [0, 0.5, 0.9, 0.99]) {
        const process = { learningRate: 0.01, momentum, batchesPerEpoch, sampling, batchesPerBlock };
        const exact = stationaryVariances({ ...process, eigenvalue: 1e-14 });
        const closed = flatLimit(process);
        expect(relative(exact.weightVariance, closed.weightVariance)).toBeLessThan(1e-8);
        expect(relative(exact.velocityVariance, closed.velocityVariance)).toBeLessThan(1e-8);
      }
    }
  });

  it('have tau = (M + 1) / 3 without momentum with and without reversal, and less in blocks', () => {
    const tau = (sampling: Sampling, batchesPerBlock = 1) => {
      const process = { learningRate: 0.1, momentum: 0, batchesPerEpoch: 100, sampling, batchesPerBlock };
      const { weightVariance, velocityVariance } = flatLimit(process);
      expect(velocityVariance).toBeCloseTo(0.01, 14);
      return (2 * weightVariance) / velocityVariance;
    };
    expect(tau('without-replacement')).toBeCloseTo(101 / 3, 10);
    expect(tau('paired-reversal')).toBeCloseTo(101 / 3, 10);
    expect(tau('shuffle-once')).toBeCloseTo(101 / 6, 10);
    for (const k of [1, 4, 25, 50, 100])
      expect(tau('block-reshuffling', k)).toBeCloseTo((2 * 100 ** 2 - k ** 2 - 1) / (6 * 99), 10);
  });

  it('do not exist with replacement', () => {
    const process = { learningRate: 0.1, momentum: 0, batchesPerEpoch: 10 };
    expect(flatLimit({ ...process, sampling: 'with-replacement' }).weightVariance).toBeNaN();
  });
});

describe('the crossover of paired reversal', () => {
  /** docs/theory.md: tau / tau_SGD for M -> infinity, x = 3 lambda / lambda_cross. */
  const shape = (x: number) =>
    (3 / x) * (1 + (1.5 * Math.expm1(-2 * x)) / x - (Math.expm1(-2 * x) + 2 * x * Math.exp(-2 * x)) / x ** 2);

  it('is the limit for many batches', () => {
    for (const momentum of [0, 0.5, 0.9]) {
      for (const x of [0.1, 0.5, 1, 3, 10, 30]) {
        const difference = (batchesPerEpoch: number) => {
          const learningRate = 0.01;
          const eigenvalue = (x * (1 - momentum)) / (learningRate * batchesPerEpoch);
          const process = { learningRate, momentum, batchesPerEpoch, eigenvalue };
          const limit = tauSgd({ momentum, batchesPerEpoch }) * shape(x);
          return relative(correlationTime({ ...process, sampling: 'paired-reversal' }), limit);
        };
        expect(difference(1e5)).toBeLessThan(2e-3);
        expect(difference(1e5)).toBeLessThan(0.13 * difference(1e4));
      }
    }
  });

  it('leaves the plateau in second order, 1 - x^2 / 5, because the areas under both epochs cancel', () => {
    for (const x of [0.02, 0.04, 0.08]) expect((1 - shape(x)) / x ** 2).toBeCloseTo(1 / 5, 1);
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 2, noNaN: true }), (x) => {
        const base = { learningRate: 1e-3, momentum: 0, batchesPerEpoch: 2000, eigenvalue: x / 2 };
        const without = correlationTime({ ...base, sampling: 'without-replacement' });
        expect(correlationTime({ ...base, sampling: 'paired-reversal' })).toBeGreaterThan(without);
      }),
    );
  });
});
