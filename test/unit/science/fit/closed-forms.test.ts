/** What the fit says of few directions, written out anew from its definitions. */
import { describe, expect, it } from 'vitest';
import { chiSquareTail } from '../../../../science/fit/chi-square.ts';
import { estimate, fittedColumns, undecided } from '../../../../science/fit/estimate.ts';
import { exponentsOf } from '../../../../science/fit/exponents.ts';
import { fitCorrelationTimes } from '../../../../science/fit/fit-correlation-times.ts';
import { type FitColumns, selectRows } from '../../../../science/fit/fit-rows.ts';
import { Profile } from '../../../../science/fit/profile.ts';
import { pooledErrors, weightedLine } from '../../../../science/fit/weighted-line.ts';
import { RandomStream } from '../../../../science/random.ts';
import { crossoverCorrelationTime, lambdaCross, tauSgd } from '../../../../science/theory/regimes.ts';

const setting = {
  learningRate: 0.05,
  momentum: 0.5,
  batchesPerEpoch: 40,
  sampling: 'without-replacement',
} as const;
const [crossing, plateau] = [lambdaCross(setting), tauSgd(setting)];
const random = new RandomStream(8, 'fit');
const lambdas = Array.from({ length: 17 }, (_, i) => crossing * 10 ** ((i - 7) / 8));
const scatter = () => Math.exp(0.1 * random.normal());

/** Columns of made-up numbers, all with errors of their own. */
function madeUp(eigenvalues: readonly number[]): FitColumns {
  const column = (value: (eigenvalue: number) => number) => Float64Array.from(eigenvalues, value);
  const error = (values: Float64Array) => values.map((x) => x * (0.05 + 0.1 * random.uniform()));
  const weight = column((x) => x ** 0.4 * scatter());
  const velocity = column((x) => 3 * x * scatter());
  const time = column((x) => crossoverCorrelationTime(x, 1.2 * crossing, 0.9 * plateau) * scatter());
  return {
    eigenvalue: Float64Array.from(eigenvalues),
    weight_variance: weight,
    weight_variance_standard_error: error(weight),
    weight_variance_theory_window: column((x) => x ** 0.4 * scatter()),
    velocity_variance: velocity,
    velocity_variance_standard_error: error(velocity),
    velocity_variance_theory_window: column((x) => 3 * x * scatter()),
    correlation_time: time,
    correlation_time_standard_error: error(time),
    correlation_time_theory_window: column((x) => 1.1 * crossoverCorrelationTime(x, crossing, plateau)),
    correlation_time_theory_leftover: column((x) => 1.3 * crossoverCorrelationTime(x, crossing, plateau)),
    noise_leftover_share: column((x) => x / 10),
    noise_epoch_share: column((x) => x / 5),
  };
}

const columns = madeUp(lambdas);
const rows = selectRows(columns);
const { parameters, notes } = fitCorrelationTimes({ ...setting, columns });
const close = (got: number | undefined, expected: number, within = 1e-9) =>
  expect(Math.abs(got! / expected - 1)).toBeLessThan(within);

/** Median of the relative errors of the eleven nearest directions. */
function pooled(error: Float64Array, value: Float64Array, i: number): number {
  const near = [...error].map((x, j) => x / value[j]!).slice(Math.max(0, i - 5), i + 6);
  near.sort((a, b) => a - b);
  return (near[Math.floor((near.length - 1) / 2)]! + near[Math.ceil((near.length - 1) / 2)]!) / 2;
}

