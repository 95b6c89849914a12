/** SGD on least squares, where the gradients of the examples change with the weights: theory with what is left over, and where that comes from. */
import { describe, expect, test } from 'vitest';
import { analyzeSeries } from '../../../../science/analysis/analyze-series.ts';
import { fitCorrelationTimes } from '../../../../science/fit/fit-correlation-times.ts';
import { LeastSquares } from './least-squares-sgd.ts';

const [examples, batchSize] = [1000, 25];
const [warmup, epochs] = [30, 60];
const process = { learningRate: 0.08, momentum: 0.8, batchesPerEpoch: examples / batchSize };
const run = { ...process, sampling: 'without-replacement', drift: 'linear', blocks: 10 } as const;
const directions = 40;
// On both sides of lambda_cross, 0.1875.
const eigenvalues = Float64Array.from(
  { length: directions },
  (_, i) => 2 * 10 ** (-1.5 * Math.sqrt(i / (directions - 1))),
);

function runOf(seed: number) {
  const problem = new LeastSquares(examples, eigenvalues, seed);
  const theta = problem.run({ ...process, batchSize }, { warmup, epochs, seed });
  const steps = epochs * process.batchesPerEpoch;
  const { columns } = analyzeSeries({ ...run, theta, steps, directions, eigenvalues });
  const { parameters } = fitCorrelationTimes({ ...run, columns });
  return { problem, theta, columns, parameters };
}

const runs = Array.from({ length: 16 }, (_, seed) => runOf(seed));
const statistics = (values: readonly number[]) => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, deviation: Math.sqrt(variance) };
};
const pulls = (name: 'lambda_cross' | 'tau_sgd' | 'lambda_cross_leftover' | 'tau_sgd_leftover') =>
  statistics(runs.map(({ parameters }) => parameters[`${name}_deviation`]));

describe('the fit', () => {
  test('is off by several standard errors where theory does not know of what is left over', () => {
    expect(pulls('lambda_cross').mean).toBeLessThan(-2.5);
    expect(pulls('tau_sgd').mean).toBeGreaterThan(3.5);
  });

  test.each(['lambda_cross_leftover', 'tau_sgd_leftover'] as const)(
    '%s has pulls of mean 0 and standard deviation 1',
    (name) => {
      const { mean, deviation } = pulls(name);
      // Of 16 unit normals the mean lies within 0.75 at three standard errors, the standard deviation between 0.5 and 1.55.
      expect(Math.abs(mean)).toBeLessThan(0.75);
      expect(deviation).toBeGreaterThan(0.5);
      expect(deviation).toBeLessThan(1.55);
    },
  );
});

test('what is left over is what the gradients of the examples change by within an epoch', () => {
  const found = statistics(runs.map(({ parameters }) => parameters.noise_leftover_share)).mean;
  const predicted = statistics(
    runs.slice(0, 4).map(({ problem, theta }) => exactDriftShare(problem, theta)),
  ).mean;
  expect(found).toBeGreaterThan(0.03);
  expect(Math.abs(found / predicted - 1)).toBeLessThan(0.1);
});

/** mean_k var_n [p . (g_n(theta_k) - g_n(theta_mean))] / mean_k var_n [p . g_n(theta_k)] over all examples, and the mean over some directions. */
function exactDriftShare(problem: LeastSquares, theta: Float64Array): number {
  const m = process.batchesPerEpoch;
  const shares: number[] = [];
  for (const i of [0, 13, 26, 39]) {
    let [changes, noise] = [0, 0];
    for (let epoch = 1; epoch < epochs; epoch += 6) {
      // A step sees the weights after the one before.
      const first = epoch * m - 1;
      const seen = Array.from({ length: m }, (_, k) =>
        theta.subarray((first + k) * directions, (first + k + 1) * directions),
      );
      const mean = Float64Array.from(
        { length: directions },
        (_, j) => seen.reduce((sum, at) => sum + at[j]!, 0) / m,
      );
      for (let k = 0; k < m; k += 4) {
        const change = seen[k]!.map((value, j) => value - mean[j]!);
        const own = Array.from({ length: examples }, (_, n) => problem.inputs[n * directions + i]!);
        const here = own.map((x, n) => x * problem.residual(n, seen[k]!));
        const moved = own.map((x, n) => x * (problem.residual(n, change) + problem.targets[n]!));
        changes += statistics(moved).deviation ** 2;
        noise += statistics(here).deviation ** 2;
      }
    }
    shares.push(changes / noise);
  }
  return statistics(shares).mean;
}
