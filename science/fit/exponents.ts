import type { FitRow } from './fit-rows.ts';
import { weightedLine } from './weighted-line.ts';

/**
 * Slopes of ln variance against ln lambda on either side of theory's lambda_cross. If the noise covariance is proportional to the Hessian
 * they are 1 and 0 for weights far from the crossover, and 1 for velocities everywhere. `_theory` is the slope of theory's own values in
 * the same directions with the same weights: it knows the directions near the crossover and the measured noise. Since it shares that noise with what
 * was measured, their difference scatters far less than either: `_deviation` is the slope of ln(measured / theory) in errors of its own, from the
 * scatter of the directions about that line.
 */
export interface RegimeExponents {
  readonly weight_variance_exponent_below: number;
  readonly weight_variance_exponent_below_standard_error: number;
  readonly weight_variance_exponent_below_theory: number;
  readonly weight_variance_exponent_below_deviation: number;
  readonly weight_variance_exponent_above: number;
  readonly weight_variance_exponent_above_standard_error: number;
  readonly weight_variance_exponent_above_theory: number;
  readonly weight_variance_exponent_above_deviation: number;
  readonly velocity_variance_exponent: number;
  readonly velocity_variance_exponent_standard_error: number;
  readonly velocity_variance_exponent_theory: number;
  readonly velocity_variance_exponent_deviation: number;
  readonly directions_below: number;
  readonly directions_above: number;
}

/** Weighted slopes in both regimes; NaN, with a note, for a regime of fewer than 3 directions. */
export function exponentsOf(rows: readonly FitRow[], crossing: number, notes: string[]): RegimeExponents {
  const below = rows.filter((row) => row.eigenvalue < crossing);
  const above = rows.filter((row) => row.eigenvalue >= crossing);
  for (const [regime, name] of [
    [below, 'below'],
    [above, 'above'],
  ] as const) {
    if (regime.length >= 3) continue;
    notes.push(
      `Only ${regime.length} directions lie ${name} lambda_cross = ${Number(crossing.toPrecision(3))}: no exponent of that regime.`,
    );
  }
  const low = weightSlopes(below);
  const high = weightSlopes(above);
  const velocity = slopes(
    rows,
    (row) => row.velocityVariance,
    (row) => row.velocityVarianceTheory,
    (row) => row.velocityVarianceError,
  );
  return {
    weight_variance_exponent_below: low.measured.slope,
    weight_variance_exponent_below_standard_error: low.measured.slopeError,
    weight_variance_exponent_below_theory: low.theory.slope,
    weight_variance_exponent_below_deviation: low.deviation,
    weight_variance_exponent_above: high.measured.slope,
    weight_variance_exponent_above_standard_error: high.measured.slopeError,
    weight_variance_exponent_above_theory: high.theory.slope,
    weight_variance_exponent_above_deviation: high.deviation,
    velocity_variance_exponent: velocity.measured.slope,
    velocity_variance_exponent_standard_error: velocity.measured.slopeError,
    velocity_variance_exponent_theory: velocity.theory.slope,
    velocity_variance_exponent_deviation: velocity.deviation,
    directions_below: below.length,
    directions_above: above.length,
  };
}

function weightSlopes(rows: readonly FitRow[]) {
  return slopes(
    rows,
    (row) => row.weightVariance,
    (row) => row.weightVarianceTheory,
    (row) => row.weightVarianceError,
  );
}

type Pick = (row: FitRow) => number;

function slopes(rows: readonly FitRow[], measured: Pick, theory: Pick, error: Pick) {
  const x = rows.map((row) => Math.log(row.eigenvalue));
  const sigma = rows.map(error);
  // The logarithm of an estimate with relative error sigma is sigma^2 / 2 too low on average.
  const y = rows.map((row, i) => Math.log(measured(row)) + sigma[i]! ** 2 / 2);
  const expected = rows.map(theory).map(Math.log);
  const ratios = y.map((value, i) => value - expected[i]!);
  const { slope, scatterError } = weightedLine(x, ratios, sigma);
  return {
    measured: weightedLine(x, y, sigma),
    theory: weightedLine(x, expected, sigma),
    deviation: slope / scatterError,
  };
}