describe('the rows of a fit', () => {
  it('have relative errors, each the median of eleven neighbours', () => {
    for (const [i, row] of rows.entries()) {
      const { weight_variance, velocity_variance, correlation_time } = columns;
      close(row.weightVarianceError, pooled(columns.weight_variance_standard_error, weight_variance, i));
      close(
        row.velocityVarianceError,
        pooled(columns.velocity_variance_standard_error, velocity_variance, i),
      );
      close(row.correlationTimeError, pooled(columns.correlation_time_standard_error, correlation_time, i));
    }
    expect(pooledErrors(Array.from({ length: 13 }, (_, i) => i))).toEqual([
      2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 7.5, 8, 8.5, 9, 9.5,
    ]);
  });

  it('are sorted by eigenvalue, and only those where all is positive', () => {
    const spoilt = madeUp([5, 1, 4, 2, 3].map((x) => x * crossing));
    spoilt.weight_variance[0] = Number.NaN;
    spoilt.velocity_variance_standard_error[1] = 0;
    spoilt.correlation_time_theory_leftover![2] = Number.NaN;
    spoilt.correlation_time_theory_leftover![3] = 0;
    const kept = selectRows(spoilt);
    expect(kept.map((row) => row.eigenvalue / crossing)).toEqual([2, 3, 4].map((x) => expect.closeTo(x, 9)));
    // Where nothing is known of noise that is left over, its theory is that without.
    expect(kept[2]!.correlationTimeLeftover).toBe(spoilt.correlation_time_theory_window[2]);
    expect(kept[0]!.correlationTimeLeftover).toBe(spoilt.correlation_time_theory_window[3]);
    expect(kept[1]!.correlationTimeLeftover).toBe(spoilt.correlation_time_theory_leftover![4]);
  });
});

describe('the fit of the crossover', () => {
  const sigma = rows.map((row) => row.correlationTimeError);
  const chiSquare = (lambda: number, tau: number, kappa = 1.1) =>
    rows.reduce((sum, { eigenvalue, correlationTime: time }, i) => {
      const curve = kappa * crossoverCorrelationTime(eigenvalue, lambda, tau);
      return sum + ((Math.log(time / curve) + sigma[i]! ** 2 / 2) / sigma[i]!) ** 2;
    }, 0);
  const least = chiSquare(parameters.lambda_cross, parameters.tau_sgd);
  /** Least over tau at a lambda_cross, by its closed form. */
  const atCrossing = (lambda: number) => {
    const total = sigma.reduce((sum, error) => sum + error ** -2, 0);
    const level = rows.reduce((sum, { eigenvalue, correlationTime: time }, i) => {
      const curve = 1.1 * crossoverCorrelationTime(eigenvalue, lambda, 1);
      return sum + (Math.log(time / curve) + sigma[i]! ** 2 / 2) / sigma[i]! ** 2;
    }, 0);
    return chiSquare(lambda, Math.exp(level / total));
  };

  it('is least squares of ln tau, weighted by the errors', () => {
    expect(notes).toEqual([]);
    close(parameters.reduced_chi_square, least / 15, 1e-8);
    for (const [a, b] of [
      [1.001, 1],
      [0.999, 1],
      [1, 1.001],
      [1, 0.999],
      [1.001, 0.999],
      [0.999, 1.001],
    ] as const)
      expect(chiSquare(a * parameters.lambda_cross, b * parameters.tau_sgd)).toBeGreaterThan(least);
    const total = sigma.reduce((sum, error) => sum + error ** -2, 0);
    const y = rows.map(
      ({ correlationTime: time, correlationTimeTheory: theory, eigenvalue }, i) =>
        Math.log((time / theory) * crossoverCorrelationTime(eigenvalue, crossing, plateau)) +
        sigma[i]! ** 2 / 2,
    );
    const centre = y.reduce((sum, value, i) => sum + value / sigma[i]! ** 2, 0) / total;
    const spread = y.reduce((sum, value, i) => sum + ((value - centre) / sigma[i]!) ** 2, 0);
    close(1 - parameters.r_squared, least / spread, 1e-8);
  });

  it('has the interval in which chi-square rises by 1, and the pull that it rises by at theory', () => {
    for (const [end, side] of [
      [parameters.lambda_cross_low, -1],
      [parameters.lambda_cross_high, 1],
    ] as const) {
      expect(atCrossing(end) - least).toBeCloseTo(1, 6);
      expect(Math.sign(end - parameters.lambda_cross)).toBe(side);
    }
    close(
      parameters.lambda_cross_standard_error,
      (parameters.lambda_cross_high - parameters.lambda_cross_low) / 2,
    );
    close(parameters.tau_sgd_standard_error, (parameters.tau_sgd_high - parameters.tau_sgd_low) / 2);
    const pull = Math.sqrt(atCrossing(crossing) - least);
    close(parameters.lambda_cross_deviation, Math.sign(parameters.lambda_cross - crossing) * pull, 1e-5);
  });

  it('has errors that are correlated as J^T W J says, and the chance of its chi-square', () => {
    const h = 1e-4;
    const curve = (x: number, a: number) =>
      Math.log(crossoverCorrelationTime(x, parameters.lambda_cross * Math.exp(a), 1));
    let [aa, ab, bb] = [0, 0, 0];
    for (const [i, { eigenvalue }] of rows.entries()) {
      const slope = (curve(eigenvalue, h) - curve(eigenvalue, -h)) / (2 * h);
      aa += (slope / sigma[i]!) ** 2;
      ab += slope / sigma[i]! ** 2;
      bb += sigma[i]! ** -2;
    }
    close(parameters.parameter_correlation, -ab / Math.sqrt(aa * bb), 1e-6);
    close(parameters.chi_square_p_value, chiSquareTail(least, 15), 1e-7);
  });

  it('with noise that is left over is the same against the theory of that', () => {
    // 1.3 instead of 1.1 moves the level, and nothing else.
    close(parameters.tau_sgd_leftover, (parameters.tau_sgd * 1.1) / 1.3, 1e-6);
    close(parameters.lambda_cross_leftover, parameters.lambda_cross, 1e-6);
    close(parameters.reduced_chi_square_leftover, parameters.reduced_chi_square, 1e-8);
    close(parameters.chi_square_p_value_leftover, parameters.chi_square_p_value, 1e-6);
  });

  it('has the shares of the spectrum as medians', () => {
    expect(parameters.noise_leftover_share).toBeCloseTo(lambdas[8]! / 10, 12);
    expect(parameters.noise_epoch_share).toBeCloseTo(lambdas[8]! / 5, 12);
    expect(parameters.noise_epoch_share_theory).toBe(0);
    const theory = (sampling: 'with-replacement' | 'sequential') =>
      fitCorrelationTimes({ ...setting, sampling, columns }).parameters.noise_epoch_share_theory;
    expect([theory('with-replacement'), theory('sequential')]).toEqual([1, Number.NaN]);
  });

  it('adds up the loss, and half of each error in quadrature', () => {
    const loss = rows.reduce((sum, row) => sum + (row.eigenvalue * row.weightVariance) / 2, 0);
    const squares = rows.reduce(
      (sum, row) => sum + ((row.eigenvalue * row.weightVariance * row.weightVarianceError) / 2) ** 2,
      0,
    );
    close(parameters.loss_fluctuation, loss);
    close(parameters.loss_fluctuation_standard_error, Math.sqrt(squares));
    const theory = rows.reduce((sum, row) => sum + (row.eigenvalue * row.weightVarianceTheory) / 2, 0);
    close(parameters.loss_fluctuation_theory, theory);
  });
});

