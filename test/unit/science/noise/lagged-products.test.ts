import { describe, expect, it } from 'vitest';
import {
  type Autocorrelation,
  autocorrelation,
  joinBlocks,
} from '../../../../science/noise/autocorrelation.ts';
import {
  type BatchDrawing,
  batchVarianceFactor,
  expectedAutocorrelation,
} from '../../../../science/noise/finite-population.ts';
import { LaggedProducts, type LagLayout, tailEpochs } from '../../../../science/noise/lagged-products.ts';
import { RandomStream } from '../../../../science/random.ts';
import { epochBatches, type Sampling } from '../../../../science/sampling.ts';
import { isPeriodic, neverForgets, noiseAutocovariance } from '../../../../science/theory/noise.ts';

/** Vectors of N examples, N x size, with mean zero. */
function population(examples: number, size: number, seed: number): Float64Array {
  const random = new RandomStream(seed, 'population');
  const values = Float64Array.from({ length: examples * size }, () => random.normal());
  for (let i = 0; i < size; i++) {
    let sum = 0;
    for (let n = 0; n < examples; n++) sum += values[n * size + i]!;
    for (let n = 0; n < examples; n++) values[n * size + i]! -= sum / examples;
  }
  return values;
}

/** Means of the batches of one epoch, M x size. */
function batchMeans(values: Float64Array, drawing: BatchDrawing, seed: number, epoch: number): Float32Array {
  const { batchSize, sampling } = drawing;
  const examples = drawing.examples;
  const size = values.length / examples;
  const order = epochBatches(sampling, { ...drawing, seed }, epoch);
  const means = new Float64Array((order.length / batchSize) * size);
  for (const [position, example] of order.entries()) {
    const at = Math.floor(position / batchSize) * size;
    for (let i = 0; i < size; i++) means[at + i]! += values[example * size + i]! / batchSize;
  }
  return Float32Array.from(means);
}

async function sumsOf(values: Float64Array, drawing: BatchDrawing, layout: LagLayout, seed: number) {
  const products = new LaggedProducts(layout);
  for (let epoch = 0; epoch < layout.epochs + tailEpochs(layout); epoch++)
    await products.add(batchMeans(values, drawing, seed, epoch));
  return products.sums;
}

/** 400 blocks: epochs of one run, or one epoch of 400 orders where the noise repeats itself. */
async function measure(
  drawing: BatchDrawing,
  size = 30,
): Promise<Autocorrelation & { variance: number; values: Float64Array }> {
  const values = population(drawing.examples, size, 7);
  const m = Math.floor(drawing.examples / drawing.batchSize);
  const lags = 2 * m + 1;
  const blocks = 400;
  let sums: Float64Array;
  if (neverForgets(drawing.sampling)) {
    sums = new Float64Array(blocks * (lags + 1));
    const layout = { batchesPerEpoch: m, epochs: 1, lags };
    for (let seed = 0; seed < blocks; seed++) {
      // File order is random only if the examples are.
      const drawn = drawing.sampling === 'sequential' ? population(drawing.examples, size, seed) : values;
      sums.set(await sumsOf(drawn, drawing, layout, seed), seed * (lags + 1));
    }
  } else {
    // Pairs of epochs belong together.
    const together = drawing.sampling === 'paired-reversal' ? 2 : 1;
    const epochs = blocks * together;
    const each = await sumsOf(values, drawing, { batchesPerEpoch: m, epochs, lags }, 1);
    sums = joinBlocks({ sums: each, lags }, together).sums.map((sum) => sum / together);
  }
  const variance = sums.filter((_, i) => i % (lags + 1) === 0).reduce((a, b) => a + b, 0) / (blocks * m);
  return { ...autocorrelation({ sums, lags }), variance, values };
}

/** Lags h >= 1 at which the formula lies beyond three standard errors. */
function disagreements({ measured, standardError }: Autocorrelation, formula: (h: number) => number): number {
  let count = 0;
  for (let h = 1; h < measured.length; h++)
    if (Math.abs(measured[h]! - formula(h)) > 3 * standardError[h]!) count++;
  return count;
}

const samplings: readonly Sampling[] = [
  'without-replacement',
  'with-replacement',
  'shuffle-once',
  'sequential',
  'paired-reversal',
  'block-reshuffling',
];
/** Four blocks of three batches. */
const blocks = { blockSize: 9, batchesPerBlock: 3 };

