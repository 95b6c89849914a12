/** Every measured column, its error and its theory, written out anew from their definitions, for a short series of made-up numbers. */
import { describe, expect, it } from 'vitest';
import { analyzeSeries } from '../../../../science/analysis/analyze-series.ts';
import { average, batchMeansError, blockMeans, layOutBlocks } from '../../../../science/analysis/blocks.ts';
import { detrend } from '../../../../science/analysis/detrend.ts';
import { leftoverQuantities, quantities, type SeriesInput } from '../../../../science/analysis/spectrum.ts';
import { RandomStream } from '../../../../science/random.ts';
import { weightStructureFunction } from '../../../../science/theory/autocovariance.ts';
import { correlationTime, stationaryVariances } from '../../../../science/theory/variances.ts';
import {
  expectedCorrelationTimeSum,
  expectedNoiseVariance,
  expectedWindowVariances,
} from '../../../../science/theory/window.ts';

const [steps, m, blocks] = [64, 6, 4];
const [learningRate, momentum] = [0.2, 0.4];
const eigenvalues = Float64Array.of(1.5, 0.2, 0.6, 0.35);
const k = eigenvalues.length;
const random = new RandomStream(3, 'made up');
const theta = Float64Array.from({ length: steps * k }, (_, n) => 3 + 0.01 * n + random.normal());
const input: SeriesInput = {
  ...{ theta, steps, directions: k, eigenvalues, learningRate, momentum, batchesPerEpoch: m, blocks },
  sampling: 'without-replacement',
  drift: 'linear',
};

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Three whole epochs of six steps fit into a quarter of 64: a block is 12 steps long. */
const length = 12;

/** Standard deviation of four block means (n - 1), over the root of 64 / 12 blocks. */
function errorOf(values: readonly (number | undefined)[], of = steps, long = length): number {
  const means = Array.from({ length: blocks }, (_, b) =>
    mean(values.slice(b * long, (b + 1) * long).filter((value) => value !== undefined)),
  );
  const centre = mean(means);
  return Math.sqrt(means.reduce((sum, x) => sum + (x - centre) ** 2, 0) / 3 / (of / long));
}

/** What is known of one direction, step by step; undefined where there is no value yet. */
function byHand(i: number, drift: 'linear' | 'mean') {
  const raw = Array.from({ length: steps }, (_, t) => theta[t * k + i]!);
  const centre = (steps - 1) / 2;
  const spread = raw.reduce((sum, _, t) => sum + (t - centre) ** 2, 0);
  const slope = drift === 'mean' ? 0 : raw.reduce((sum, x, t) => sum + (t - centre) * x, 0) / spread;
  const weights = raw.map((x, t) => x - mean(raw) - slope * (t - centre));
  const moves = weights.slice(1).map((x, t) => x - weights[t]!);
  const v = [undefined, ...moves.map((x) => x - mean(moves))];
  const forces = v.map((x, t) =>
    t < 2 ? undefined : -(x! - momentum * v[t - 1]!) / learningRate - eigenvalues[i]! * weights[t - 1]!,
  );
  const known = forces.slice(2) as number[];
  const noise = forces.map((x) => (x === undefined ? undefined : x - mean(known)));
  const square = (values: readonly (number | undefined)[]) =>
    values.map((x) => (x === undefined ? x : x ** 2));
  const meanSquare = (values: readonly (number | undefined)[]) =>
    mean(square(values).filter((x) => x !== undefined));
  return { weights, v, noise, square, meanSquare, slope, spread };
}