describe('the exponents', () => {
  it('are weighted slopes of logarithms below and from lambda_cross on, with the errors of the difference from its scatter', () => {
    // The eighth direction lies at lambda_cross itself: it counts as above.
    const at = rows[7]!.eigenvalue;
    const told: string[] = [];
    const got = exponentsOf(rows, at, told);
    expect(told).toEqual([]);
    expect([got.directions_below, got.directions_above]).toEqual([7, 10]);
    const line = (
      part: typeof rows,
      value: (row: (typeof rows)[number]) => number,
      error: (row: (typeof rows)[number]) => number,
    ) => {
      const weight = part.map((row) => error(row) ** -2);
      const total = weight.reduce((sum, w) => sum + w, 0);
      const centre = part.reduce((sum, row, i) => sum + weight[i]! * Math.log(row.eigenvalue), 0) / total;
      const x = part.map((row) => Math.log(row.eigenvalue) - centre);
      const xx = x.reduce((sum, d, i) => sum + weight[i]! * d ** 2, 0);
      const slope = x.reduce((sum, d, i) => sum + weight[i]! * d * value(part[i]!), 0) / xx;
      const middle = part.reduce((sum, row, i) => sum + weight[i]! * value(row), 0) / total;
      const chi = x.reduce((sum, d, i) => sum + weight[i]! * (value(part[i]!) - middle - slope * d) ** 2, 0);
      const scale = chi / (part.length - 2);
      return { slope, error: Math.sqrt(Math.max(1, scale) / xx), pull: slope / Math.sqrt(scale / xx) };
    };
    const weightError = (row: (typeof rows)[number]) => row.weightVarianceError;
    const speedError = (row: (typeof rows)[number]) => row.velocityVarianceError;
    for (const [name, part, measured, theory, error] of [
      [
        'weight_variance_exponent_below',
        rows.slice(0, 7),
        'weightVariance',
        'weightVarianceTheory',
        weightError,
      ],
      [
        'weight_variance_exponent_above',
        rows.slice(7),
        'weightVariance',
        'weightVarianceTheory',
        weightError,
      ],
      ['velocity_variance_exponent', rows, 'velocityVariance', 'velocityVarianceTheory', speedError],
    ] as const) {
      const value = (row: (typeof rows)[number]) => Math.log(row[measured]) + error(row) ** 2 / 2;
      const own = line(part, value, error);
      close(got[name], own.slope);
      close(got[`${name}_standard_error`], own.error);
      close(got[`${name}_theory`], line(part, (row) => Math.log(row[theory]), error).slope);
      close(
        got[`${name}_deviation`],
        line(part, (row) => value(row) - Math.log(row[theory]), error).pull,
        1e-8,
      );
    }
    const few = exponentsOf(rows, rows[3]!.eigenvalue, told);
    expect(few.weight_variance_exponent_below).not.toBeNaN();
    expect(exponentsOf(rows, rows[2]!.eigenvalue, told).weight_variance_exponent_below).toBeNaN();
    expect(told).toEqual([
      `Only 2 directions lie below lambda_cross = ${Number(rows[2]!.eigenvalue.toPrecision(3))}: no exponent of that regime.`,
    ]);
  });

  it('take points that scatter less than their errors at these errors, and more at their scatter', () => {
    const near = weightedLine([0, 1, 2], [0, 0.1, 0], [1, 1, 1]);
    // Residuals -1/30, 2/30, -1/30 about the line: chi-square 1/150 for one degree of freedom; sum of squares of x is 2.
    expect(near.slopeError).toBeCloseTo(Math.sqrt(1 / 2), 12);
    expect(near.scatterError).toBeCloseTo(Math.sqrt(1 / 300), 12);
    expect(weightedLine([0, 1, 2], [0, 2, 4], [5, 5, 5]).slope).toBeCloseTo(2, 12);
    const far = weightedLine([0, 1, 2], [0, 10, 0], [1, 1, 1]);
    expect(far.slopeError).toBeCloseTo(Math.sqrt(10000 / 150 / 2), 10);
    expect(far.scatterError).toBeCloseTo(far.slopeError, 12);
    expect(weightedLine([0, 1], [0, 1], [1, 1])).toEqual({
      slope: Number.NaN,
      slopeError: Number.NaN,
      scatterError: Number.NaN,
    });
  });
});

