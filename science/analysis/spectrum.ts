import type { Sampling } from '../sampling.ts';
import type { Drift } from '../theory/window.ts';

/** Weights of T consecutive steps, projected on k Hessian eigenvectors, and how they were made. */
export interface SeriesInput {
  /** theta_k . p_i, T x k, row-major: step after step. Weights may be relative to any fixed reference. */
  readonly theta: Float32Array | Float64Array;
  /** T */
  readonly steps: number;
  /** k */
  readonly directions: number;
  /** lambda_i, length k. */
  readonly eigenvalues: Float64Array;
  readonly learningRate: number;
  readonly momentum: number;
  readonly batchesPerEpoch: number;
  readonly sampling: Sampling;
  /** k, batches in a block of block-reshuffling. */
  readonly batchesPerBlock?: number | undefined;
  readonly drift: Drift;
  /** Blocks of the series from which the standard errors are estimated, at least 2. */
  readonly blocks: number;
}

/** The quantities that {@link SpectrumColumns} has in each direction. */
export const quantities = [
  'weight_variance',
  'velocity_variance',
  'correlation_time',
  'correlation_time_sum',
] as const;
export type Quantity = (typeof quantities)[number];

/** The quantities that are also compared with the theory of noise that is left over. */
export const leftoverQuantities = ['weight_variance', 'velocity_variance', 'correlation_time'] as const;
export type LeftoverQuantity = (typeof leftoverQuantities)[number];

/**
 * One entry a direction. For each quantity X:
 *
 * - `X`: measured. `weight_variance` and `velocity_variance` are mean squares (divided by the number of values) after the drift is
 *   subtracted; `correlation_time` and `correlation_time_sum` are the left and right side of equation (18), in steps;
 * - `X_standard_error`: from blocks of the series;
 * - `X_theory`: equations (12)-(18) for an infinitely long series, with sigma_dg^2 the measured `noise_variance`;
 * - `X_theory_window`: what the same theory expects to be measured in this window: T steps, drift subtracted, lags cut off;
 * - `X_deviation`: (X - X_theory_window) over the standard error of that difference. It is not the ratio to `X_standard_error`, because the
 *   theory's level rests on the noise of the same steps and moves along with what is measured.
 *
 * NaN where a value does not exist; why is in the notes.
 */
export type SpectrumColumns = {
  readonly index: Int32Array;
  /** lambda */
  readonly eigenvalue: Float64Array;
  /** sigma_dg^2, variance of the gradient noise. */
  readonly noise_variance: Float64Array;
  readonly noise_variance_standard_error: Float64Array;
  /**
   * Variance of the noise summed over an epoch, over that of M independent draws: 1 with replacement; 0 without, if the noise does not depend on
   * the weights (assumption 2), because the noise of an epoch then sums to zero. What is left of it moves flat directions like noise with
   * replacement and makes their correlation time longer, by a factor of about 1 + share lambda_cross / lambda.
   */
  readonly noise_epoch_share: Float64Array;
  /**
   * r, the share of the noise that is left over at the low frequencies which move this direction (see `leftover.ts`), pooled over its neighbours. Without
   * replacement only.
   */
  readonly noise_leftover_share: Float64Array;
} & {
  /** `X_theory_window` if a share r of the noise does not cancel over an epoch, but is like noise with replacement. */
  readonly [name in LeftoverQuantity as `${name}_theory_leftover`]: Float64Array;
} & {
  readonly [name in
    | Quantity
    | `${Quantity}_${'standard_error' | 'theory' | 'theory_window' | 'deviation'}`]: Float64Array;
};

export interface Spectrum {
  readonly columns: SpectrumColumns;
  /** Assumptions that some directions do not meet, one line each, with counts. */
  readonly notes: readonly string[];
}

/** Columns of NaN for `directions` directions. */
export function emptyColumns(directions: number): SpectrumColumns {
  const column = () => new Float64Array(directions).fill(Number.NaN);
  const perQuantity = quantities.flatMap((name) =>
    ['', '_standard_error', '_theory', '_theory_window', '_deviation'].map((suffix) => [
      name + suffix,
      column(),
    ]),
  );
  return {
    index: Int32Array.from({ length: directions }, (_, i) => i),
    eigenvalue: column(),
    noise_variance: column(),
    noise_variance_standard_error: column(),
    noise_epoch_share: column(),
    noise_leftover_share: column(),
    ...Object.fromEntries(leftoverQuantities.map((name) => [`${name}_theory_leftover`, column()])),
    ...Object.fromEntries(perQuantity),
  };
}
