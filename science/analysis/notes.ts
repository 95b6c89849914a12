import { epochsOfOneDraw, isPeriodic, neverForgets } from '../theory/noise.ts';
import { layOutBlocks } from './blocks.ts';
import type { Measured } from './direction.ts';
import type { SeriesInput, SpectrumColumns } from './spectrum.ts';

/** A correlation time that is longer by this factor is told. */
const visiblySlower = 1.05;

/** Counts the directions that miss an assumption of the analysis or of the theory, and says so in a line each. */
export class Notes {
  readonly #input: SeriesInput;
  readonly #blockLength: number;
  #unstable = 0;
  #notPositive = 0;
  #lowestEigenvalue = 0;
  #still = 0;
  #slowForWindow = 0;
  #slowForBlocks = 0;
  #slowest = 0;
  #drifting = 0;
  #largestDrift = 0;
  #slowForSums = 0;
  #slowestTau = 0;
  #cutShort = 0;
  #coarse = 0;
  #coarsest = 0;

  constructor(input: SeriesInput) {
    this.#input = input;
    this.#blockLength = layOutBlocks(
      input.steps,
      input.blocks,
      input.batchesPerEpoch * epochsOfOneDraw(input.sampling),
    ).length;
  }

  /**
   * @param tauTheory Stationary correlation time, NaN if there is none.
   * @param largest Largest magnitude among the stored values.
   */
  add(measured: Measured, eigenvalue: number, tauTheory: number, largest: number): void {
    const { learningRate, momentum, steps } = this.#input;
    if (!(eigenvalue > 0)) {
      this.#notPositive++;
      this.#lowestEigenvalue = Math.min(this.#lowestEigenvalue, eigenvalue);
    } else if (learningRate * eigenvalue >= 2 * (1 + momentum)) {
      this.#unstable++;
    }
    const velocityVariance = measured.velocityVariance.value;
    if (!(velocityVariance > 0)) {
      this.#still++;
      return;
    }
    const tau = Math.max(measured.correlationTime.value, Number.isNaN(tauTheory) ? 0 : tauTheory);
    const relaxation = (tau * (1 - momentum)) / (1 + momentum);
    this.#slowest = Math.max(this.#slowest, relaxation);
    if (steps < 10 * relaxation) this.#slowForWindow++;
    if (this.#blockLength < 5 * relaxation) this.#slowForBlocks++;
    if (measured.lagWindow && steps < 10 * tau) {
      this.#slowForSums++;
      this.#slowestTau = Math.max(this.#slowestTau, tau);
    }
    const driftRatio = measured.driftVariance / measured.weightVariance.value;
    if (driftRatio > 1) this.#drifting++;
    this.#largestDrift = Math.max(this.#largestDrift, driftRatio);
    if (measured.lagWindow?.capped) this.#cutShort++;
    if (this.#input.theta instanceof Float32Array && largest > 0) {
      const quantum = 2 ** (Math.floor(Math.log2(largest)) - 23) / Math.sqrt(velocityVariance);
      if (quantum > 0.1) this.#coarse++;
      this.#coarsest = Math.max(this.#coarsest, quantum);
    }
  }

  lines(): string[] {
    const { steps, directions, batchesPerEpoch: m, sampling, momentum, learningRate } = this.#input;
    const lines: string[] = [];
    const count = (n: number, text: string) => {
      if (n > 0) lines.push(`${n} of ${directions} directions ${text}`);
    };
    count(
      this.#notPositive,
      `have no positive eigenvalue (lowest ${digits(this.#lowestEigenvalue)}): there is no minimum to fluctuate about, and no theory.`,
    );
    count(
      this.#unstable,
      `have eta lambda >= 2 (1 + beta), lambda >= ${digits((2 * (1 + momentum)) / learningRate)}: SGD is unstable there, and there is no theory.`,
    );
    count(this.#still, 'do not move at all.');
    const slowest = `relaxation time tau (1 - beta) / (1 + beta) up to ${digits(this.#slowest)} steps`;
    count(
      this.#slowForWindow,
      `relax in more than a tenth of the ${steps} recorded steps (${slowest}): compare them with the theory of the window only.`,
    );
    count(
      this.#slowForBlocks,
      `relax in more than a fifth of a block of ${this.#blockLength} steps (${slowest}): their standard errors are too small.`,
    );
    count(
      this.#slowForSums,
      `have tau above a tenth of the ${steps} recorded steps (up to ${digits(this.#slowestTau)}): correlation_time_sum, whose relative error is of order tau / T, says little there.`,
    );
    count(
      this.#drifting,
      `drift by more than they fluctuate (variance of the subtracted drift up to ${digits(this.#largestDrift)} times the rest): the weights may not be stationary yet.`,
    );
    count(
      this.#cutShort,
      `have their lagged velocity sums cut at a quarter of the series, before the correlations have died out: correlation_time_sum is biased, as its theory of the window is.`,
    );
    count(
      this.#coarse,
      `are stored with a float32 spacing above a tenth of their velocity's standard deviation (up to ${digits(this.#coarsest)} times): rounding adds to velocity and noise variance.`,
    );
    if (steps % m !== 0) {
      lines.push(
        `The ${steps} steps are not whole epochs of ${m} batches; equation (2) is an average over all positions in an epoch.`,
      );
    }
    if (this.#blockLength % m !== 0 && sampling === 'without-replacement') {
      lines.push(`The blocks of ${this.#blockLength} steps are not whole epochs of ${m} batches.`);
    }
    const together = epochsOfOneDraw(sampling);
    if (together > 1 && (steps % (together * m) !== 0 || this.#blockLength % (together * m) !== 0)) {
      lines.push(
        `The ${steps} steps, or their blocks of ${this.#blockLength}, are not whole pairs of epochs of ${m} batches, over which paired reversal is an average.`,
      );
    }
    if (neverForgets(sampling)) {
      const kept = isPeriodic(sampling) ? `repeats its noise every ${m} steps` : 'keeps its blocks for ever';
      lines.push(
        `Sampling ${sampling} ${kept}: theory is the mean over random orders, one order scatters about it by more than the standard errors say, and the sums of equation (18) do not converge.`,
      );
    }
    return lines;
  }
}

/** Says so where noise that does not cancel over an epoch makes directions visibly slower: how much depends on r lambda_cross / lambda, not on r alone. */
export function leftoverNotes(columns: SpectrumColumns, { directions }: SeriesInput): string[] {
  const ratios = columns.correlation_time_theory_leftover.map(
    (time, index) => time / columns.correlation_time_theory_window[index]!,
  );
  const slow = ratios.filter((ratio) => ratio > visiblySlower);
  if (slow.length === 0) return [];
  const share = median([...columns.noise_leftover_share].filter(Number.isFinite));
  return [
    `The noise of an epoch does not sum to zero, but keeps ${digits(100 * share)} % of the variance of independent draws (median over directions): it changes with the weights within an epoch, against assumption 2. That makes ${slow.length} of ${directions} directions slower, by up to ${digits(100 * (Math.max(...slow) - 1))} %, which the columns _theory_leftover allow for.`,
  ];
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}

function digits(value: number): string {
  return String(Number(value.toPrecision(3)));
}
