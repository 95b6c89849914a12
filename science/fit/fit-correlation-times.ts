import { levenbergMarquardt } from 'ml-levenberg-marquardt';
import type { Sampling } from '../sampling.ts';
import {
  crossoverCorrelationTime,
  crossoverShape,
  crossoverSlope,
  type Hyperparameters,
  lambdaCross,
  tauSgd,
} from '../theory/regimes.ts';
import { lossFluctuation } from '../theory/variances.ts';
import { exponentsOf, type RegimeExponents } from './exponents.ts';
import { type FitColumns, type FitRow, selectRows } from './fit-rows.ts';

/** A spectrum and the hyperparameters of the SGD that made it. */
export interface FitInput extends Hyperparameters {
  readonly sampling: Sampling;
  readonly columns: FitColumns;
}

/** One row of the `parameters` table: numbers by column name. NaN where a value does not exist; why is in the notes. */
export interface Parameters extends RegimeExponents {
  readonly lambda_cross: number;
  readonly lambda_cross_standard_error: number;
  /** 3 (1 - beta) / (eta M) */
  readonly lambda_cross_theory: number;
  /** (ln lambda_cross - ln lambda_cross_theory) over the standard error of the logarithm. */
  readonly lambda_cross_deviation: number;
  readonly tau_sgd: number;
  readonly tau_sgd_standard_error: number;
  /** (M / 3) (1 + beta) / (1 - beta) */
  readonly tau_sgd_theory: number;
  readonly tau_sgd_deviation: number;
  /** Correlation of the errors of ln lambda_cross and ln tau_sgd. */
  readonly parameter_correlation: number;
  /** Sum of squared residuals in standard errors, over the degrees of freedom. */
  readonly reduced_chi_square: number;
  /** Share of the weighted variance of ln tau that the fit explains. */
  readonly r_squared: number;
  /** Median over all directions of the share of the noise that does not cancel over an epoch (`noise_epoch_share` of the spectrum). */
  readonly noise_epoch_share: number;
  /** 0 without replacement, 1 with; NaN for noise that repeats itself. */
  readonly noise_epoch_share_theory: number;
  /** Directions fitted, and left out because eta lambda is not within (0, 2 (1 + beta)) or a value is missing. */
  readonly directions: number;
  readonly directions_left_out: number;
  /** sum_i lambda_i sigma_theta,i^2 / 2 over the directions fitted. */
  readonly loss_fluctuation: number;
  readonly loss_fluctuation_standard_error: number;
  /** The same with the weight variances that (12)-(17) expect in the recorded window. */
  readonly loss_fluctuation_theory: number;
}

export interface FitResult {
  readonly parameters: Parameters;
  readonly notes: readonly string[];
}

/**
 * Fits lambda_cross and tau_SGD to measured correlation times by weighted least squares of ln tau_i (Levenberg and Marquardt), with
 *
 *     tau(lambda) = tau_SGD f(3 lambda / lambda_cross) kappa_i,    f of `crossoverShape`.
 *
 * f is the limit of many batches and little friction. kappa_i = tau_i,theory / (tau_SGD,theory f(3 lambda_i / lambda_cross,theory)) is a fixed
 * factor of each direction that makes the curve exact for finite M, beta, eta and window length at theory's parameters; without it tau_SGD
 * of M = 50 batches and beta = 0.9 would come out an eighth too low for that reason alone.
 *
 * Standard errors come from (J^T W J)^-1 at the optimum, enlarged by the root of the reduced chi-square where that exceeds one. Weights are
 * the relative errors of tau, pooled over neighbouring eigenvalues. With replacement or with noise that repeats every epoch there is no such
 * crossover, and lambda_cross and tau_sgd are NaN.
 */
export function fitCorrelationTimes(input: FitInput): FitResult {
  const notes: string[] = [];
  const rows = selectRows(input.columns);
  const leftOut = input.columns.eigenvalue.length - rows.length;
  if (leftOut > 0) {
    notes.push(
      `${leftOut} of ${input.columns.eigenvalue.length} directions are left out of the fit: no stationary state in theory, or no correlation time.`,
    );
  }
  const crossing = lambdaCross(input);
  const plateau = tauSgd(input);
  const fit = fitCrossover(input, rows, notes);
  const variances = rows.map((row) => row.weightVariance);
  const eigenvalues = rows.map((row) => row.eigenvalue);
  const parameters = {
    lambda_cross: fit.crossing,
    lambda_cross_standard_error: fit.crossing * fit.logCrossingError,
    lambda_cross_theory: crossing,
    lambda_cross_deviation: Math.log(fit.crossing / crossing) / fit.logCrossingError,
    tau_sgd: fit.plateau,
    tau_sgd_standard_error: fit.plateau * fit.logPlateauError,
    tau_sgd_theory: plateau,
    tau_sgd_deviation: Math.log(fit.plateau / plateau) / fit.logPlateauError,
    parameter_correlation: fit.correlation,
    reduced_chi_square: fit.reducedChiSquare,
    r_squared: fit.rSquared,
    noise_epoch_share: medianOf(input.columns.noise_epoch_share),
    noise_epoch_share_theory:
      input.sampling === 'without-replacement' ? 0 : input.sampling === 'with-replacement' ? 1 : Number.NaN,
    directions: rows.length,
    directions_left_out: leftOut,
    ...exponentsOf(rows, crossing, notes),
    loss_fluctuation: lossFluctuation(eigenvalues, variances),
    loss_fluctuation_standard_error: Math.hypot(
      ...rows.map((row) => (row.eigenvalue * row.weightVariance * row.weightVarianceError) / 2),
    ),
    loss_fluctuation_theory: lossFluctuation(
      eigenvalues,
      rows.map((row) => row.weightVarianceTheory),
    ),
  };
  return { parameters, notes };
}

