import { describe, expect, it } from 'vitest';
import { analyzeSeries } from '../../../../science/analysis/analyze-series.ts';
import { type FitInput, fitCorrelationTimes } from '../../../../science/fit/fit-correlation-times.ts';
import type { FitColumns } from '../../../../science/fit/fit-rows.ts';
import { pooledErrors, weightedLine } from '../../../../science/fit/weighted-line.ts';
import { RandomStream } from '../../../../science/random.ts';
import { crossoverCorrelationTime, lambdaCross, tauSgd } from '../../../../science/theory/regimes.ts';
import { correlationTime, stationaryVariances } from '../../../../science/theory/variances.ts';
import { runQuadratic } from '../analysis/quadratic-sgd.ts';

const setting = {
  learningRate: 0.01,
  momentum: 0.9,
  batchesPerEpoch: 100,
  sampling: 'without-replacement',
} as const;
const crossing = lambdaCross(setting);
const plateau = tauSgd(setting);
const eigenvalues = Array.from({ length: 61 }, (_, i) => crossing * 10 ** (-1.5 + i / 20));

/** The columns of a spectrum of C proportional to H, as exact theory has it, with tau changed by `tau` and errors by `error`. */
function theoryColumns(
  lambdas: readonly number[] = eigenvalues,
  tau: (exact: number, eigenvalue: number, i: number) => number = (exact) => exact,
  error: (i: number) => number = () => 0.05,
): FitColumns {
  const exact = lambdas.map((eigenvalue) => stationaryVariances({ ...setting, eigenvalue }));
  const column = (value: (i: number) => number) => Float64Array.from(lambdas, (_, i) => value(i));
  const weight = column((i) => lambdas[i]! * exact[i]!.weightVariance);
  const velocity = column((i) => lambdas[i]! * exact[i]!.velocityVariance);
  const times = column((i) => correlationTime({ ...setting, eigenvalue: lambdas[i]! }));
  const measured = times.map((value, i) => tau(value, lambdas[i]!, i));
  return {
    eigenvalue: Float64Array.from(lambdas),
    weight_variance: weight,
    weight_variance_standard_error: weight.map((value, i) => value * error(i)),
    weight_variance_theory_window: weight,
    velocity_variance: velocity,
    velocity_variance_standard_error: velocity.map((value, i) => value * error(i)),
    velocity_variance_theory_window: velocity,
    correlation_time: measured,
    correlation_time_standard_error: measured.map((value, i) => value * error(i)),
    correlation_time_theory_window: times,
  };
}

const fitted = (columns: FitColumns, change: Partial<FitInput> = {}) =>
  fitCorrelationTimes({ ...setting, columns, ...change });
/** Undoes the mean of the logarithm, so that the fit's data are exactly on the curve. */
const unbiased = (error: number) => Math.exp(-(error ** 2) / 2);

