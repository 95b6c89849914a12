/** Autocorrelations, covariances and their errors, written out anew from their definitions for few numbers, and held by simulated noise of known truth. */
import { describe, expect, it } from 'vitest';
import { autocorrelation, joinBlocks, standardErrorOf } from '../../../../science/noise/autocorrelation.ts';
import { alignment, centre, exampleCovariance } from '../../../../science/noise/covariance.ts';
import { noiseAlong } from '../../../../science/noise/directions.ts';
import { batchVarianceFactor, expectedAutocorrelation } from '../../../../science/noise/finite-population.ts';
import { rowProducts } from '../../../../science/noise/row-products.ts';
import { RandomStream } from '../../../../science/random.ts';
import { epochBatches, type Sampling } from '../../../../science/sampling.ts';
import { noiseAutocovariance } from '../../../../science/theory/noise.ts';

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('the autocorrelation', () => {
  it('is a ratio of sums over blocks, with the error of its linearization', () => {
    // Blocks (4, 1), (6, -3), (2, 2): rho = 0 / 12, so differences 1, -3, 2 about a level of 4.
    const first = autocorrelation({ sums: Float64Array.of(4, 1, 6, -3, 2, 2), lags: 1 });
    expect([...first.measured]).toEqual([1, 0]);
    expect(first.standardError[0]).toBe(0);
    expect(first.standardError[1]).toBeCloseTo(Math.sqrt(14 / 2 / 3) / 4, 12);
    // Blocks (4, 1), (6, 5): rho = 0.6, differences 1 - 2.4 and 5 - 3.6.
    const second = autocorrelation({ sums: Float64Array.of(4, 1, 6, 5), lags: 1 });
    expect(second.measured[1]).toBeCloseTo(0.6, 12);
    expect(second.standardError[1]).toBeCloseTo(1.4 / 5, 12);
    expect(autocorrelation({ sums: Float64Array.of(4, 1), lags: 1 }).standardError).toEqual(
      Float64Array.of(Number.NaN, Number.NaN),
    );
  });

  it('has standard errors with n - 1', () => {
    expect(standardErrorOf(Float64Array.of(1, 2, 6))).toBeCloseTo(Math.sqrt(7 / 3), 12);
    expect(standardErrorOf(Float64Array.of(1))).toBeNaN();
    expect([...joinBlocks({ sums: Float64Array.of(1, 2, 3, 4, 5, 6), lags: 2 }, 2).sums]).toEqual([5, 7, 9]);
  });

  it('covers the truth as often as its error says: noise of known correlation, 400 times', () => {
    const random = new RandomStream(6, 'coverage');
    const [blocks, m, rho] = [60, 8, 0.4];
    let covered = 0;
    for (let run = 0; run < 400; run++) {
      const sums = new Float64Array(2 * blocks);
      for (let b = 0; b < blocks; b++) {
        for (let pair = 0; pair < m; pair++) {
          const x = random.normal();
          const y = rho * x + Math.sqrt(1 - rho ** 2) * random.normal();
          sums[2 * b]! += x ** 2;
          sums[2 * b + 1]! += x * y;
        }
      }
      const { measured, standardError } = autocorrelation({ sums, lags: 1 });
      if (Math.abs(measured[1]! - rho) < standardError[1]!) covered++;
    }
    // 0.683 of a normal variable, 0.679 with 59 degrees of freedom; four standard errors are 0.093.
    expect(Math.abs(covered / 400 - 0.68)).toBeLessThan(0.093);
  });
});

