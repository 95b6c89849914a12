import { describe, expect, it } from 'vitest';
import type { Sampling } from '../../../../science/sampling.ts';
import { weightAutocovariance } from '../../../../science/theory/autocovariance.ts';
import {
  antiCorrelatedNoiseVariances,
  whiteNoiseVariances,
} from '../../../../science/theory/injected-noise.ts';
import { lambdaCross } from '../../../../science/theory/regimes.ts';
import {
  correlationTime,
  type StationaryVariances,
  stationaryVariances,
} from '../../../../science/theory/variances.ts';
import {
  type DirectionEstimates,
  type Estimate,
  measureReplicas,
  type Setting,
  shareWithin,
} from './replicas.ts';

// Each takes a few seconds where nothing else runs.
/** From a thirtieth of lambda_cross to twenty times it, or to 0.9 of the limit of stability. */
const multiples = [0.03, 0.1, 0.3, 0.7, 1, 1.5, 3, 6, 10, 20];

const grid: readonly Setting[] = [0.1, 0.01].flatMap((learningRate, a) =>
  [0, 0.5, 0.9].flatMap((momentum, b) =>
    [10, 32].map((batchesPerEpoch, c) => {
      const hyperparameters = { learningRate, momentum, batchesPerEpoch };
      const limit = (2 * (1 + momentum)) / learningRate;
      const crossing = lambdaCross(hyperparameters);
      const eigenvalues = multiples.map((multiple) => Math.min(multiple * crossing, 0.9 * limit));
      const firstSeed = 10_000 * (6 * a + 2 * b + c);
      return { ...hyperparameters, eigenvalues, warmup: 60, epochs: 10, firstSeed };
    }),
  ),
);

type Pair = readonly [Estimate, number];

/** Measured and predicted weight variance, velocity variance and tau in every direction. */
function pairs(measured: readonly DirectionEstimates[], theory: readonly StationaryVariances[]): Pair[] {
  return measured.flatMap(({ weightVariance, velocityVariance, correlationTime: tau }, i) => {
    const expected = theory[i]!;
    return [
      [weightVariance, expected.weightVariance],
      [velocityVariance, expected.velocityVariance],
      [tau, (2 * expected.weightVariance) / expected.velocityVariance],
    ] as const;
  });
}

function theoryOf(setting: Setting, sampling: Sampling): StationaryVariances[] {
  return setting.eigenvalues.map((eigenvalue) => stationaryVariances({ ...setting, eigenvalue, sampling }));
}

const runs = 120;

describe('SGD on a finite sum of examples', () => {
  it('without replacement has the variances and tau of (12)-(18) on both sides of lambda_cross', () => {
    const measured = grid.map((setting) => measureReplicas(setting, 'without-replacement', runs));
    const right = grid.flatMap((setting, s) => pairs(measured[s]!, theoryOf(setting, 'without-replacement')));
    expect(right).toHaveLength(360);
    expect(shareWithin(right)).toBeGreaterThanOrEqual(0.99);
    // The errors are not so large that everything would agree: a third of what is measured must lie beyond one of them.
    expect(shareWithin(right, 1)).toBeLessThan(0.76);
    expect(Math.max(...right.map(([{ value, error }]) => error / value))).toBeLessThan(0.2);

    const white = grid.flatMap((setting, s) => pairs(measured[s]!, theoryOf(setting, 'with-replacement')));
    expect(shareWithin(white)).toBeLessThan(0.5);
    const once = grid.flatMap((setting, s) => pairs(measured[s]!, theoryOf(setting, 'shuffle-once')));
    expect(shareWithin(once)).toBeLessThan(0.6);
  });

  it('is told from a formula with (M - |h|) / M^2, that is without the correction for a finite epoch', () => {
    const measured = grid.map((setting) =>
      measureReplicas({ ...setting, epochs: 4 }, 'without-replacement', 60),
    );
    const agreement = (share: (m: number) => number) => {
      const all = grid.flatMap((setting, s) =>
        measured[s]!.map(({ weightVariance }, i): Pair => {
          const m = setting.batchesPerEpoch;
          const eigenvalue = setting.eigenvalues[i]!;
          const white = weightAutocovariance({ ...setting, eigenvalue, sampling: 'with-replacement' }, m);
          let variance = white[0]!;
          for (let h = 1; h < m; h++) variance -= 2 * share(m) * (m - h) * white[h]!;
          return [weightVariance, variance];
        }),
      );
      return shareWithin(all);
    };
    expect(agreement((m) => 1 / (m * (m - 1)))).toBeGreaterThanOrEqual(0.98);
    expect(agreement((m) => 1 / m ** 2)).toBeLessThan(0.8);
  });

  it('with replacement has those without E', () => {
    const right = grid.flatMap((setting) =>
      pairs(measureReplicas(setting, 'with-replacement', runs), theoryOf(setting, 'with-replacement')),
    );
    expect(shareWithin(right)).toBeGreaterThanOrEqual(0.99);
  });

  it.each(['shuffle-once', 'sequential'] as const)(
    '%s has those of noise that repeats every epoch',
    (sampling) => {
      // Only the order of each run matters here, not how long it is followed.
      const measured = grid.map((setting) => measureReplicas({ ...setting, epochs: 1 }, sampling, 2 * runs));
      const right = grid.flatMap((setting, s) => pairs(measured[s]!, theoryOf(setting, sampling)));
      expect(shareWithin(right)).toBeGreaterThanOrEqual(0.99);
      const wrong = grid.flatMap((setting, s) =>
        pairs(measured[s]!, theoryOf(setting, 'without-replacement')),
      );
      expect(shareWithin(wrong)).toBeLessThan(0.6);
    },
  );
});