describe.each(['linear', 'mean'] as const)('the columns of a spectrum, drift %s', (drift) => {
  const { columns } = analyzeSeries({ ...input, drift });
  const close = (got: number | undefined, expected: number) =>
    expect(Math.abs(got! / expected - 1)).toBeLessThan(1e-9);
  const noiseWindow = expectedNoiseVariance(m, 'without-replacement', steps, drift);

  it('variances and tau, with errors from four blocks', () => {
    for (let i = 0; i < k; i++) {
      const { weights, v, noise, square, meanSquare } = byHand(i, drift);
      close(columns.weight_variance[i], meanSquare(weights));
      close(columns.velocity_variance[i], meanSquare(v));
      close(columns.noise_variance[i], meanSquare(noise));
      close(columns.weight_variance_standard_error[i], errorOf(square(weights)));
      close(columns.velocity_variance_standard_error[i], errorOf(square(v)));
      close(columns.noise_variance_standard_error[i], errorOf(square(noise)));
      const ratio = meanSquare(weights) / meanSquare(v);
      close(columns.correlation_time[i], 2 * ratio);
      // Linearized: means over blocks of w^2 - ratio v^2, where the first block has one velocity less.
      const blocksOf = (values: readonly (number | undefined)[]) =>
        Array.from({ length: blocks }, (_, b) =>
          mean(values.slice(b * length, (b + 1) * length).filter((x) => x !== undefined)),
        );
      const [w, s] = [blocksOf(square(weights)), blocksOf(square(v))];
      const differences = w.flatMap((x, b) => new Array<number>(length).fill(x - ratio * s[b]!));
      close(columns.correlation_time_standard_error[i], (2 * errorOf(differences)) / Math.abs(mean(s)));
      // What the theory expects rests on the noise of the same steps.
      const n = blocksOf(square(noise));
      const process = { ...input, eigenvalue: eigenvalues[i]! };
      const window = expectedWindowVariances(weightStructureFunction(process, steps), steps, drift);
      for (const [name, measured, factor] of [
        ['weight_variance', w, window.weightVariance],
        ['velocity_variance', s, window.velocityVariance],
      ] as const) {
        const own = measured.flatMap((x, b) =>
          new Array<number>(length).fill(x - (factor / noiseWindow) * n[b]!),
        );
        const expected = (factor * meanSquare(noise)) / noiseWindow;
        close(columns[`${name}_theory_window`][i], expected);
        close(columns[`${name}_deviation`][i], (columns[name][i]! - expected) / errorOf(own));
      }
    }
  });

  it('theory at the level of the measured noise, which the window has taken its share of', () => {
    for (let i = 0; i < k; i++) {
      const process = { ...input, eigenvalue: eigenvalues[i]! };
      const { weightVariance, velocityVariance } = stationaryVariances(process);
      const level = columns.noise_variance[i]! / noiseWindow;
      close(columns.weight_variance_theory[i], level * weightVariance);
      close(columns.velocity_variance_theory[i], level * velocityVariance);
      close(columns.correlation_time_theory[i], correlationTime(process));
      close(columns.correlation_time_sum_theory[i], correlationTime(process));
      const window = expectedWindowVariances(weightStructureFunction(process, steps), steps, drift);
      const tau = (2 * window.weightVariance) / window.velocityVariance;
      close(columns.correlation_time_theory_window[i], tau);
      const { correlation_time: measured, correlation_time_standard_error: error } = columns;
      close(columns.correlation_time_deviation[i], (measured[i]! - tau) / error[i]!);
    }
  });

  it('lagged sums of velocities through their window', () => {
    for (let i = 0; i < k; i++) {
      const { v } = byHand(i, drift);
      const speeds = v.slice(1) as number[];
      const relaxation =
        (columns.correlation_time[i]! * (1 - momentum)) / (1 + momentum) + 1 / (1 - momentum);
      const flat = Math.min(Math.ceil(6 * relaxation), 8);
      const end = 2 * flat;
      const [first, total]: [number[], number[]] = [[], []];
      for (let j = 0; j < steps - end; j++) {
        let [a, b] = [0, 0];
        for (let h = 1; h < end; h++) {
          const weight = h <= flat ? 1 : (end - h) / (end - flat);
          a += weight * h * speeds[j]! * speeds[j + h]!;
          b += weight * speeds[j]! * speeds[j + h]!;
        }
        first.push(a);
        total.push(b);
      }
      const ratio = mean(first) / mean(total);
      expect(Math.abs(columns.correlation_time_sum[i]! / ratio - 1)).toBeLessThan(1e-7);
      const long = Math.floor((steps - end) / blocks / m) * m;
      const own = first.map((x, j) => x - ratio * total[j]!);
      const error = errorOf(own, steps - end, long) / Math.abs(mean(total.slice(0, blocks * long)));
      expect(Math.abs(columns.correlation_time_sum_standard_error[i]! / error - 1)).toBeLessThan(1e-6);
      const structure = weightStructureFunction({ ...input, eigenvalue: eigenvalues[i]! }, steps);
      const expected = expectedCorrelationTimeSum(structure, steps, { flat, end });
      close(columns.correlation_time_sum_theory_window[i], expected);
      close(
        columns.correlation_time_sum_deviation[i],
        (columns.correlation_time_sum[i]! - expected) / columns.correlation_time_sum_standard_error[i]!,
      );
    }
  });

  it('the share of an epoch, of whole epochs after the first', () => {
    for (let i = 0; i < k; i++) {
      const { noise, meanSquare } = byHand(i, drift);
      let squares = 0;
      for (let epoch = 1; epoch < 10; epoch++) {
        const sum = noise.slice(epoch * m, (epoch + 1) * m).reduce<number>((a, x) => a + x!, 0);
        squares += sum ** 2;
      }
      close(columns.noise_epoch_share[i], squares / 9 / m / meanSquare(noise));
    }
  });

  it('noise that is left over: the pooled share r, and theory of (1 - r) noise that cancels and r that does not', () => {
    // Nine epochs after the first. L = (2/3) lambda_cross / lambda = 1 / lambda, at least 2 and at most a quarter of nine: four sums over two epochs each.
    let sum = 0;
    for (let i = 0; i < k; i++) {
      const { noise, meanSquare } = byHand(i, drift);
      const sums = [0, 1, 2, 3].map((window) =>
        noise.slice((1 + 2 * window) * m, (3 + 2 * window) * m).reduce<number>((total, x) => total + x!, 0),
      );
      sum += mean(sums.map((x) => x ** 2)) / (1 - 1 / 4) / (2 * m * meanSquare(noise));
    }
    const share = Math.min(1, sum / k);
    const white = expectedNoiseVariance(m, 'with-replacement', steps, drift);
    for (let i = 0; i < k; i++) {
      close(columns.noise_leftover_share[i], share);
      const of = (sampling: 'with-replacement' | 'without-replacement') => {
        const process = { ...input, eigenvalue: eigenvalues[i]!, sampling };
        return expectedWindowVariances(weightStructureFunction(process, steps), steps, drift);
      };
      const [own, independent] = [of('without-replacement'), of('with-replacement')];
      const level = columns.noise_variance[i]! / ((1 - share) * noiseWindow + share * white);
      const weight = level * ((1 - share) * own.weightVariance + share * independent.weightVariance);
      const velocity = level * ((1 - share) * own.velocityVariance + share * independent.velocityVariance);
      close(columns.weight_variance_theory_leftover[i], weight);
      close(columns.velocity_variance_theory_leftover[i], velocity);
      close(columns.correlation_time_theory_leftover[i], (2 * weight) / velocity);
    }
  });
});