describe('an estimate from a profile', () => {
  /** Chi-square ((x - ln 2) / 0.1)^2: ends at exp(ln 2 +- 0.1 sqrt(bound)). */
  const parabola = (open: 'low' | 'high' | undefined = undefined) => ({
    interval: (bound: number) => ({
      low: open === 'low' ? undefined : Math.log(2) - 0.1 * Math.sqrt(bound),
      high: open === 'high' ? undefined : Math.log(2) + 0.1 * Math.sqrt(bound),
    }),
    rise: (x: number) => ((x - Math.log(2)) / 0.1) ** 2,
  });

  it('is a value with an interval of one sigma', () => {
    const got = estimate(2, 2 * Math.exp(0.25), parabola());
    close(got.low, 2 * Math.exp(-0.1));
    close(got.high, 2 * Math.exp(0.1));
    close(got.error, 2 * Math.sinh(0.1));
    close(got.deviation, -2.5);
    expect(got.lowerLimit).toBeNaN();
    expect(undecided('x', got)).toEqual([]);
    expect(fittedColumns('x', got)).toMatchObject({
      x: 2,
      x_low: got.low,
      x_theory: got.theory,
      x_upper_limit: Number.NaN,
    });
  });

  it('is a one-sided limit of 95 % where it has no end, or lies outside of the data', () => {
    const [open, closed] = [estimate(2, 3, parabola('high')), estimate(2, 3, parabola(), false)];
    for (const got of [open, closed]) {
      expect(got.value).toBeNaN();
      close(got.lowerLimit, 2 * Math.exp(-0.1 * Math.sqrt(2.706)));
      expect(got.theory).toBe(3);
    }
    expect(open.upperLimit).toBeNaN();
    close(closed.upperLimit, 2 * Math.exp(0.1 * Math.sqrt(2.706)));
    expect(undecided('x', open)).toEqual([
      'The directions do not determine x: with 95 % confidence it lies above 1.7.',
    ]);
    expect(undecided('x', closed)[0]).toContain('lies above 1.7 and below 2.36');
    expect(undecided('x', estimate(2, 3, parabola('low')))[0]).toContain('lies below 2.36');
    const none = estimate(2, 3, { ...parabola(), interval: () => ({ low: undefined, high: undefined }) });
    expect(undecided('x', none)).toEqual(['The directions do not determine x: nothing is known of it.']);
  });

  it('needs 95 % on both sides, that is a rise of 3.84', () => {
    const upTo = (most: number) => ({
      ...parabola(),
      interval: (bound: number) =>
        bound > most ? { low: undefined, high: undefined } : parabola().interval(bound),
    });
    expect(estimate(2, 3, upTo(3.8)).value).toBeNaN();
    expect(estimate(2, 3, upTo(3.85)).value).toBe(2);
  });
});

