import type { Sampling } from '../sampling.ts';
import { epochsOfOneDraw, neverForgets } from '../theory/noise.ts';
import type { SgdProcess } from '../theory/process.ts';
import { stationaryVariances } from '../theory/variances.ts';
import {
  expectedCorrelationTimeSum,
  expectedNoiseVariance,
  expectedWindowVariances,
  type WindowVariances,
  windowStructureFunction,
} from '../theory/window.ts';
import { batchMeansError, layOutBlocks } from './blocks.ts';
import { type Estimate, type Measured, measureDirection } from './direction.ts';
import { type LowFrequencyPower, pooledShares } from './leftover.ts';
import { leftoverNotes, Notes } from './notes.ts';
import {
  emptyColumns,
  type Quantity,
  type SeriesInput,
  type Spectrum,
  type SpectrumColumns,
} from './spectrum.ts';

/**
 * Variances of weights, velocities and gradient noise and both sides of equation (18) in each direction, with standard errors, beside what
 * equations (12)-(18) predict from the measured noise variance: see {@link SpectrumColumns}.
 *
 * All sums are in double precision; the work is O(k T). Throws RangeError if the shapes disagree, the series is shorter than three steps a
 * block, or a value is not finite.
 */
export function analyzeSeries(input: SeriesInput): Spectrum {
  checkInput(input);
  const { steps, directions, eigenvalues, learningRate, momentum, batchesPerEpoch, sampling, drift } = input;
  const columns = emptyColumns(directions);
  const notes = new Notes(input);
  const { batchesPerBlock } = input;
  const noiseWindow = expectedNoiseVariance(batchesPerEpoch, sampling, steps, drift, batchesPerBlock);
  const powers: LowFrequencyPower[] = [];
  for (const { index, theta, largest } of columnsOf(input)) {
    const eigenvalue = eigenvalues[index]!;
    const process = { learningRate, momentum, eigenvalue, batchesPerEpoch, sampling, batchesPerBlock };
    const measured = measureDirection(theta, eigenvalue, input);
    columns.eigenvalue[index] = eigenvalue;
    columns.noise_variance[index] = measured.noiseVariance.value;
    columns.noise_variance_standard_error[index] = measured.noiseVariance.error;
    columns.noise_epoch_share[index] = measured.noiseEpochShare;
    fillMeasured(columns, index, measured);
    fillTheory(columns, index, measured, process, noiseWindow, input);
    powers[index] = measured.leftover;
    notes.add(measured, eigenvalue, columns.correlation_time_theory[index]!, largest);
  }
  if (sampling === 'without-replacement')
    fillLeftover(columns, pooledShares(eigenvalues, powers), noiseWindow, input);
  return { columns, notes: [...notes.lines(), ...leftoverNotes(columns, input)] };
}

function fillMeasured(columns: SpectrumColumns, index: number, measured: Measured): void {
  const set = (name: Quantity, { value, error }: Estimate) => {
    columns[name][index] = value;
    columns[`${name}_standard_error`][index] = error;
  };
  set('weight_variance', measured.weightVariance);
  set('velocity_variance', measured.velocityVariance);
  set('correlation_time', measured.correlationTime);
  set('correlation_time_sum', measured.correlationTimeSum);
}

function fillTheory(
  columns: SpectrumColumns,
  index: number,
  measured: Measured,
  process: SgdProcess,
  noiseWindow: number,
  input: SeriesInput,
): void {
  const { steps, drift } = input;
  const exact = stationaryVariances(process);
  if (!exact.stable) return;
  const lagWindow = measured.lagWindow;
  const structure = windowStructureFunction(process, steps, lagWindow);
  const window = expectedWindowVariances(structure, steps, drift);
  // The window takes its share of the measured noise too, so the level of the theory is restored from it.
  const level = measured.noiseVariance.value / noiseWindow;
  const tau = (2 * exact.weightVariance) / exact.velocityVariance;
  const set = (name: Quantity, theory: number, expected: number, difference: number) => {
    columns[`${name}_theory`][index] = theory;
    columns[`${name}_theory_window`][index] = expected;
    // What is kept for ever is in every block of the series, so that they tell nothing about how far one order may lie from the mean over orders.
    if (neverForgets(input.sampling)) return;
    columns[`${name}_deviation`][index] = (columns[name][index]! - expected) / difference;
  };
  const differenceError = (means: Float64Array, factor: number) => {
    const differences = means.map((mean, b) => mean - (factor / noiseWindow) * measured.blockMeans.noise[b]!);
    const period = input.batchesPerEpoch * epochsOfOneDraw(input.sampling);
    return batchMeansError(differences, steps, layOutBlocks(steps, input.blocks, period));
  };
  set(
    'weight_variance',
    level * exact.weightVariance,
    level * window.weightVariance,
    differenceError(measured.blockMeans.weight, window.weightVariance),
  );
  set(
    'velocity_variance',
    level * exact.velocityVariance,
    level * window.velocityVariance,
    differenceError(measured.blockMeans.velocity, window.velocityVariance),
  );
  set(
    'correlation_time',
    tau,
    (2 * window.weightVariance) / window.velocityVariance,
    measured.correlationTime.error,
  );
  if (lagWindow) {
    const expected = expectedCorrelationTimeSum(structure, steps, lagWindow);
    set('correlation_time_sum', tau, expected, measured.correlationTimeSum.error);
  }
}