describe('the columns', () => {
  it('are NaN where nothing fills them', () => {
    const { columns } = analyzeSeries({ ...input, eigenvalues: Float64Array.of(-1, -1, -1, -1) });
    for (const name of quantities) expect(columns[`${name}_theory`].every(Number.isNaN)).toBe(true);
    for (const name of leftoverQuantities) {
      expect(columns[`${name}_theory_leftover`]).toHaveLength(k);
      expect(columns[`${name}_theory_leftover`].every(Number.isNaN)).toBe(true);
    }
    expect([...columns.index]).toEqual([0, 1, 2, 3]);
  });

  it('have no share of noise with replacement, nor one of a series of less than two epochs', () => {
    const replaced = analyzeSeries({ ...input, sampling: 'with-replacement' }).columns;
    expect(replaced.noise_leftover_share.every(Number.isNaN)).toBe(true);
    const short = analyzeSeries({ ...input, batchesPerEpoch: 33 }).columns;
    expect(short.noise_epoch_share.every(Number.isNaN)).toBe(true);
    const two = analyzeSeries({ ...input, batchesPerEpoch: 32 }).columns;
    expect(two.noise_epoch_share.every((share) => share > 0)).toBe(true);
  });

  it('are in place for more directions than are read at once', () => {
    const many = 35;
    const wide = Float64Array.from({ length: 12 * many }, () => random.normal());
    const one = { ...input, steps: 12, blocks: 2, batchesPerEpoch: 3 };
    const all = analyzeSeries({
      ...one,
      theta: wide,
      directions: many,
      eigenvalues: new Float64Array(many).fill(1),
    });
    for (const i of [0, 15, 16, 31, 32, 34]) {
      const single = wide.filter((_, n) => n % many === i);
      const { columns } = analyzeSeries({
        ...one,
        theta: single,
        directions: 1,
        eigenvalues: Float64Array.of(1),
      });
      expect(all.columns.weight_variance[i]).toBe(columns.weight_variance[0]);
    }
  });
});