describe('batches of a finite population', () => {
  const raw = Float64Array.of(3, 1, -1, 2, 0, 5, 4, 4, 2, -2, 1, 0);
  const population = centre(raw, 2);

  it('are centred, with covariances over N', () => {
    const column = (i: number) => [...raw].filter((_, n) => n % 2 === i);
    for (const [n, value] of population.values.entries())
      expect(value).toBeCloseTo(raw[n]! - mean(column(n % 2)), 12);
    const covariance = exampleCovariance(population);
    for (const [i, j] of [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ] as const) {
      const products = column(i).map((x, n) => (x - mean(column(i))) * (column(j)[n]! - mean(column(j))));
      expect(covariance[2 * i + j]).toBeCloseTo(mean(products), 12);
    }
  });

  it('have the variance and correlations of every order there is', () => {
    // Of 5 examples, batches of 2: all 120 orders; the fifth is dropped.
    const values = [4, -1, -2, 1.5, -2.5];
    const orders = (rest: readonly number[]): number[][] =>
      rest.length === 0 ? [[]] : rest.flatMap((x, i) => orders(rest.toSpliced(i, 1)).map((o) => [x, ...o]));
    const batches = orders(values).map(([a, b, c, d]) => [(a! + b!) / 2, (c! + d!) / 2] as const);
    const ofExamples = mean(values.map((x) => x ** 2));
    const drawing = { examples: 5, batchSize: 2, sampling: 'without-replacement' } as const;
    const variance = mean(batches.map(([x]) => x ** 2));
    expect(batchVarianceFactor(drawing)).toBeCloseTo(variance / ofExamples, 12);
    // One step apart half of the pairs share an epoch.
    const pair = mean(batches.map(([x, y]) => x * y)) / variance / 2;
    expect(expectedAutocorrelation(1, drawing)).toBeCloseTo(pair, 12);
    expect(expectedAutocorrelation(0, drawing)).toBe(1);
    expect(expectedAutocorrelation(2, drawing)).toBeCloseTo(0, 12);
    // A kept order repeats: at lag 2 it is the same batch, at lag 1 the other.
    const kept = { ...drawing, sampling: 'shuffle-once' } as const;
    expect(expectedAutocorrelation(1, kept)).toBeCloseTo(2 * pair, 12);
    expect(expectedAutocorrelation(2, kept)).toBe(1);
    const replaced = { ...drawing, sampling: 'with-replacement' } as const;
    expect([batchVarianceFactor(replaced), expectedAutocorrelation(1, replaced)]).toEqual([0.5, 0]);
    expect(batchVarianceFactor({ ...drawing, examples: 1, batchSize: 1 })).toBe(0);
    expect(batchVarianceFactor({ ...drawing, examples: 2, batchSize: 1 })).toBe(1);
  });

  it.each(['without-replacement', 'with-replacement', 'shuffle-once'] as const)(
    '%s: noise along directions is what the batches of each epoch have, lag by lag',
    (sampling: Sampling) => {
      const layout = { batchesPerEpoch: 3, epochs: 4, lags: 4, examples: 6, batchSize: 2 };
      const periodic = sampling === 'shuffle-once';
      const [seeds, firstEpoch] = [[5, 9, 11], 7];
      const got = noiseAlong(population, [1, 0], {
        ...layout,
        sampling,
        seeds,
        firstEpoch,
        together: periodic ? 4 : 1,
      });
      for (const [c, direction] of [1, 0].entries()) {
        const blocks: number[][] = [];
        for (const seed of seeds) {
          // Lags up to 4 reach into the second epoch after the last.
          const series = [0, 1, 2, 3, 4, 5].flatMap((epoch) => {
            const order = epochBatches(sampling, { examples: 6, batchSize: 2, seed }, firstEpoch + epoch);
            return [0, 1, 2].map((b) =>
              mean([order[2 * b]!, order[2 * b + 1]!].map((n) => population.values[2 * n + direction]!)),
            );
          });
          const sums = [0, 1, 2, 3].map((epoch) =>
            [0, 1, 2, 3, 4].map((h) =>
              [0, 1, 2].reduce((sum, b) => sum + series[3 * epoch + b]! * series[3 * epoch + b + h]!, 0),
            ),
          );
          if (periodic) blocks.push([0, 1, 2, 3, 4].map((h) => sums.reduce((sum, s) => sum + s[h]!, 0)));
          else blocks.push(...sums);
        }
        const variances = blocks.map((block) => block[0]! / (periodic ? 12 : 3));
        expect(got[c]!.variance).toBeCloseTo(mean(variances), 12);
        expect(got[c]!.varianceError).toBeCloseTo(standardErrorOf(Float64Array.from(variances)), 12);
        const expected = autocorrelation({ sums: Float64Array.from(blocks.flat()), lags: 4 });
        for (let h = 0; h <= 4; h++) {
          expect(got[c]!.measured[h]).toBeCloseTo(expected.measured[h]!, 12);
          expect(got[c]!.standardError[h]).toBeCloseTo(expected.standardError[h]!, 12);
        }
      }
    },
  );

  it('cover equation (2) and the variance of a finite population as often as their errors say', () => {
    const random = new RandomStream(2, 'population');
    let [covered, all] = [0, 0];
    for (let run = 0; run < 60; run++) {
      const values = centre(
        Float64Array.from({ length: 24 }, () => random.normal()),
        1,
      );
      const options = { batchesPerEpoch: 6, epochs: 80, lags: 7, examples: 24, batchSize: 4, firstEpoch: 0 };
      const drawing = { sampling: 'without-replacement', seeds: [run], together: 1 } as const;
      const [noise] = noiseAlong(values, [0], { ...options, ...drawing });
      const exact = exampleCovariance(values)[0]! * batchVarianceFactor({ ...options, ...drawing });
      const pulls = [(noise!.variance - exact) / noise!.varianceError];
      for (const h of [1, 3, 5, 7])
        pulls.push(
          (noise!.measured[h]! - noiseAutocovariance(h, 6, 'without-replacement')) / noise!.standardError[h]!,
        );
      covered += pulls.filter((pull) => Math.abs(pull) < 1).length;
      all += pulls.length;
    }
    expect(all).toBe(300);
    expect(Math.abs(covered / all - 0.68)).toBeLessThan(4 * Math.sqrt((0.68 * 0.32) / all));
  });
});

it('two matrices that do not commute have the angles of their definition', () => {
  // C = [[2, 1], [1, 1]], H = diag(3, 1): tr(C H) = 7, |C| = sqrt(7), |H| = sqrt(10), [C, H] has +-2 off the diagonal.
  const { cosine, commutator } = alignment(Float64Array.of(2, 1, 1, 1), [3, 1]);
  expect(cosine).toBeCloseTo(7 / Math.sqrt(70), 12);
  expect(commutator).toBeCloseTo(Math.sqrt(8) / (2 * Math.sqrt(70)), 12);
});

it('row products are inner products of all pairs of rows', () => {
  const products = rowProducts(Float32Array.of(1, 2, 3, -1, 0, 2), Float32Array.of(1, 1, 0, 2, -1, 1), 3);
  expect([...products]).toEqual([3, 3, -1, 0]);
});
