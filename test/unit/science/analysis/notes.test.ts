/** The notes of an analysis: each threshold from both sides, and the numbers that each line has. */
import { describe, expect, it } from 'vitest';
import type { Measured } from '../../../../science/analysis/direction.ts';
import { leftoverNotes, Notes } from '../../../../science/analysis/notes.ts';
import { emptyColumns, type SeriesInput } from '../../../../science/analysis/spectrum.ts';

const input: SeriesInput = {
  theta: new Float64Array(),
  ...{ steps: 1000, directions: 7, eigenvalues: new Float64Array(7), blocks: 10 },
  ...{ learningRate: 0.1, momentum: 0.5, batchesPerEpoch: 10 },
  sampling: 'with-replacement',
  drift: 'linear',
};
const none = { value: Number.NaN, error: Number.NaN };
const means = { weight: new Float64Array(), velocity: new Float64Array(), noise: new Float64Array() };

/** A direction that gives no cause for a note: weight variance 1, velocity variance 4. */
const measured: Measured = {
  weightVariance: { value: 1, error: 0.1 },
  velocityVariance: { value: 4, error: 0.1 },
  noiseVariance: none,
  noiseEpochShare: 0,
  leftover: { share: 0, windows: 0 },
  correlationTime: { value: 3, error: 0.1 },
  correlationTimeSum: none,
  lagWindow: { flat: 5, end: 10, capped: false },
  blockMeans: means,
  driftVariance: 0,
};

function told(
  change: Partial<Measured>,
  { eigenvalue = 1, tau = Number.NaN, largest = 0, of = {} as Partial<SeriesInput> } = {},
): string[] {
  const notes = new Notes({ ...input, ...of });
  notes.add({ ...measured, ...change }, eigenvalue, tau, largest);
  return notes.lines();
}
const time = (value: number) => ({ correlationTime: { value, error: 0.1 } });

