import { describe, expect, test } from 'vitest';
import { analyzeSeries } from '../../../../science/analysis/analyze-series.ts';
import type { Spectrum } from '../../../../science/analysis/spectrum.ts';
import { RandomStream } from '../../../../science/random.ts';
import { lambdaCross } from '../../../../science/theory/regimes.ts';
import { stationaryVariances } from '../../../../science/theory/variances.ts';
import { runQuadratic } from './quadratic-sgd.ts';

const process = { learningRate: 0.02, momentum: 0.8, batchesPerEpoch: 20 };
const crossing = lambdaCross(process);
const eigenvalues = Float64Array.of(4 * crossing, crossing, crossing / 4, crossing / 10);

function analyze(
  theta: Float64Array,
  steps: number,
  sampling: 'without-replacement' | 'with-replacement',
): Spectrum {
  const directions = eigenvalues.length;
  return analyzeSeries({
    theta,
    steps,
    directions,
    eigenvalues,
    ...process,
    sampling,
    drift: 'linear',
    blocks: 10,
  });
}

describe.each([
  ['without-replacement', 0, 1e-3],
  // Mean over 399 epochs of a chi-square variable: standard error sqrt(2 / 399) = 0.07.
  ['with-replacement', 1, 0.28],
] as const)('%s', (sampling, expected, tolerance) => {
  test('the noise of an epoch keeps its share of independent draws', () => {
    const { theta, steps } = runQuadratic({
      ...process,
      ...{ eigenvalues: [...eigenvalues], batchSize: 5, sampling, warmup: 40, epochs: 400, seed: 3 },
    });
    const { columns, notes } = analyze(theta, steps, sampling);
    for (const share of columns.noise_epoch_share) expect(Math.abs(share - expected)).toBeLessThan(tolerance);
    expect(notes.join(' ')).not.toContain('does not sum to zero');
  });
});

test('a share of independent noise is found, told, and lengthens the correlation times of flat directions', () => {
  const { batchesPerEpoch: m, learningRate, momentum } = process;
  const [epochs, share] = [4000, 0.1];
  const k = eigenvalues.length;
  const theta = new Float64Array(epochs * m * k);
  const weights = new Float64Array(k);
  const velocities = new Float64Array(k);
  const random = new RandomStream(7, 'share');
  for (let epoch = -40; epoch < epochs; epoch++) {
    for (let i = 0; i < k; i++) {
      // Each epoch's noise: values of variance 1 - share that sum to zero, and independent ones of variance `share`.
      const own = Float64Array.from({ length: m }, () => random.normal());
      const mean = own.reduce((sum, value) => sum + value, 0) / m;
      for (let b = 0; b < m; b++) {
        const cancelling = (own[b]! - mean) * Math.sqrt(((1 - share) * m) / (m - 1));
        const gradient = eigenvalues[i]! * weights[i]! + cancelling + Math.sqrt(share) * random.normal();
        velocities[i] = momentum * velocities[i]! - learningRate * gradient;
        weights[i]! += velocities[i]!;
        if (epoch >= 0) theta[(epoch * m + b) * k + i] = weights[i]!;
      }
    }
  }
  const { columns, notes } = analyze(theta, epochs * m, 'without-replacement');
  for (const measured of columns.noise_epoch_share) expect(Math.abs(measured / share - 1)).toBeLessThan(0.1);
  expect(notes.join(' ')).toMatch(/keeps (9|10)[.\d]* % of the variance of independent draws/);
  for (const i of [0, 1, 2, 3]) {
    // Variances add up: those of a process without replacement and of one with.
    const at = (sampling: 'without-replacement' | 'with-replacement') =>
      stationaryVariances({ ...process, eigenvalue: eigenvalues[i]!, sampling });
    const [own, independent] = [at('without-replacement'), at('with-replacement')];
    const mixed = (name: 'weightVariance' | 'velocityVariance') =>
      (1 - share) * own[name] + share * independent[name];
    const tau = (2 * mixed('weightVariance')) / mixed('velocityVariance');
    expect(Math.abs(columns.correlation_time[i]! / tau - 1)).toBeLessThan(0.05);
  }
  // The flattest direction is slower than the theory by about 1 + share lambda_cross / lambda = 2.
  const slower = columns.correlation_time[3]! / columns.correlation_time_theory_window[3]!;
  expect(slower).toBeGreaterThan(1.7);
  expect(slower).toBeLessThan(2.5);
});