describe('the autocovariance of a finite population in batches', () => {
  it.each(samplings)('%s: agrees with its formula at every lag, and with no other', async (sampling) => {
    const result = await measure({ examples: 36, batchSize: 3, sampling, blockSize: blocks.blockSize });
    expect(result.measured[0]).toBe(1);
    expect(Math.max(...result.standardError)).toBeLessThan(0.02);
    for (const formula of samplings) {
      const wrong = disagreements(result, (h) => noiseAutocovariance(h, 12, formula, blocks.batchesPerBlock));
      if (formula === sampling || (isPeriodic(formula) && isPeriodic(sampling))) expect(wrong).toBe(0);
      else expect(wrong).toBeGreaterThanOrEqual(5);
    }
  });

  it('tells (M - |h|) / (M (M - 1)) from the same without its finite-size correction, and from the same shifted by one lag', async () => {
    const result = await measure({ examples: 36, batchSize: 3, sampling: 'without-replacement' }, 300);
    const shape = (h: number, share: number) => (h < 12 ? -(12 - h) * share : 0);
    expect(disagreements(result, (h) => shape(h, 1 / (12 * 11)))).toBe(0);
    expect(disagreements(result, (h) => shape(h, 1 / 12 ** 2))).toBeGreaterThan(2);
    expect(disagreements(result, (h) => shape(h + 1, 1 / (12 * 11)))).toBeGreaterThan(5);
  });

  it('counts dropped examples: -S / (N - S) instead of -1 / (M - 1)', async () => {
    const drawing = { examples: 26, batchSize: 5, sampling: 'without-replacement' } as const;
    const uneven = { ...drawing, examples: 29 };
    const result = await measure(uneven, 300);
    expect(disagreements(result, (h) => expectedAutocorrelation(h, uneven))).toBe(0);
    expect(disagreements(result, (h) => noiseAutocovariance(h, 5, 'without-replacement'))).toBeGreaterThan(2);
    for (let h = 0; h < 12; h++) {
      const whole = { ...drawing, examples: 25 };
      expect(expectedAutocorrelation(h, whole)).toBeCloseTo(
        noiseAutocovariance(h, 5, 'without-replacement'),
        14,
      );
    }
  });

  it('counts dropped examples in a pair of epochs, too', async () => {
    const uneven = { examples: 29, batchSize: 5, sampling: 'paired-reversal' } as const;
    const result = await measure(uneven, 300);
    expect(disagreements(result, (h) => expectedAutocorrelation(h, uneven))).toBe(0);
    expect(disagreements(result, (h) => noiseAutocovariance(h, 5, 'paired-reversal'))).toBeGreaterThan(2);
    for (let h = 0; h < 12; h++) {
      const whole = { ...uneven, examples: 25 };
      expect(expectedAutocorrelation(h, whole)).toBeCloseTo(noiseAutocovariance(h, 5, 'paired-reversal'), 14);
    }
  });

  it.each(samplings.slice(0, 3))('%s: has the variance of a finite population', async (sampling) => {
    const drawing = { examples: 12, batchSize: 4, sampling } as const;
    const { variance, values } = await measure(drawing, 200);
    const ofExamples = values.reduce((sum, value) => sum + value ** 2, 0) / 12;
    expect(Math.abs(variance / (ofExamples * batchVarianceFactor(drawing)) - 1)).toBeLessThan(0.04);
    const other = {
      ...drawing,
      sampling: sampling === 'with-replacement' ? 'sequential' : 'with-replacement',
    } as const;
    expect(Math.abs(variance / (ofExamples * batchVarianceFactor(other)) - 1)).toBeGreaterThan(0.2);
  });
});

describe('LaggedProducts', () => {
  const layout = { batchesPerEpoch: 4, epochs: 3, lags: 6 };
  const random = new RandomStream(2, 'rows');
  const epochs = Array.from({ length: 3 + 2 }, () =>
    Float32Array.from({ length: 4 * 5 }, () => random.normal()),
  );

  it('sums every pair that begins in a measured epoch, and no other', async () => {
    expect(tailEpochs(layout)).toBe(2);
    const products = new LaggedProducts(layout);
    for (const rows of epochs) await products.add(rows);
    const series = epochs.flatMap((rows) =>
      [0, 1, 2, 3].map((row) => [...rows.subarray(5 * row, 5 * row + 5)]),
    );
    for (let epoch = 0; epoch < 3; epoch++) {
      for (let h = 0; h <= 6; h++) {
        let expected = 0;
        for (let k = 4 * epoch; k < 4 * epoch + 4; k++)
          for (let i = 0; i < 5; i++) expected += series[k]![i]! * series[k + h]![i]!;
        expect(products.sums[epoch * 7 + h]).toBeCloseTo(expected, 12);
      }
    }
  });

  it('goes on from its sums and the last epochs with equal bits', async () => {
    const whole = new LaggedProducts(layout);
    for (const rows of epochs) await whole.add(rows);
    for (const done of [0, 1, 2, 4]) {
      const before = new LaggedProducts(layout);
      for (const rows of epochs.slice(0, done)) await before.add(rows);
      const kept = epochs.slice(Math.max(0, done - 2), done);
      const after = new LaggedProducts(layout, { sums: before.sums.slice(), done, kept });
      for (const rows of epochs.slice(done)) await after.add(rows);
      expect(after.sums).toEqual(whole.sums);
    }
  });

  it('blocks join without loss', () => {
    const joined = joinBlocks({ sums: Float64Array.from([1, 2, 3, 4, 5, 6, 7, 8]), lags: 1 }, 2);
    expect([...joined.sums]).toEqual([4, 6, 12, 14]);
  });
});