describe('a note is made', () => {
  it('of nothing where nothing is missed', () => {
    expect(told({})).toEqual([]);
    expect(new Notes(input).lines()).toEqual([]);
  });

  it('of eigenvalues that are not positive, with the lowest', () => {
    const notes = new Notes(input);
    for (const eigenvalue of [-0.5, -2, 0, 1]) notes.add(measured, eigenvalue, Number.NaN, 0);
    expect(notes.lines()).toEqual([
      '3 of 7 directions have no positive eigenvalue (lowest -2): there is no minimum to fluctuate about, and no theory.',
    ]);
  });

  it('of eta lambda from 2 (1 + beta) on', () => {
    expect(told({}, { eigenvalue: 29.99 })).toEqual([]);
    expect(told({}, { eigenvalue: 30.01 })).toEqual([
      '1 of 7 directions have eta lambda >= 2 (1 + beta), lambda >= 30: SGD is unstable there, and there is no theory.',
    ]);
    const exact = { learningRate: 0.5, momentum: 0.5 };
    expect(told({}, { eigenvalue: 6, of: exact })).toHaveLength(1);
  });

  it('of directions that do not move, and of nothing else of them', () => {
    const still = { velocityVariance: { value: 0, error: 0 }, ...time(1e9), driftVariance: 9 };
    expect(told(still)).toEqual(['1 of 7 directions do not move at all.']);
  });

  it('of relaxation times tau (1 - beta) / (1 + beta) above a tenth of the series or a fifth of a block, from measured or theoretical tau', () => {
    // A block is 100 steps: tau 60 is a relaxation time of 20, a fifth of it; 300 one of 100, a tenth of the series.
    expect(told(time(60))).toEqual([]);
    expect(told({}, { tau: 60 })).toEqual([]);
    const blocks =
      '1 of 7 directions relax in more than a fifth of a block of 100 steps (relaxation time tau (1 - beta) / (1 + beta) up to 20.3 steps): their standard errors are too small.';
    expect(told(time(61))).toEqual([blocks]);
    expect(told({}, { tau: 61 })).toEqual([blocks]);
    expect(told({ ...time(61), lagWindow: undefined })).toEqual([blocks]);
    const slow = told({ ...time(300), lagWindow: undefined });
    expect(slow).toHaveLength(1);
    const slower = told({ ...time(303), lagWindow: undefined });
    expect(slower).toHaveLength(2);
    expect(slower[0]).toBe(
      '1 of 7 directions relax in more than a tenth of the 1000 recorded steps (relaxation time tau (1 - beta) / (1 + beta) up to 101 steps): compare them with the theory of the window only.',
    );
    const notes = new Notes(input);
    for (const value of [330, 360, 150])
      notes.add({ ...measured, ...time(value), lagWindow: undefined }, 1, Number.NaN, 0);
    expect(notes.lines()[0]).toMatch(/^2 of 7 .* up to 120 steps/);
    expect(notes.lines()[1]).toMatch(/^3 of 7 .* up to 120 steps/);
  });

  it('of tau above a tenth of the series, where there are sums of velocities', () => {
    expect(told(time(100)).join()).not.toContain('have tau above');
    const notes = new Notes(input);
    for (const value of [101, 104, 102]) notes.add({ ...measured, ...time(value) }, 1, Number.NaN, 0);
    expect(notes.lines()).toContainEqual(
      '3 of 7 directions have tau above a tenth of the 1000 recorded steps (up to 104): correlation_time_sum, whose relative error is of order tau / T, says little there.',
    );
    expect(told({ lagWindow: { flat: 1, end: 2, capped: true } })).toEqual([
      '1 of 7 directions have their lagged velocity sums cut at a quarter of the series, before the correlations have died out: correlation_time_sum is biased, as its theory of the window is.',
    ]);
  });

  it('of a drift above the variance of the rest', () => {
    const half = { weightVariance: { value: 2, error: 0.1 } };
    expect(told({ ...half, driftVariance: 2 })).toEqual([]);
    const notes = new Notes(input);
    for (const driftVariance of [2.5, 5, 3])
      notes.add({ ...measured, ...half, driftVariance }, 1, Number.NaN, 0);
    expect(notes.lines()).toEqual([
      '3 of 7 directions drift by more than they fluctuate (variance of the subtracted drift up to 2.5 times the rest): the weights may not be stationary yet.',
    ]);
  });

  it('of float32 values whose spacing is above a tenth of the velocity', () => {
    const single = { theta: new Float32Array() };
    // Between 2^20 and 2^21 float32 values are 2^-3 apart: 0.0625 of a velocity of 2, and 0.125 between 2^21 and 2^22.
    expect(told({}, { largest: 2 ** 21 - 1, of: single })).toEqual([]);
    expect(told({}, { largest: 2 ** 21, of: single })).toEqual([
      "1 of 7 directions are stored with a float32 spacing above a tenth of their velocity's standard deviation (up to 0.125 times): rounding adds to velocity and noise variance.",
    ]);
    expect(told({}, { largest: 2 ** 21 })).toEqual([]);
    const notes = new Notes({ ...input, ...single });
    for (const largest of [2 ** 21, 2 ** 23, 0, 5]) notes.add(measured, 1, Number.NaN, largest);
    expect(notes.lines()[0]).toMatch(/^2 of 7 .*up to 0.5 times/);
    const tiny = { velocityVariance: { value: 2 ** -50, error: 0 } };
    expect(told(tiny, { largest: 2 ** -3, of: single })).toHaveLength(1);
    const odd = { velocityVariance: { value: 2 ** -6 / 100, error: 0 } };
    expect(told(odd, { largest: 2 ** 17, of: single })).toHaveLength(1);
    expect(
      told({ velocityVariance: { value: 2 ** -12 * 100, error: 0 } }, { largest: 2 ** 17, of: single }),
    ).toEqual([]);
  });

  it('of steps and blocks that are no whole epochs, and of noise that repeats', () => {
    expect(told({}, { of: { steps: 1005 } })).toEqual([
      'The 1005 steps are not whole epochs of 10 batches; equation (2) is an average over all positions in an epoch.',
    ]);
    const long = { batchesPerEpoch: 500, sampling: 'without-replacement' } as const;
    expect(told({}, { of: long })).toEqual(['The blocks of 100 steps are not whole epochs of 500 batches.']);
    expect(told({}, { of: { batchesPerEpoch: 500 } })).toEqual([]);
    expect(told({}, { of: { sampling: 'without-replacement' } })).toEqual([]);
    expect(told({}, { of: { sampling: 'sequential' } })[0]).toContain(
      'Sampling sequential repeats its noise every 10 steps',
    );
  });
});

describe('noise that is left over', () => {
  const columns = (ratios: readonly number[], shares: readonly number[]) => {
    const all = emptyColumns(ratios.length);
    for (const [i, ratio] of ratios.entries()) {
      all.correlation_time_theory_window[i] = 40;
      all.correlation_time_theory_leftover[i] = 40 * ratio;
      all.noise_leftover_share[i] = shares[i]!;
    }
    return all;
  };

  it('is told where a direction is slower by more than 5 %, with the median share and the largest factor', () => {
    expect(leftoverNotes(columns([1, 1.04, 0.9], [0.3, 0.3, 0.3]), input)).toEqual([]);
    const shares = [0.1, 0.4, Number.NaN, 0.2];
    const [line, ...more] = leftoverNotes(columns([1.06, 1.5, 1, 1.2], shares), input);
    expect(more).toEqual([]);
    expect(line).toContain('keeps 20 % of the variance of independent draws (median over directions)');
    expect(line).toContain('That makes 3 of 7 directions slower, by up to 50 %');
  });
});
