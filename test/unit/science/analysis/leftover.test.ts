/** Theory where a share of an epoch's noise does not cancel, held against weights that are simulated with just that noise. */
import { describe, expect, test } from 'vitest';
import { analyzeSeries } from '../../../../science/analysis/analyze-series.ts';
import { epochsTogether, lowFrequencyPower, pooledShares } from '../../../../science/analysis/leftover.ts';
import { fitCorrelationTimes } from '../../../../science/fit/fit-correlation-times.ts';
import { RandomStream } from '../../../../science/random.ts';
import { lambdaCross } from '../../../../science/theory/regimes.ts';

const process = { learningRate: 0.02, momentum: 0.8, batchesPerEpoch: 40 };
const crossing = lambdaCross(process);
const m = process.batchesPerEpoch;

/** Noise of variance 1, of which 1 - share sums to zero in each epoch and the rest is independent. */
function noiseOf(epochs: number, share: number, random: RandomStream): Float64Array {
  const noise = new Float64Array(epochs * m);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const own = Float64Array.from({ length: m }, () => random.normal());
    const mean = own.reduce((sum, value) => sum + value, 0) / m;
    for (let b = 0; b < m; b++) {
      const cancelling = (own[b]! - mean) * Math.sqrt(((1 - share) * m) / (m - 1));
      noise[epoch * m + b] = cancelling + Math.sqrt(share) * random.normal();
    }
  }
  return noise;
}

function fitOfRun(share: number, seed: number) {
  const [directions, warmup, epochs] = [24, 40, 60];
  const random = new RandomStream(seed, 'leftover');
  const eigenvalues = Float64Array.from({ length: directions }, (_, i) => crossing * 10 ** (0.8 - i / 12));
  const theta = new Float64Array(epochs * m * directions);
  for (const [i, eigenvalue] of eigenvalues.entries()) {
    let [weight, velocity] = [0, 0];
    for (const [k, noise] of noiseOf(warmup + epochs, share, random).entries()) {
      velocity = process.momentum * velocity - process.learningRate * (eigenvalue * weight + noise);
      weight += velocity;
      if (k >= warmup * m) theta[(k - warmup * m) * directions + i] = weight;
    }
  }
  const steps = epochs * m;
  const run = { ...process, sampling: 'without-replacement', drift: 'linear', blocks: 10 } as const;
  const spectrum = analyzeSeries({ ...run, theta, steps, directions, eigenvalues });
  return { spectrum, ...fitCorrelationTimes({ ...run, columns: spectrum.columns }) };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe.each([0, 0.05])('where a share of %d of the noise is left over', (share) => {
  const fits = Array.from({ length: 12 }, (_, seed) => fitOfRun(share, seed));
  const pulls = (name: 'lambda_cross' | 'tau_sgd', which: '' | '_leftover') =>
    mean(fits.map(({ parameters }) => parameters[`${name}${which}_deviation`]));

  test('the share is found', () => {
    const found = mean(fits.map(({ parameters }) => parameters.noise_leftover_share));
    expect(Math.abs(found - share)).toBeLessThan(0.1 * share + 1e-3);
  });

  test('lambda_cross and tau_SGD agree with the theory that knows of it', () => {
    // Twelve pulls of standard deviation 1, and a little more since blocks tell errors a tenth too small.
    expect(Math.abs(pulls('lambda_cross', '_leftover'))).toBeLessThan(1);
    expect(Math.abs(pulls('tau_sgd', '_leftover'))).toBeLessThan(1);
  });

  test('without it they are off as far as the share is large, and it is told', () => {
    const told = fits.map(({ spectrum }) =>
      /does not sum to zero, but keeps [\d.]+ %/.test(spectrum.notes.join()),
    );
    expect(told).toEqual(fits.map(() => share > 0));
    if (share === 0) {
      for (const { spectrum } of fits)
        for (const [i, time] of spectrum.columns.correlation_time_theory_leftover.entries())
          expect(time / spectrum.columns.correlation_time_theory_window[i]!).toBeCloseTo(1, 2);
    } else {
      expect(pulls('lambda_cross', '')).toBeLessThan(-4);
      expect(pulls('tau_sgd', '')).toBeGreaterThan(4);
    }
  });
});

describe('the power of the noise at low frequencies', () => {
  test('is taken over twice the time in which the direction forgets', () => {
    for (const factor of [0.05, 0.2, 1, 7]) {
      const eigenvalue = factor * crossing;
      const forgets = (1 - process.momentum) / (process.learningRate * eigenvalue);
      const wanted = Math.max(2, Math.round((2 * forgets) / m));
      expect(epochsTogether(process, eigenvalue, 1000)).toBe(wanted);
    }
    expect(epochsTogether(process, 1e-9, 40)).toBe(10);
    expect(epochsTogether(process, -1, 3)).toBe(1);
  });

  test.each([0, 0.3, 1])('is the share %d that does not cancel', (share) => {
    const noise = noiseOf(4001, share, new RandomStream(3, 'power'));
    for (const eigenvalue of [crossing / 10, crossing]) {
      const { share: found, windows } = lowFrequencyPower(noise, 1, eigenvalue, process);
      // The mean of the squares of `windows` normal variables.
      expect(Math.abs(found - share)).toBeLessThan(4 * share * Math.sqrt(2 / windows) + 1e-12);
    }
  });

  test('is not known from less than two windows, and pooled over neighbours in eigenvalue', () => {
    expect(lowFrequencyPower(new Float64Array(2 * m), 1, 1, process)).toEqual({
      share: Number.NaN,
      windows: 0,
    });
    const powers = [0.2, 0.4, Number.NaN, 5].map((share) => ({
      share,
      windows: Number.isNaN(share) ? 0 : 8,
    }));
    const shares = pooledShares(Float64Array.of(4, 1, 3, 2), powers);
    expect([...shares]).toEqual([1, 1, 1, 1]);
    const few = pooledShares(Float64Array.of(4, 1), [
      { share: 0.2, windows: 30 },
      { share: 0.4, windows: 10 },
    ]);
    expect(few[0]).toBeCloseTo(0.25, 12);
    expect(pooledShares(Float64Array.of(1), [{ share: Number.NaN, windows: 0 }])[0]).toBeNaN();
  });
});