it('a profile of a curve that bends has asymmetric ends where its sum of squares says', () => {
  const t = [0.5, 1, 2, 4];
  const shape = (place: number) => t.map((x) => -Math.log1p(x * Math.exp(-place)));
  const [y, sigma] = [
    [0.05, -0.1, -0.4, -0.6],
    [0.1, 0.2, 0.1, 0.3],
  ];
  const squares = (place: number, level: number) =>
    shape(place).reduce((sum, s, i) => sum + ((y[i]! - s - level) / sigma[i]!) ** 2, 0);
  const places = Array.from({ length: 4001 }, (_, i) => -4 + i / 400);
  const levels = Array.from({ length: 401 }, (_, i) => -1 + i / 100);
  const total = sigma.reduce((sum, s) => sum + s ** -2, 0);
  const levelAt = (place: number) =>
    shape(place).reduce((sum, s, i) => sum + (y[i]! - s) / sigma[i]! ** 2, 0) / total;
  const best = places.reduce((a, b) => (squares(b, levelAt(b)) < squares(a, levelAt(a)) ? b : a));
  const least = squares(best, levelAt(best));
  const profile = new Profile({ y, sigma, shape }, best, [-4, 6]);
  expect(profile.chiSquare).toBeCloseTo(least, 12);
  const { low, high } = profile.places(1);
  for (const end of [low!, high!]) expect(squares(end, levelAt(end)) - least).toBeCloseTo(1, 6);
  expect(low!).toBeLessThan(best);
  expect(best - low!).not.toBeCloseTo(high! - best, 2);
  for (const level of levels.filter((_, i) => i % 40 === 0)) {
    const expected = Math.min(...places.map((place) => squares(place, level))) - least;
    expect(Math.abs(profile.riseOfLevel(level) - expected)).toBeLessThan(2e-3 * (1 + expected));
  }
  const ends = profile.levels(1);
  for (const end of [ends.low!, ends.high!]) expect(profile.riseOfLevel(end)).toBeCloseTo(1, 3);
  expect(ends.low!).toBeLessThan(ends.high!);
});