/**
 * Theory where a share r of an epoch's noise does not cancel. The autocovariance of such noise is (1 - r) times equation (2) and r times that of noise with
 * replacement, and variances are linear in it.
 */
function fillLeftover(
  columns: SpectrumColumns,
  shares: Float64Array,
  noiseWindow: number,
  { eigenvalues, learningRate, momentum, batchesPerEpoch, steps, drift }: SeriesInput,
): void {
  const whiteWindow = expectedNoiseVariance(batchesPerEpoch, 'with-replacement', steps, drift);
  const sampling: Sampling = 'with-replacement';
  for (const [index, share] of shares.entries()) {
    columns.noise_leftover_share[index] = share;
    const own = {
      weightVariance: columns.weight_variance_theory_window[index]!,
      velocityVariance: columns.velocity_variance_theory_window[index]!,
    };
    if (!(own.weightVariance > 0) || Number.isNaN(share)) continue;
    const process = { learningRate, momentum, eigenvalue: eigenvalues[index]!, batchesPerEpoch, sampling };
    const independent = expectedWindowVariances(windowStructureFunction(process, steps), steps, drift);
    // `own` rests on a level of the noise that knows of no share.
    const [noise, ofAll] = [columns.noise_variance[index]!, (1 - share) * noiseWindow + share * whiteWindow];
    const mixed = (name: keyof WindowVariances) =>
      ((1 - share) * noiseWindow * own[name] + share * noise * independent[name]) / ofAll;
    const [weight, velocity] = [mixed('weightVariance'), mixed('velocityVariance')];
    columns.weight_variance_theory_leftover[index] = weight;
    columns.velocity_variance_theory_leftover[index] = velocity;
    columns.correlation_time_theory_leftover[index] = (2 * weight) / velocity;
  }
}

/** Directions one at a time as doubles, read from the rows a few columns at once so that memory is passed over in order. */
function* columnsOf(input: SeriesInput): Generator<{ index: number; theta: Float64Array; largest: number }> {
  const { theta, steps, directions } = input;
  const together = 16;
  for (let start = 0; start < directions; start += together) {
    const group = Array.from(
      { length: Math.min(together, directions - start) },
      () => new Float64Array(steps),
    );
    for (let k = 0; k < steps; k++) {
      for (let i = 0; i < group.length; i++) group[i]![k] = theta[k * directions + start + i]!;
    }
    for (const [i, column] of group.entries()) {
      let largest = 0;
      for (let k = 0; k < steps; k++) {
        const value = column[k]!;
        if (!Number.isFinite(value)) {
          throw new RangeError(
            `theta of direction ${start + i} is ${value} at step ${k} of the series; training has diverged.`,
          );
        }
        largest = Math.max(largest, Math.abs(value));
      }
      yield { index: start + i, theta: column, largest };
    }
  }
}

function checkInput({ theta, steps, directions, eigenvalues, blocks }: SeriesInput): void {
  if (theta.length !== steps * directions) {
    throw new RangeError(
      `theta has ${theta.length} values; ${steps} steps of ${directions} directions are ${steps * directions}.`,
    );
  }
  if (eigenvalues.length !== directions) {
    throw new RangeError(`There are ${eigenvalues.length} eigenvalues for ${directions} directions.`);
  }
  if (!(Number.isInteger(blocks) && blocks >= 2)) {
    throw new RangeError(`Standard errors need at least 2 blocks, got ${blocks}.`);
  }
  if (steps < 3 * blocks) {
    throw new RangeError(
      `The series has ${steps} steps, ${blocks} blocks need at least ${3 * blocks}. Record more epochs or ask for fewer blocks.`,
    );
  }
}