function medianOf(values: Float64Array = new Float64Array()): number {
  const sorted = values.filter(Number.isFinite).sort();
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

interface CrossoverFit {
  readonly crossing: number;
  readonly plateau: number;
  readonly logCrossingError: number;
  readonly logPlateauError: number;
  readonly correlation: number;
  readonly reducedChiSquare: number;
  readonly rSquared: number;
}

const noFit: CrossoverFit = {
  crossing: Number.NaN,
  plateau: Number.NaN,
  logCrossingError: Number.NaN,
  logPlateauError: Number.NaN,
  correlation: Number.NaN,
  reducedChiSquare: Number.NaN,
  rSquared: Number.NaN,
};

function fitCrossover(input: FitInput, rows: readonly FitRow[], notes: string[]): CrossoverFit {
  if (input.sampling !== 'without-replacement') {
    notes.push(
      `lambda_cross and tau_SGD are not fitted: sampling ${input.sampling} has no crossover between them.`,
    );
    return noFit;
  }
  if (rows.length < 3) {
    notes.push(
      `lambda_cross and tau_SGD are not fitted: that takes at least 3 directions, there are ${rows.length}.`,
    );
    return noFit;
  }
  const start = [Math.log(lambdaCross(input)), Math.log(tauSgd(input))] as const;
  const x = rows.map((row) => row.eigenvalue);
  const sigma = rows.map((row) => row.correlationTimeError);
  // ln tau_i - ln kappa_i; the logarithm of an estimate with relative error sigma is sigma^2 / 2 too low on average.
  const y = rows.map((row, i) => {
    const overdamped = crossoverCorrelationTime(row.eigenvalue, Math.exp(start[0]), Math.exp(start[1]));
    return Math.log((row.correlationTime / row.correlationTimeTheory) * overdamped) + sigma[i]! ** 2 / 2;
  });
  const curve = ([logCrossing, logPlateau]: readonly number[], i: number) =>
    logPlateau! + Math.log(crossoverShape((3 * x[i]!) / Math.exp(logCrossing!)));
  const slope = ([logCrossing]: readonly number[], i: number) =>
    -crossoverSlope((3 * x[i]!) / Math.exp(logCrossing!));
  // Data and curve are divided by their errors here, and the abscissa is the direction's number: the library's own `weights` (5.1.0) multiply
  // in its normal matrix but divide in its residuals, so that weights other than 1 do not lead to the minimum.
  const { parameterValues } = levenbergMarquardt(
    { x: x.map((_, i) => i), y: y.map((value, i) => value / sigma[i]!) },
    (trial) => (i) => curve(trial, i) / sigma[i]!,
    {
      initialValues: start,
      jacobianFunction: (trial) => (i) => [slope(trial, i) / sigma[i]!, 1 / sigma[i]!],
      // Twelve orders of magnitude about theory's values are room enough, and keep exp() finite where the data do not decide.
      minValues: start.map((value) => value - Math.log(1e6)),
      maxValues: start.map((value) => value + Math.log(1e6)),
      maxIterations: 200,
      errorTolerance: 1e-10,
    },
  );
  const fitted = x.map((_, i) => curve(parameterValues, i));
  const slopes = x.map((_, i) => slope(parameterValues, i));
  return describeFit(y, fitted, slopes, sigma, parameterValues, notes);
}

/**
 * Errors and goodness of a fit at its optimum.
 *
 * @param slopes d ln tau / d ln lambda_cross of each direction; d ln tau / d ln tau_sgd is 1.
 */
function describeFit(
  y: readonly number[],
  fitted: readonly number[],
  slopes: readonly number[],
  sigma: readonly number[],
  [logCrossing, logPlateau]: readonly number[],
  notes: string[],
): CrossoverFit {
  let chiSquare = 0;
  let [a, b, total] = [0, 0, 0];
  let mean = 0;
  for (let i = 0; i < y.length; i++) {
    const weight = sigma[i]! ** -2;
    chiSquare += weight * (y[i]! - fitted[i]!) ** 2;
    a += weight * slopes[i]! ** 2;
    b += weight * slopes[i]!;
    total += weight;
    mean += weight * y[i]!;
  }
  mean /= total;
  const spread = y.reduce((sum, value, i) => sum + ((value - mean) / sigma[i]!) ** 2, 0);
  const reducedChiSquare = chiSquare / (y.length - 2);
  const determinant = a * total - b * b;
  if (!(determinant > 1e-9 * a * total)) {
    notes.push(
      'The directions lie in one regime only and do not determine lambda_cross and tau_SGD separately.',
    );
    return { ...noFit, reducedChiSquare, rSquared: 1 - chiSquare / spread };
  }
  const scale = Math.max(1, reducedChiSquare);
  return {
    crossing: Math.exp(logCrossing!),
    plateau: Math.exp(logPlateau!),
    logCrossingError: Math.sqrt((scale * total) / determinant),
    logPlateauError: Math.sqrt((scale * a) / determinant),
    correlation: -b / Math.sqrt(a * total),
    reducedChiSquare,
    rSquared: 1 - chiSquare / spread,
  };
}
