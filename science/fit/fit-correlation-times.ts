import type { Sampling } from '../sampling.ts';
import { type Hyperparameters, lambdaCross } from '../theory/regimes.ts';
import { lossFluctuation } from '../theory/variances.ts';
import { type FittedColumns, fittedColumns } from './estimate.ts';
import { exponentsOf, type RegimeExponents } from './exponents.ts';
import { type CrossoverFit, fitCrossover } from './fit-crossover.ts';
import { type FitColumns, type FitRow, selectRows } from './fit-rows.ts';

/** A spectrum and the hyperparameters of the SGD that made it. */
export interface FitInput extends Hyperparameters {
  readonly sampling: Sampling;
  readonly columns: FitColumns;
}

/** One row of the `parameters` table: numbers by column name. NaN where a value does not exist; why is in the notes. */
export interface Parameters extends CrossoverParameters, LeftoverParameters, RegimeExponents {
  /** Median over all directions of r, the share of the noise that is left over at low frequencies (`noise_leftover_share`). */
  readonly noise_leftover_share: number;
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

/** The fit of the crossover. */
export interface CrossoverParameters extends FittedColumns<'lambda_cross'>, FittedColumns<'tau_sgd'> {
  /** Correlation of the errors of ln lambda_cross and ln tau_sgd. */
  readonly parameter_correlation: number;
  /** Sum of squared residuals in standard errors, over the degrees of freedom. */
  readonly reduced_chi_square: number;
  /** Probability of a chi-square that is at least as large, if the curve is right. */
  readonly chi_square_p_value: number;
  /** Share of the weighted variance of ln tau that the fit explains. */
  readonly r_squared: number;
}

/** The same fit where the curve allows for noise that does not cancel over an epoch: it is exact for that theory at theory's parameters. */
export interface LeftoverParameters
  extends FittedColumns<'lambda_cross_leftover'>,
    FittedColumns<'tau_sgd_leftover'> {
  readonly reduced_chi_square_leftover: number;
  readonly chi_square_p_value_leftover: number;
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
 * Weights are the relative errors of tau, pooled over neighbouring eigenvalues. Intervals come from the profile of chi-square, where it has risen by 1 (68.3 %);
 * they are not enlarged where the curve does not describe the data, which `chi_square_p_value` tells. A deviation is the root of what chi-square rises by at
 * theory's value. What the data do not decide has no value, but a limit (95 %): where chi-square does not rise by 3.84 on either side, or lambda_cross comes
 * out beyond the fitted eigenvalues. With replacement or with noise that repeats every epoch there is no such crossover, and lambda_cross and tau_sgd are NaN.
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
  const variances = rows.map((row) => row.weightVariance);
  const eigenvalues = rows.map((row) => row.eigenvalue);
  const [told, more]: [string[], string[]] = [[], []];
  const crossover = fitCrossover(input, rows, told);
  const leftover = fitCrossover(input, rows.map(withLeftover), more);
  // What both have to say is said once.
  const onlyThere = told.length === 0 ? more.map((note) => `With the noise that is left over: ${note}`) : [];
  notes.push(...told, ...onlyThere);
  const parameters = {
    ...crossoverColumns(crossover),
    ...leftoverColumns(leftover),
    noise_leftover_share: medianOf(input.columns.noise_leftover_share),
    noise_epoch_share: medianOf(input.columns.noise_epoch_share),
    noise_epoch_share_theory:
      input.sampling === 'without-replacement' || input.sampling === 'paired-reversal'
        ? 0
        : input.sampling === 'with-replacement'
          ? 1
          : Number.NaN,
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

/** The direction with the theory of noise that is left over in place of its own. */
function withLeftover(row: FitRow): FitRow {
  return { ...row, correlationTimeTheory: row.correlationTimeLeftover };
}

function crossoverColumns(fit: CrossoverFit): CrossoverParameters {
  return {
    ...fittedColumns('lambda_cross', fit.lambdaCross),
    ...fittedColumns('tau_sgd', fit.tauSgd),
    parameter_correlation: fit.correlation,
    reduced_chi_square: fit.reducedChiSquare,
    chi_square_p_value: fit.chance,
    r_squared: fit.rSquared,
  };
}

function leftoverColumns(fit: CrossoverFit): LeftoverParameters {
  return {
    ...fittedColumns('lambda_cross_leftover', fit.lambdaCross),
    ...fittedColumns('tau_sgd_leftover', fit.tauSgd),
    reduced_chi_square_leftover: fit.reducedChiSquare,
    chi_square_p_value_leftover: fit.chance,
  };
}

function medianOf(values: Float64Array = new Float64Array()): number {
  const sorted = values.filter(Number.isFinite).sort();
  return sorted[sorted.length >> 1] ?? Number.NaN;
}