describe('fitCorrelationTimes', () => {
  it('finds lambda_cross and tau_SGD in exact theory, also for few batches and strong momentum', () => {
    const { parameters, notes } = fitted(theoryColumns(eigenvalues, (exact) => exact * unbiased(0.05)));
    expect(notes).toEqual([]);
    expect(parameters.lambda_cross / crossing).toBeCloseTo(1, 6);
    expect(parameters.tau_sgd / plateau).toBeCloseTo(1, 6);
    expect(parameters.lambda_cross_theory).toBe(crossing);
    expect(parameters.tau_sgd_theory).toBe(plateau);
    expect(parameters.r_squared).toBeCloseTo(1, 9);
    expect(parameters.reduced_chi_square).toBeLessThan(1e-9);
    expect(parameters.directions).toBe(61);
    // Without the finite-size factor this case would be off by this much.
    const exact = correlationTime({ ...setting, eigenvalue: eigenvalues[0]! });
    expect(exact / crossoverCorrelationTime(eigenvalues[0]!, crossing, plateau)).toBeLessThan(0.93);
  });

  it('finds a crossover elsewhere than in theory, with very unequal errors', () => {
    const error = (i: number) => (i < 30 ? 0.3 : 0.01);
    const moved = (exact: number, eigenvalue: number, i: number) =>
      (exact * crossoverCorrelationTime(eigenvalue, 1.8 * crossing, 0.6 * plateau) * unbiased(error(i))) /
      crossoverCorrelationTime(eigenvalue, crossing, plateau);
    // The errors are pooled over neighbours; constant ones within reach of 5 stay as they are, apart from the step in the middle.
    const keep = (i: number) => i < 25 || i > 35;
    const kept = eigenvalues.filter((_, i) => keep(i));
    const index = new Map(kept.map((eigenvalue) => [eigenvalue, eigenvalues.indexOf(eigenvalue)]));
    const columns = theoryColumns(
      kept,
      (exact, eigenvalue) => moved(exact, eigenvalue, index.get(eigenvalue)!),
      (i) => error(index.get(kept[i]!)!),
    );
    const { parameters } = fitted(columns);
    expect(parameters.lambda_cross / crossing).toBeCloseTo(1.8, 1.5);
    expect(parameters.tau_sgd / plateau).toBeCloseTo(0.6, 1.5);
    expect(parameters.lambda_cross_deviation).toBeGreaterThan(5);
  });

  it('ends in the minimum of chi-square, with honest pulls and intervals', () => {
    const pulls: number[] = [];
    const covered: boolean[] = [];
    for (let seed = 0; seed < 150; seed++) {
      const random = new RandomStream(seed, 'scatter');
      const error = (i: number) => (i < 20 ? 0.25 : i < 40 ? 0.1 : 0.03);
      const columns = theoryColumns(
        eigenvalues,
        (exact, _, i) => exact * unbiased(error(i)) * Math.exp(error(i) * random.normal()),
        error,
      );
      const { parameters } = fitted(columns);
      pulls.push(parameters.lambda_cross_deviation, parameters.tau_sgd_deviation);
      covered.push(
        parameters.lambda_cross_low < crossing && crossing < parameters.lambda_cross_high,
        parameters.tau_sgd_low < plateau && plateau < parameters.tau_sgd_high,
      );
      if (seed > 0) continue;
      const sigma = pooledErrors(eigenvalues.map((_, i) => error(i)));
      const chiSquare = (lambda: number, tau: number) =>
        eigenvalues.reduce((sum, eigenvalue, i) => {
          const kappa =
            columns.correlation_time_theory_window[i]! /
            crossoverCorrelationTime(eigenvalue, crossing, plateau);
          const model = kappa * crossoverCorrelationTime(eigenvalue, lambda, tau);
          return (
            sum + ((Math.log(columns.correlation_time[i]! / model) + sigma[i]! ** 2 / 2) / sigma[i]!) ** 2
          );
        }, 0);
      const best = chiSquare(parameters.lambda_cross, parameters.tau_sgd);
      expect(best / 59).toBeCloseTo(parameters.reduced_chi_square, 8);
      for (const [a, b] of [
        [1.003, 1],
        [0.997, 1],
        [1, 1.003],
        [1, 0.997],
        [1.003, 0.997],
        [0.997, 1.003],
      ] as const) {
        expect(chiSquare(a * parameters.lambda_cross, b * parameters.tau_sgd)).toBeGreaterThan(best);
      }
    }
    const share = covered.filter(Boolean).length / covered.length;
    expect(Math.abs(share - 0.683)).toBeLessThan(4 * Math.sqrt((0.683 * 0.317) / covered.length));
    const mean = pulls.reduce((sum, x) => sum + x, 0) / pulls.length;
    const spread = Math.sqrt(pulls.reduce((sum, x) => sum + (x - mean) ** 2, 0) / pulls.length);
    expect(Math.abs(mean)).toBeLessThan(0.2);
    expect(spread).toBeGreaterThan(0.85);
    expect(spread).toBeLessThan(1.15);
  });

  describe('does not pass for agreement', () => {
    const scattered = (seed: number, lambdas: readonly number[], error: number, spread = error) => {
      const random = new RandomStream(seed, 'scatter');
      return fitted(
        theoryColumns(
          lambdas,
          (exact) => exact * unbiased(error) * Math.exp(spread * random.normal()),
          () => error,
        ),
      );
    };

    it('where all directions are level: lambda_cross has a lower limit, tau_SGD a value', () => {
      const flat = eigenvalues.filter((eigenvalue) => eigenvalue < 0.15 * crossing);
      const found = Array.from({ length: 60 }, (_, seed) => scattered(seed, flat, 0.1).parameters);
      const without = found.filter(({ lambda_cross }) => Number.isNaN(lambda_cross));
      expect(without.length).toBeGreaterThan(50);
      for (const parameters of without) {
        expect(parameters.lambda_cross_standard_error).toBeNaN();
        expect(parameters.lambda_cross_deviation).toBeNaN();
      }
      // Each limit is wrong with 5 %.
      const above = without.filter(({ lambda_cross_upper_limit: limit }) => limit < crossing);
      expect(above.length / without.length).toBeLessThan(0.15);
      const right = without.filter(
        ({ lambda_cross_lower_limit: limit }) => Number.isNaN(limit) || limit < crossing,
      );
      expect(right.length / without.length).toBeGreaterThan(0.85);
      expect(without.filter(({ lambda_cross_lower_limit: limit }) => limit > 0).length).toBeGreaterThan(50);
      expect(scattered(1, flat, 0.1).notes.join()).toMatch(
        /do not determine lambda_cross: with 95 % confidence it lies above/,
      );
    });

    it('where all fall as 1 / lambda: both have limits only', () => {
      const steep = eigenvalues
        .map((eigenvalue) => 200 * eigenvalue)
        .filter((eigenvalue) => eigenvalue < 300 * crossing);
      const { parameters, notes } = scattered(3, steep, 0.1);
      for (const value of [parameters.lambda_cross, parameters.tau_sgd, parameters.tau_sgd_upper_limit])
        expect(value).toBeNaN();
      expect(parameters.lambda_cross_upper_limit).toBeGreaterThan(crossing);
      expect(parameters.tau_sgd_lower_limit).toBeLessThan(plateau);
      expect(notes.join('\n')).toMatch(/lambda_cross: .* below .*\n.*tau_SGD: .* above/);
    });

    it('where lambda_cross would lie above every eigenvalue', () => {
      const some = eigenvalues.filter((eigenvalue) => eigenvalue < 0.9 * crossing);
      const { parameters } = fitted(
        theoryColumns(
          some,
          (exact) => exact * unbiased(0.01),
          () => 0.01,
        ),
      );
      expect(parameters.lambda_cross).toBeNaN();
      expect(parameters.lambda_cross_lower_limit / crossing).toBeGreaterThan(0.97);
      expect(parameters.lambda_cross_upper_limit / crossing).toBeLessThan(1.03);
      expect(parameters.tau_sgd / plateau).toBeCloseTo(1, 3);
    });

    it('where the points do not lie on the curve: errors stay as they are, and the note says so', () => {
      const { parameters, notes } = scattered(4, eigenvalues, 0.02, 0.4);
      expect(parameters.reduced_chi_square).toBeGreaterThan(100);
      expect(parameters.chi_square_p_value).toBeLessThan(1e-9);
      expect(notes.join()).toMatch(
        /does not describe the correlation times: chi-square is \d+ for each of 59/,
      );
      const whole = scattered(4, eigenvalues, 0.02);
      expect(whole.parameters.chi_square_p_value).toBeGreaterThan(1e-3);
      expect(whole.notes).toEqual([]);
      const relative = ({ lambda_cross_standard_error: error, lambda_cross: value }: typeof parameters) =>
        error / value;
      expect(relative(parameters)).toBeLessThan(3 * relative(whole.parameters));
      const pulls = Array.from({ length: 20 }, (_, seed) =>
        Math.abs(scattered(seed, eigenvalues, 0.02, 0.4).parameters.tau_sgd_deviation),
      );
      expect(pulls.sort((a, b) => a - b)[10]).toBeGreaterThan(4);
    });
  });

  it('recovers both from simulated weights', () => {
    const run = {
      learningRate: 0.02,
      momentum: 0.5,
      batchesPerEpoch: 50,
      sampling: 'without-replacement',
    } as const;
    const lambdas = Array.from({ length: 40 }, (_, i) => lambdaCross(run) * 10 ** (-1.5 + (2.3 * i) / 39));
    const series = runQuadratic({
      ...run,
      eigenvalues: lambdas,
      batchSize: 20,
      warmup: 60,
      epochs: 60,
      seed: 21,
    });
    const spectrum = analyzeSeries({
      ...run,
      ...series,
      directions: 40,
      eigenvalues: Float64Array.from(lambdas),
      drift: 'linear',
      blocks: 10,
    });
    const { parameters, notes } = fitCorrelationTimes({ ...run, columns: spectrum.columns });
    expect(notes).toEqual([]);
    expect(Math.abs(parameters.lambda_cross_deviation)).toBeLessThan(3.5);
    expect(Math.abs(parameters.tau_sgd_deviation)).toBeLessThan(3.5);
    expect(parameters.lambda_cross_standard_error / parameters.lambda_cross).toBeLessThan(0.1);
    expect(parameters.tau_sgd_standard_error / parameters.tau_sgd).toBeLessThan(0.1);
    expect(parameters.reduced_chi_square).toBeLessThan(2);
    expect(parameters.r_squared).toBeGreaterThan(0.95);
    for (const name of [
      'weight_variance_exponent_below',
      'weight_variance_exponent_above',
      'velocity_variance_exponent',
    ] as const) {
      const pull = (parameters[name] - parameters[`${name}_theory`]) / parameters[`${name}_standard_error`];
      expect(Math.abs(pull)).toBeLessThan(3.5);
    }
    const loss = parameters.loss_fluctuation - parameters.loss_fluctuation_theory;
    expect(Math.abs(loss)).toBeLessThan(4 * parameters.loss_fluctuation_standard_error);
    expect(parameters.loss_fluctuation_standard_error).toBeLessThan(0.05 * parameters.loss_fluctuation);
  });

  it('finds the exponents 1, 0 and 1 far from the crossover if C is proportional to H', () => {
    const smooth = { ...setting, momentum: 0, batchesPerEpoch: 4000 };
    const far = [1e-4, 3e-4, 1e-3, 3e-3, 30, 60, 120].map((x) => x * lambdaCross(smooth));
    const variances = far.map((eigenvalue) => stationaryVariances({ ...smooth, eigenvalue }));
    const weight = Float64Array.from(far, (eigenvalue, i) => eigenvalue * variances[i]!.weightVariance);
    const velocity = Float64Array.from(far, (eigenvalue, i) => eigenvalue * variances[i]!.velocityVariance);
    const { parameters } = fitted(
      {
        ...theoryColumns(far),
        weight_variance: weight,
        weight_variance_standard_error: weight.map((x) => x * 0.01),
        velocity_variance: velocity,
        velocity_variance_standard_error: velocity.map((x) => x * 0.01),
      },
      smooth,
    );
    expect(parameters.weight_variance_exponent_below).toBeCloseTo(1, 2);
    expect(Math.abs(parameters.weight_variance_exponent_above)).toBeLessThan(0.05);
    expect(parameters.velocity_variance_exponent).toBeCloseTo(1, 2);
    expect([parameters.directions_below, parameters.directions_above]).toEqual([4, 3]);
    const sum = far.reduce((total, eigenvalue, i) => total + (eigenvalue * weight[i]!) / 2, 0);
    expect(parameters.loss_fluctuation).toBeCloseTo(sum, 12);
  });

  it('compares exponents with those of the theory in errors of their difference', () => {
    // Theory takes the noise of each direction from the same run: what both share must count for nothing.
    const names = [
      'weight_variance_exponent_below',
      'weight_variance_exponent_above',
      'velocity_variance_exponent',
    ] as const;
    const pulls = Array.from({ length: 200 }, (_, seed) => {
      const random = new RandomStream(seed, 'exponents');
      const columns = theoryColumns(
        eigenvalues,
        (exact) => exact,
        () => 0.2,
      );
      const shared = eigenvalues.map(() => Math.exp(0.2 * random.normal()));
      const times = (values: Float64Array, own: number) =>
        values.map((value, i) => value * shared[i]! * Math.exp(own * random.normal()));
      const { parameters } = fitted({
        ...columns,
        weight_variance: times(columns.weight_variance, 0.03),
        velocity_variance: times(columns.velocity_variance, 0.03),
        weight_variance_theory_window: times(columns.weight_variance, 0),
        velocity_variance_theory_window: times(columns.velocity_variance, 0),
      });
      return names.map((name) => parameters[`${name}_deviation`]);
    }).flat();
    const spread = Math.sqrt(pulls.reduce((sum, pull) => sum + pull ** 2, 0) / pulls.length);
    expect(spread).toBeGreaterThan(0.9);
    expect(spread).toBeLessThan(1.15);
  });

  it('leaves out directions without theory, and counts them', () => {
    const columns = theoryColumns([-0.1, 0, 500, ...eigenvalues]);
    const { parameters, notes } = fitted(columns);
    expect([parameters.directions, parameters.directions_left_out]).toEqual([61, 3]);
    expect(parameters.tau_sgd / plateau).toBeCloseTo(1, 2);
    expect(notes[0]).toMatch(/3 of 64 directions are left out/);
  });

  it('gives NaN and says why where a value does not exist', () => {
    const white = fitted(theoryColumns(), { sampling: 'with-replacement' });
    expect(white.parameters.lambda_cross).toBeNaN();
    expect(white.parameters.tau_sgd_standard_error).toBeNaN();
    expect(white.parameters.weight_variance_exponent_below).not.toBeNaN();
    expect(white.notes.join()).toMatch(/with-replacement has no crossover/);
    const pairs = fitted(theoryColumns(), { sampling: 'paired-reversal' });
    expect(pairs.parameters.lambda_cross).toBeNaN();
    expect(pairs.notes.join()).toMatch(/a new order each epoch, not of paired-reversal/);
    const few = fitted(theoryColumns(eigenvalues.slice(0, 2)));
    expect(few.parameters.tau_sgd).toBeNaN();
    expect(few.notes.join('\n')).toMatch(/at least 3 directions, there are 2/);
    expect(few.notes.join('\n')).toMatch(/Only 2 directions lie below/);
    const low = fitted(theoryColumns(eigenvalues.slice(0, 10)));
    expect(low.parameters.weight_variance_exponent_above).toBeNaN();
    expect(low.notes.join()).toMatch(/Only 0 directions lie above lambda_cross = 0.3/);
    const steep = [1e7, 2e7, 4e7].map((x) => x * crossing);
    const one = theoryColumns(eigenvalues.slice(0, 3));
    const high = fitted({ ...one, eigenvalue: Float64Array.from(steep) });
    expect(high.parameters.lambda_cross).toBeNaN();
    expect(high.notes.join()).toMatch(
      /do not determine lambda_cross: with 95 % confidence it lies below 753000/,
    );
    const none = fitted(theoryColumns([-1, -2]));
    expect(none.parameters.directions).toBe(0);
    expect(none.parameters.loss_fluctuation).toBe(0);
  });

  it('returns numbers only, under the names of the parameters table', () => {
    const { parameters } = fitted(theoryColumns());
    for (const [name, value] of Object.entries(parameters)) {
      expect(name).toMatch(/^[a-z][a-z_]*$/);
      expect(typeof value).toBe('number');
    }
  });
});

