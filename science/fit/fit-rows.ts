import { pooledErrors } from './weighted-line.ts';

/** The spectrum's columns that the fit reads; a table read back from an artifact will do. */
export type FitColumns = {
  readonly noise_epoch_share?: Float64Array;
  readonly noise_leftover_share?: Float64Array;
  readonly correlation_time_theory_leftover?: Float64Array;
} & Readonly<
  Record<
    | 'eigenvalue'
    | 'weight_variance'
    | 'weight_variance_standard_error'
    | 'weight_variance_theory_window'
    | 'velocity_variance'
    | 'velocity_variance_standard_error'
    | 'velocity_variance_theory_window'
    | 'correlation_time'
    | 'correlation_time_standard_error'
    | 'correlation_time_theory_window',
    Float64Array
  >
>;

/** One direction with everything the fit needs. Errors are relative, pooled over neighbours. */
export interface FitRow {
  readonly eigenvalue: number;
  readonly weightVariance: number;
  readonly weightVarianceError: number;
  readonly weightVarianceTheory: number;
  readonly velocityVariance: number;
  readonly velocityVarianceError: number;
  readonly velocityVarianceTheory: number;
  readonly correlationTime: number;
  readonly correlationTimeError: number;
  readonly correlationTimeTheory: number;
  /** With the noise that does not cancel over an epoch; the same where nothing is known of it. */
  readonly correlationTimeLeftover: number;
}

/** The directions in which theory has a stationary state and everything was measured, in order of increasing eigenvalue. */
export function selectRows(columns: FitColumns): FitRow[] {
  const relative = (name: 'weight_variance' | 'velocity_variance' | 'correlation_time', i: number) =>
    columns[`${name}_standard_error`][i]! / columns[name][i]!;
  const rows: FitRow[] = [];
  for (let i = 0; i < columns.eigenvalue.length; i++) {
    const row = {
      eigenvalue: columns.eigenvalue[i]!,
      weightVariance: columns.weight_variance[i]!,
      weightVarianceError: relative('weight_variance', i),
      weightVarianceTheory: columns.weight_variance_theory_window[i]!,
      velocityVariance: columns.velocity_variance[i]!,
      velocityVarianceError: relative('velocity_variance', i),
      velocityVarianceTheory: columns.velocity_variance_theory_window[i]!,
      correlationTime: columns.correlation_time[i]!,
      correlationTimeError: relative('correlation_time', i),
      correlationTimeTheory: columns.correlation_time_theory_window[i]!,
      correlationTimeLeftover: known(
        columns.correlation_time_theory_leftover?.[i],
        columns.correlation_time_theory_window[i]!,
      ),
    };
    if (Object.values(row).every((value) => value > 0 && Number.isFinite(value))) rows.push(row);
  }
  rows.sort((a, b) => a.eigenvalue - b.eigenvalue);
  const weight = pooledErrors(rows.map((row) => row.weightVarianceError));
  const velocity = pooledErrors(rows.map((row) => row.velocityVarianceError));
  const time = pooledErrors(rows.map((row) => row.correlationTimeError));
  return rows.map((row, i) => ({
    ...row,
    weightVarianceError: weight[i]!,
    velocityVarianceError: velocity[i]!,
    correlationTimeError: time[i]!,
  }));
}

function known(value: number | undefined, otherwise: number): number {
  return value !== undefined && value > 0 ? value : otherwise;
}
