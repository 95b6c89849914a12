import { epochsOfOneDraw, neverForgets } from '../theory/noise.ts';
import {
  average,
  type BlockLayout,
  batchMeansError,
  blockMeans,
  layOutBlocks,
  ratioError,
} from './blocks.ts';
import { detrend } from './detrend.ts';
import { type LowFrequencyPower, lowFrequencyPower } from './leftover.ts';
import type { SeriesInput } from './spectrum.ts';
import { chooseLagWindow, velocitySums } from './velocity-sums.ts';

/** A measured value and its standard error. */
export interface Estimate {
  readonly value: number;
  readonly error: number;
}

/** What is measured in one direction, without any theory of the noise's correlations. */
export interface Measured {
  readonly weightVariance: Estimate;
  readonly velocityVariance: Estimate;
  readonly noiseVariance: Estimate;
  /** Mean square of the noise summed over an epoch, over M times its variance; NaN for less than two whole epochs. */
  readonly noiseEpochShare: number;
  readonly leftover: LowFrequencyPower;
  readonly correlationTime: Estimate;
  readonly correlationTimeSum: Estimate;
  /** Lag window of `correlationTimeSum`; undefined if that sum does not exist. */
  readonly lagWindow: { readonly flat: number; readonly end: number; readonly capped: boolean } | undefined;
  /** Means of the squares in each block, for the standard errors of differences. */
  readonly blockMeans: {
    readonly weight: Float64Array;
    readonly velocity: Float64Array;
    readonly noise: Float64Array;
  };
  /** Mean square of the subtracted drift. */
  readonly driftVariance: number;
}

const absent: Estimate = { value: Number.NaN, error: Number.NaN };

/**
 * Measures one direction from theta_k of T consecutive steps, which are detrended in place.
 *
 * The gradient noise comes from the same weights, by (1b) and the quadratic approximation (assumption 1):
 * dg_k = -(v_k - beta v_{k-1}) / eta - lambda (theta_{k-1} - theta*). theta* is constant or drifts like the weights do, so it is subtracted with
 * the drift. No assumption about correlations of the noise (2) enters.
 */
export function measureDirection(theta: Float64Array, eigenvalue: number, input: SeriesInput): Measured {
  const { steps, learningRate, momentum, batchesPerEpoch } = input;
  const { residual, driftVariance } = detrend(theta, input.drift);
  const meanVelocity = (residual[steps - 1]! - residual[0]!) / (steps - 1);
  const velocity = new Float64Array(steps);
  for (let k = 1; k < steps; k++) velocity[k] = residual[k]! - residual[k - 1]! - meanVelocity;
  const noise = new Float64Array(steps);
  let noiseSum = 0;
  for (let k = 2; k < steps; k++) {
    noise[k] = -(velocity[k]! - momentum * velocity[k - 1]!) / learningRate - eigenvalue * residual[k - 1]!;
    noiseSum += noise[k]!;
  }
  const meanNoise = noiseSum / (steps - 2);
  for (let k = 2; k < steps; k++) noise[k]! -= meanNoise;

  const layout = layOutBlocks(steps, input.blocks, batchesPerEpoch * epochsOfOneDraw(input.sampling));
  const weight = meanSquare(residual, 0, layout);
  const speed = meanSquare(velocity, 1, layout);
  const disturbance = meanSquare(noise, 2, layout);
  const ratio = weight.estimate.value / speed.estimate.value;
  const correlationTime = {
    value: 2 * ratio,
    error: 2 * ratioError(ratio, weight.blockMeans, speed.blockMeans, steps, layout),
  };
  const lagWindow =
    neverForgets(input.sampling) || !(correlationTime.value > 0)
      ? undefined
      : chooseLagWindow(correlationTime.value, momentum, steps);
  return {
    weightVariance: weight.estimate,
    velocityVariance: speed.estimate,
    noiseVariance: disturbance.estimate,
    noiseEpochShare: epochShare(noise, batchesPerEpoch) / disturbance.estimate.value,
    leftover: lowFrequencyPower(noise, disturbance.estimate.value, eigenvalue, input),
    correlationTime,
    correlationTimeSum: lagWindow ? measureVelocitySum(residual, lagWindow, input) : absent,
    lagWindow,
    blockMeans: { weight: weight.blockMeans, velocity: speed.blockMeans, noise: disturbance.blockMeans },
    driftVariance,
  };
}

/**
 * Mean over whole epochs of (sum of the noise over the epoch)^2 / M, for a series that begins with an epoch. The first epoch is left out, since its
 * first two values do not exist.
 */
function epochShare(noise: Float64Array, batchesPerEpoch: number): number {
  const epochs = Math.floor(noise.length / batchesPerEpoch);
  let squares = 0;
  for (let epoch = 1; epoch < epochs; epoch++) {
    let sum = 0;
    for (let k = epoch * batchesPerEpoch; k < (epoch + 1) * batchesPerEpoch; k++) sum += noise[k]!;
    squares += sum ** 2;
  }
  return epochs > 1 ? squares / (epochs - 1) / batchesPerEpoch : Number.NaN;
}

/** Mean of the squares of `values[from..]`, with its standard error. */
function meanSquare(
  values: Float64Array,
  from: number,
  layout: BlockLayout,
): { estimate: Estimate; blockMeans: Float64Array } {
  const squares = new Float64Array(values.length);
  let sum = 0;
  for (let k = from; k < values.length; k++) {
    squares[k] = values[k]! ** 2;
    sum += squares[k]!;
  }
  const means = blockMeans(squares, from, layout);
  const error = batchMeansError(means, values.length, layout);
  return { estimate: { value: sum / (values.length - from), error }, blockMeans: means };
}

function measureVelocitySum(
  residual: Float64Array,
  window: { flat: number; end: number },
  input: SeriesInput,
): Estimate {
  const { first, total } = velocitySums(residual, window);
  const period = input.batchesPerEpoch * epochsOfOneDraw(input.sampling);
  const layout = layOutBlocks(first.length, input.blocks, period);
  const numerators = blockMeans(first, 0, layout);
  const denominators = blockMeans(total, 0, layout);
  const ratio = average(first) / average(total);
  return { value: ratio, error: ratioError(ratio, numerators, denominators, first.length, layout) };
}