describe('blocks', () => {
  it('have lengths of one epoch where just one fits', () => {
    expect(layOutBlocks(40, 4, 10)).toEqual({ count: 4, length: 10 });
    expect(layOutBlocks(39, 4, 10)).toEqual({ count: 4, length: 9 });
  });

  it('give s / sqrt(n) with s from n - 1, of as many blocks as the series is long', () => {
    // Means 1, 2, 6: variance 7.
    const layout = { count: 3, length: 2 };
    expect(batchMeansError(Float64Array.of(1, 2, 6), 6, layout)).toBeCloseTo(Math.sqrt(7 / 3), 12);
    expect(batchMeansError(Float64Array.of(1, 2, 6), 7, layout)).toBeCloseTo(Math.sqrt(7 / 3.5), 12);
    expect([...blockMeans(Float64Array.of(0, 2, 1, 3, 5, 7), 1, layout)]).toEqual([2, 2, 6]);
    expect(average(Float64Array.of(1, 2, 6))).toBe(3);
  });
});

it('a line through a few points is subtracted as it is written', () => {
  const { residual, driftVariance } = detrend(Float64Array.of(5, 5, 8, 10), 'linear');
  // Slope 1.8 about a mean of 7; mean square of 1.8 (k - 1.5) is 3.24 * 1.25.
  for (const [i, expected] of [0.7, -1.1, 0.1, 0.3].entries()) expect(residual[i]).toBeCloseTo(expected, 12);
  expect(driftVariance).toBeCloseTo(3.24 * 1.25, 12);
});

describe('what cannot be analyzed, or only in part', () => {
  it('is told from what just can: three steps a block, and the first value too', () => {
    const ofLength = (length: number) =>
      analyzeSeries({ ...input, theta: theta.subarray(0, length * k), steps: length, batchesPerEpoch: 3 });
    expect(() => ofLength(11)).toThrow(/need at least 12/);
    expect(ofLength(12).columns.weight_variance[0]).toBeGreaterThan(0);
    const spoilt = theta.slice();
    spoilt[1] = Number.NaN;
    expect(() => analyzeSeries({ ...input, theta: spoilt })).toThrow(/direction 1 is NaN at step 0/);
  });

  it('has no sums of equation (18) where noise repeats, nor theory of noise where nothing moves', () => {
    const { columns } = analyzeSeries({ ...input, sampling: 'shuffle-once' });
    for (const name of ['correlation_time_sum', 'correlation_time_sum_standard_error'] as const)
      expect(columns[name].every(Number.isNaN)).toBe(true);
    expect(columns.correlation_time[0]).toBeGreaterThan(0);
    const still = analyzeSeries({ ...input, theta: theta.map((x, n) => (n % k === 2 ? 0 : x)) }).columns;
    expect(still.weight_variance_theory_leftover[2]).toBeNaN();
    expect(still.weight_variance_theory_leftover[1]).toBeGreaterThan(0);
  });

  it('knows the spacing of float32 from the largest magnitude, negative or small', () => {
    const coarse = (scale: number, offset: number) =>
      analyzeSeries({ ...input, theta: Float32Array.from(theta, (x) => scale * x + offset) })
        .notes.join()
        .includes('float32 spacing');
    expect(coarse(1, -2e7)).toBe(true);
    expect(coarse(1, -2)).toBe(false);
    // Velocities of 2^-22 about values of 2^-10: they would be coarse if the largest were 1.
    expect(coarse(2 ** -22, 2 ** -10)).toBe(false);
  });

  it('keeps its digits far from zero', () => {
    const fractions = Float64Array.from({ length: 1001 }, () => random.normal());
    for (const drift of ['mean', 'linear'] as const) {
      const near = detrend(fractions.slice(), drift).residual;
      const far = detrend(
        fractions.map((x) => x + 2 ** 42),
        drift,
      ).residual;
      for (const [i, x] of near.entries()) expect(Math.abs(far[i]! - x)).toBeLessThan(3e-3);
    }
  });
});
