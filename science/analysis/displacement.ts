import { weightStructureFunction } from '../theory/autocovariance.ts';
import { type Displacements, displacementCovariance } from '../theory/displacement.ts';
import { epochsOfOneDraw } from '../theory/noise.ts';
import { isStable } from '../theory/process.ts';
import { expectedNoiseVariance } from '../theory/window.ts';
import { measureDirection } from './direction.ts';
import type { SeriesInput } from './spectrum.ts';

/** What is known of one direction by itself. `theta` are its T values; they are not changed. */
export interface DirectionInput extends Omit<SeriesInput, 'theta' | 'directions' | 'eigenvalues'> {
  readonly theta: Float64Array;
  readonly eigenvalue: number;
}

export interface DirectionDisplacement {
  /** Mean of (theta_{t+h} - theta_t)^2 at each lag; no drift is subtracted. */
  readonly measured: Float64Array;
  /** The theory's relative scatter in a series as long, times `measured`. */
  readonly standardError: Float64Array;
  /** 2 B(h) sigma_dg^2 with the measured noise; of lambda -> 0 where lambda is not positive; NaN where SGD is unstable. */
  readonly theory: Float64Array;
  /** T over the relaxation time (1 - beta) / (eta lambda). */
  readonly relaxations: number;
  /** d ln D / d ln h between the two lags of {@link exponentLags}; NaN where there are none. */
  readonly exponent: number;
  readonly exponentError: number;
  readonly exponentTheory: number;
  /** See {@link verdictOf}. */
  readonly verdict: -1 | 0 | 1;
}

/** eta lambda of a direction that is taken for flat: its relaxation is far longer than any series, and its B(h) that of lambda -> 0. */
const flatCurvature = 1e-15;
/** The exponent in the middle between a stationary direction, 0, and one that diffuses, 1. */
const middle = 0.5;
/** Ratio of the two lags of an exponent, if the series is long enough. */
const span = 8;

/** About `count` lags from 1 to `longest` at equal ratios, and those of the exponent. */
export function displacementLags(count: number, longest: number, period: number): Int32Array {
  const lags = new Set(exponentLags(longest, period) ?? []);
  for (let i = 0; i < count; i++) lags.add(Math.round(longest ** (i / (count - 1))));
  return Int32Array.from([...lags].sort((a, b) => a - b));
}

/**
 * The lags between which the exponent is taken: an eighth of the longest and the longest, in whole periods of the noise (epochs, or pairs of them), because
 * within an epoch the weights of any order spread. Undefined if the longest is not at least two periods.
 */
export function exponentLags(longest: number, period: number): readonly [number, number] | undefined {
  const far = Math.floor(longest / period) * period;
  const near = Math.max(period, Math.round(far / span / period) * period);
  return far >= 2 * near ? [near, far] : undefined;
}

/** 1, stationary within the window, if the exponent is below 1/2 by two standard errors; -1, diffusing, if above; 0 if it cannot be told. */
export function verdictOf(exponent: number, error: number): -1 | 0 | 1 {
  if (exponent + 2 * error < middle) return 1;
  return exponent - 2 * error > middle ? -1 : 0;
}

/**
 * Mean square displacements of one direction against the lag, beside the exact theory of the sampling, and whether it is stationary. All starts are whole
 * periods of the noise where the series is long enough, because theory is the mean over positions in an epoch.
 *
 * Throws RangeError for lags without those of `exponentLags`.
 *
 * @param lags Ascending, as of `displacementLags`; the longest at most T / 2.
 */
export function measureDisplacement(input: DirectionInput, lags: Int32Array): DirectionDisplacement {
  const { theta, eigenvalue, steps, learningRate, momentum, batchesPerEpoch, sampling, batchesPerBlock } =
    input;
  const period = batchesPerEpoch * epochsOfOneDraw(sampling);
  const starts = lags.map((lag) => {
    const most = steps - lag;
    return most >= period ? most - (most % period) : most;
  });
  const measured = Float64Array.from(lags, (lag, i) => meanSquare(theta, lag, starts[i]!));
  const process = {
    ...{ learningRate, momentum, batchesPerEpoch, sampling, batchesPerBlock },
    eigenvalue: eigenvalue > 0 ? eigenvalue : flatCurvature / learningRate,
  };
  const relaxations = (steps * learningRate * eigenvalue) / (1 - momentum);
  const noise = measureDirection(theta.slice(), eigenvalue, {
    ...seriesOf(input),
    drift: 'mean',
  }).noiseVariance;
  const level =
    noise.value / expectedNoiseVariance(batchesPerEpoch, sampling, steps, 'mean', batchesPerBlock);
  const structure = weightStructureFunction(process, steps);
  const expected = Float64Array.from(lags, (lag) => 2 * structure[lag]!);
  const at = (i: number): Displacements => ({ lag: lags[i]!, starts: starts[i]! });
  const stable = isStable(process);
  const relativeCovariance = (i: number, j: number) =>
    stable ? displacementCovariance(structure, at(i), at(j)) / (expected[i]! * expected[j]!) : Number.NaN;
  const between = exponentLags(lags.at(-1)!, period);
  const ends = between?.map((lag) => lags.indexOf(lag));
  if (ends?.includes(-1))
    throw new RangeError(
      `The lags must have ${between!.join(' and ')} among them, between which the exponent is taken.`,
    );
  const slope = (values: Float64Array) =>
    ends === undefined
      ? Number.NaN
      : Math.log(values[ends[1]!]! / values[ends[0]!]!) / Math.log(between![1]! / between![0]!);
  const exponent = slope(measured);
  const exponentError =
    ends === undefined
      ? Number.NaN
      : ratioError(ends, relativeCovariance) / Math.log(between![1]! / between![0]!);
  return {
    measured,
    standardError: measured.map((value, i) => value * Math.sqrt(relativeCovariance(i, i))),
    theory: expected.map((value) => level * value),
    relaxations,
    exponent,
    exponentError,
    exponentTheory: slope(expected),
    verdict: verdictOf(exponent, exponentError),
  };
}

/** Standard error of ln(D_j / D_i), to first order. */
function ratioError([i, j]: readonly number[], relativeCovariance: (i: number, j: number) => number): number {
  return Math.sqrt(relativeCovariance(i!, i!) + relativeCovariance(j!, j!) - 2 * relativeCovariance(i!, j!));
}

function meanSquare(theta: Float64Array, lag: number, starts: number): number {
  let sum = 0;
  for (let t = 0; t < starts; t++) sum += (theta[t + lag]! - theta[t]!) ** 2;
  return sum / starts;
}

/** As an analysis of one direction. */
function seriesOf(input: DirectionInput): SeriesInput {
  return { ...input, directions: 1, eigenvalues: Float64Array.of(input.eigenvalue) };
}