describe('weightedLine', () => {
  it('gives the slope and error of a straight line with known errors', () => {
    const x = [0, 1, 2, 5];
    const sigma = [0.1, 0.2, 0.1, 0.4];
    const { slope, slopeError } = weightedLine(
      x,
      x.map((value) => 3 - 2 * value),
      sigma,
    );
    expect(slope).toBeCloseTo(-2, 12);
    // Weights 100, 25, 100, 6.25: sum w (x - mean)^2 = 581.25 - 256.25^2 / 231.25
    expect(slopeError).toBeCloseTo(1 / Math.sqrt(581.25 - 256.25 ** 2 / 231.25), 12);
    const bent = weightedLine([0, 1, 2], [0, 1, 0], [0.1, 0.1, 0.1]);
    expect(bent.slopeError).toBeCloseTo(Math.sqrt(200 / 3 / 200), 12);
  });

  it('is NaN for two points, or for points at one place', () => {
    expect(weightedLine([0, 1], [0, 1], [1, 1]).slope).toBeNaN();
    expect(weightedLine([1, 1, 1], [0, 1, 2], [1, 1, 1]).slope).toBeNaN();
  });
});

describe('pooledErrors', () => {
  it('takes the median of the neighbours', () => {
    expect(pooledErrors([1, 100, 2, 3, 4], 1)).toEqual([50.5, 2, 3, 3, 3.5]);
  });
});