describe('the fit says what it leaves out, and what it cannot find', () => {
  const part = (chosen: readonly number[], change: Partial<FitColumns> = {}) => {
    const few = Object.entries({ ...columns, ...change }).map(([name, column]) => [
      name,
      Float64Array.from(chosen, (i) => column![i]!),
    ]);
    return fitCorrelationTimes({ ...setting, columns: Object.fromEntries(few) as FitColumns });
  };
  const all = lambdas.map((_, i) => i);

  it('directions that lack a value, by their number', () => {
    const spoilt = columns.weight_variance.slice();
    spoilt[3] = Number.NaN;
    const { notes: told, parameters: got } = part(all, { weight_variance: spoilt });
    expect(told).toEqual([
      '1 of 17 directions are left out of the fit: no stationary state in theory, or no correlation time.',
    ]);
    expect([got.directions, got.directions_left_out]).toEqual([16, 1]);
  });

  it('less than three directions, once', () => {
    expect(part([7, 12]).notes.slice(0, 1)).toEqual([
      'lambda_cross and tau_SGD are not fitted: that takes at least 3 directions, there are 2.',
    ]);
    expect(part([7, 12]).notes).toHaveLength(3);
    expect(part([1, 8, 15]).parameters.reduced_chi_square).toBeGreaterThan(0);
  });

  it('a curve that less than one in a thousand would be this far from', () => {
    const scaled = (factor: number) =>
      part(all, {
        correlation_time_standard_error: columns.correlation_time_standard_error.map((x) => x * factor),
      });
    const chance = (factor: number) => scaled(factor).parameters.chi_square_p_value;
    const factorOf = (wanted: number) => {
      let [low, high] = [0.05, 2];
      for (let n = 0; n < 15; n++) {
        const middle = (low + high) / 2;
        if (chance(middle) < wanted) low = middle;
        else high = middle;
      }
      return high;
    };
    expect(scaled(factorOf(1.1e-3)).notes).toEqual([]);
    const bad = scaled(factorOf(0.95e-3));
    const [each, p] = [bad.parameters.reduced_chi_square, bad.parameters.chi_square_p_value].map((x) =>
      Number(x.toPrecision(2)),
    );
    expect(bad.notes).toHaveLength(1);
    expect(bad.notes[0]).toContain(
      `chi-square is ${each} for each of 15 degrees of freedom, which chance alone exceeds with a probability of ${p}.`,
    );
  });

  it('of noise that is left over only what is not said already', () => {
    const uneven = columns.correlation_time_theory_window.map((x, i) => x * (i % 2 === 0 ? 1 : 2));
    const { notes: told } = part(all, { correlation_time_theory_leftover: uneven });
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/^With the noise that is left over: The curve/);
    const both = part(all, {
      correlation_time_theory_leftover: uneven,
      correlation_time_theory_window: uneven,
    });
    expect(both.notes).toHaveLength(1);
    expect(both.notes[0]).toMatch(/^The curve/);
  });

  it.each([
    ['above', 0.05, 0.9],
    ['below', 1.1, 20],
  ])('a lambda_cross that lies %s all eigenvalues, as limits', (_, from, to) => {
    const some = Array.from({ length: 12 }, (_, i) => crossing * from * (to / from) ** (i / 11));
    const exact = madeUp(some);
    exact.correlation_time.set(some.map((x) => 1.1 * crossoverCorrelationTime(x, crossing, plateau)));
    exact.correlation_time_standard_error.set(exact.correlation_time.map((x) => 0.002 * x));
    const { parameters: got, notes: told } = fitCorrelationTimes({ ...setting, columns: exact });
    expect(got.lambda_cross).toBeNaN();
    expect(got.lambda_cross_lower_limit / crossing).toBeGreaterThan(0.95);
    expect(got.lambda_cross_lower_limit).toBeLessThan(crossing);
    expect(got.lambda_cross_upper_limit / crossing).toBeLessThan(1.05);
    expect(got.lambda_cross_upper_limit).toBeGreaterThan(crossing);
    expect(told.join()).toContain(
      'The directions do not determine lambda_cross: with 95 % confidence it lies above',
    );
    expect(got.tau_sgd / plateau).toBeCloseTo(1, 2);
  });

  it('takes a theory of less than a step for known', () => {
    const short = { ...columns, correlation_time_theory_leftover: new Float64Array(17).fill(0.5) };
    expect(selectRows(short)[0]!.correlationTimeLeftover).toBe(0.5);
  });
});