describe('orders by blocks and in pairs', () => {
  const half = grid.slice(0, 6);

  it('paired-reversal has the variances and tau of an order and its reverse', () => {
    const measured = half.map((setting) => measureReplicas(setting, 'paired-reversal', runs));
    const right = half.flatMap((setting, s) => pairs(measured[s]!, theoryOf(setting, 'paired-reversal')));
    expect(shareWithin(right)).toBeGreaterThanOrEqual(0.99);
    expect(shareWithin(right, 1)).toBeLessThan(0.76);
    const wrong = half.flatMap((setting, s) => pairs(measured[s]!, theoryOf(setting, 'without-replacement')));
    expect(shareWithin(wrong)).toBeLessThan(0.93);
  });

  it('block-reshuffling has those of blocks that stay', () => {
    // Blocks of half an epoch: where the difference to new orders and to one order is large.
    const halves = half.map((setting) => ({ ...setting, batchesPerBlock: setting.batchesPerEpoch / 2 }));
    const measured = halves.map((setting) =>
      measureReplicas({ ...setting, epochs: 2 }, 'block-reshuffling', 2 * runs),
    );
    const right = halves.flatMap((setting, s) => pairs(measured[s]!, theoryOf(setting, 'block-reshuffling')));
    expect(shareWithin(right)).toBeGreaterThanOrEqual(0.99);
    for (const other of ['without-replacement', 'shuffle-once'] as const) {
      const wrong = halves.flatMap((setting, s) => pairs(measured[s]!, theoryOf(setting, other)));
      expect(shareWithin(wrong)).toBeLessThan(0.93);
    }
  });
});

describe('gradient descent with injected noise', () => {
  const white = (setting: Setting) =>
    setting.eigenvalues.map((eigenvalue) => whiteNoiseVariances({ ...setting, eigenvalue }));
  const antiCorrelated = (setting: Setting) =>
    setting.eigenvalues.map((eigenvalue) => antiCorrelatedNoiseVariances({ ...setting, eigenvalue }));

  it('white: has the variances without E, and tau = (1 + beta) / (eta lambda)', () => {
    const right = grid.flatMap((setting) => pairs(measureReplicas(setting, 'white', runs), white(setting)));
    expect(shareWithin(right)).toBeGreaterThanOrEqual(0.99);
    for (const setting of grid) {
      for (const [i, { weightVariance, velocityVariance }] of white(setting).entries()) {
        const process = {
          ...setting,
          eigenvalue: setting.eigenvalues[i]!,
          sampling: 'with-replacement',
        } as const;
        expect((2 * weightVariance) / velocityVariance).toBeCloseTo(correlationTime(process), 8);
      }
    }
  });

  it('anti-correlated: has those of a difference of consecutive weights', () => {
    const measured = grid.map((setting) => measureReplicas(setting, 'anti-correlated', runs));
    const right = grid.flatMap((setting, s) => pairs(measured[s]!, antiCorrelated(setting)));
    expect(shareWithin(right)).toBeGreaterThanOrEqual(0.99);
    const wrong = grid.flatMap((setting, s) => pairs(measured[s]!, white(setting)));
    expect(shareWithin(wrong)).toBeLessThan(0.3);
  });

  it('anti-correlated: has those of (2) with M = 2, whose autocovariance is the same', () => {
    for (const setting of grid) {
      for (const [i, got] of antiCorrelated(setting).entries()) {
        const process = { ...setting, eigenvalue: setting.eigenvalues[i]!, batchesPerEpoch: 2 };
        const expected = stationaryVariances({ ...process, sampling: 'without-replacement' });
        const scale = 2 / setting.learningRate ** 2;
        expect(got.weightVariance / (scale * expected.weightVariance)).toBeCloseTo(1, 9);
        expect(got.velocityVariance / (scale * expected.velocityVariance)).toBeCloseTo(1, 9);
      }
    }
  });

  it('anti-correlated without momentum: sigma_theta^2 = 2 / (2 - eta lambda), down to flat directions', () => {
    for (const eigenvalue of [1e-9, 0.01, 1, 15]) {
      const got = antiCorrelatedNoiseVariances({ learningRate: 0.1, momentum: 0, eigenvalue });
      expect(got.weightVariance).toBeCloseTo(2 / (2 - 0.1 * eigenvalue), 9);
    }
    expect(
      antiCorrelatedNoiseVariances({ learningRate: 0.1, momentum: 0, eigenvalue: 21 }).weightVariance,
    ).toBeNaN();
  });
});
