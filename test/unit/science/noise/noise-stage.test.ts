import { describe, expect, it } from 'vitest';
import { stage } from '../../../../activities/stages/noise.ts';
import { readMetadata, writeMetadata } from '../../../../artifacts/arrow/metadata.ts';
import type { ArrowTable } from '../../../../artifacts/arrow/table.ts';
import type { TrainingContext } from '../../../../artifacts/arrow/training-context.ts';
import type { ArtifactRef } from '../../../../artifacts/reference.ts';
import type { Store } from '../../../../artifacts/store/store.ts';
import type { NoiseWith } from '../../../../schemas/types.ts';
import { standardize } from '../../../../science/examples.ts';
import { RandomStream } from '../../../../science/random.ts';
import { noiseAutocovariance } from '../../../../science/theory/noise.ts';
import { Stopped, stageContext } from '../../../fixtures/stage-context.ts';
import { temporaryStore } from '../../artifacts/folders.ts';
import { zoo } from '../models/zoo.ts';
import { lossAndGradient } from '../oracle/double-network.ts';

// Each takes a few seconds where nothing else runs.
const examples = 40;
const { model, network, data, weights } = zoo(examples)[1]!;
const m = 10;
const settings = { batchSize: 4, standardize: 'scale', seed: 3 };

function writeData(store: Store): Promise<ArtifactRef> {
  const metadata = writeMetadata({ shape: data.shape, classes: data.classes });
  return store.write('dataset', metadata, (writer) =>
    writer.append({ image: data.images, label: data.labels }),
  );
}

/** The network's weights as a trained state. */
async function writeState(store: Store): Promise<ArtifactRef> {
  const train = (await writeData(store)).sha256;
  const training: TrainingContext = {
    model: { ...model.spec },
    imageShape: data.shape,
    classes: data.classes,
    standardize: 'scale',
    loss: 'cross-entropy',
    l2: 0,
    examples,
    batchSize: 4,
    batchesPerEpoch: m,
    sampling: 'without-replacement',
    learningRate: 0.01,
    momentum: 0.5,
    seed: 3,
  };
  const metadata = writeMetadata({ training, data: { train, test: null } });
  return store.write('state', metadata, (writer) =>
    writer.append({ step: [50], epoch: [5], weights, velocity: new Float32Array(model.size) }),
  );
}

async function run(
  store: Store,
  withs: Record<string, unknown>,
): Promise<{ table: ArrowTable; spectrum: ArrowTable; notes: string[] }> {
  const context = stageContext<NoiseWith>(store, 'noise', { ...withs });
  const outputs = await stage.run(context);
  await context.checkpoint.clear();
  return {
    table: await store.open(outputs.autocovariance!),
    spectrum: await store.open(outputs.spectrum!),
    notes: context.notes,
  };
}

/** Lags at which a column lies beyond three standard errors of the formula. */
function disagreements(table: ArrowTable, formula: (lag: number) => number, suffix = ''): number {
  const measured = table.numbers(`measured${suffix}`);
  const errors = table.numbers(`standard_error${suffix}`);
  return [...measured].filter((value, lag) => lag > 0 && Math.abs(value - formula(lag)) > 3 * errors[lag]!)
    .length;
}

describe('the noise stage at fixed weights', () => {
  it.each([
    'without-replacement',
    'with-replacement',
    'shuffle-once',
    'block-reshuffling',
    'paired-reversal',
  ] as const)(
    '%s: measures the autocovariance of equation (2) on a network, at every lag',
    async (sampling) => {
      const { store } = await temporaryStore();
      const from = await writeState(store);
      const kept = sampling === 'shuffle-once' || sampling === 'block-reshuffling';
      const much = kept ? { epochs: 1, repeats: 150 } : { epochs: 150 };
      const { table, notes } = await run(store, { from, sampling, blockSize: 20, ...much });
      expect(table.rows).toBe(21);
      expect(notes).toEqual([]);
      const theory = table.numbers('theory');
      for (let lag = 0; lag <= 20; lag++)
        expect(theory[lag]).toBeCloseTo(noiseAutocovariance(lag, m, sampling, 5), 12);
      expect(disagreements(table, (lag) => theory[lag]!)).toBe(0);
      const other = sampling === 'with-replacement' ? 'without-replacement' : 'with-replacement';
      expect(disagreements(table, (lag) => noiseAutocovariance(lag, m, other))).toBeGreaterThan(4);
    },
  );

  it('has no standard error for an order that is not repeated, and says so', async () => {
    const { store } = await temporaryStore();
    const from = await writeState(store);
    for (const sampling of ['shuffle-once', 'sequential']) {
      const { table, notes } = await run(store, { from, sampling, epochs: 2 });
      expect(table.numbers('standard_error').every(Number.isNaN)).toBe(true);
      expect(notes).toHaveLength(1);
      // The noise of one order repeats itself exactly.
      const measured = table.numbers('measured');
      expect(measured[m]).toBeCloseTo(1, 10);
      expect(measured[3]).toBeCloseTo(measured[m + 3]!, 10);
    }
  });

  it('has no standard error for blocks of one arrangement, and wants whole pairs of epochs', async () => {
    const { store } = await temporaryStore();
    const from = await writeState(store);
    const blocks = { from, sampling: 'block-reshuffling', blockSize: 8, epochs: 2 };
    const { table, notes } = await run(store, blocks);
    expect(table.numbers('standard_error').every(Number.isNaN)).toBe(true);
    expect(notes).toEqual([expect.stringMatching(/same blocks stay.*raise `repeats`/)]);
    for (const [withs, message] of [
      [{ ...blocks, blockSize: 10 }, /multiple of the batch size 4 that divides the 40 examples, got 10/],
      [{ ...blocks, blockSize: undefined }, /needs a block size/],
      [{ from, sampling: 'paired-reversal', epochs: 3 }, /epochs is 3; .* 2 epochs that belong together/],
    ] as const) {
      const error = await run(store, withs).catch((thrown: unknown) => thrown);
      expect((error as Error).name).toBe('InputError');
      expect((error as Error).message).toMatch(message);
    }
  });

  it('has the covariance of the examples in a basis, as in double precision', async () => {
    const { store } = await temporaryStore();
    const from = await writeState(store);
    // Two weights and a random direction, orthogonal to both.
    const random = new RandomStream(8, 'test');
    const vectors = new Float32Array(3 * model.size);
    vectors[5] = 1;
    vectors[model.size + 40] = 1;
    const third = Float64Array.from({ length: model.size }, (_, i) =>
      i === 5 || i === 40 ? 0 : random.normal(),
    );
    vectors.set(
      third.map((value) => value / Math.hypot(...third)),
      2 * model.size,
    );
    const basis = await store.write('eigenpairs', {}, (writer) =>
      writer.append({ index: [0, 1, 2], eigenvalue: [3, 2, 1], residual: [0, 0, 0], vector: vectors }),
    );
    const { table, spectrum } = await run(store, { from, basis, along: [2], epochs: 300 });

    const inputs = standardize(data, 'scale');
    const projected = Array.from({ length: examples }, (_, n) => {
      const one = { inputs: [...inputs.subarray(60 * n, 60 * n + 60)], labels: [data.labels[n]!] };
      const { gradient } = lossAndGradient(network, Float64Array.from(weights), one, 0);
      return [0, 1, 2].map((i) => gradient.reduce((sum, g, j) => sum + g * vectors[i * model.size + j]!, 0));
    });
    const variances = [0, 1, 2].map((i) => {
      const mean = projected.reduce((sum, row) => sum + row[i]!, 0) / examples;
      const squares = projected.reduce((sum, row) => sum + (row[i]! - mean) ** 2, 0) / examples;
      return ((examples - 4) / (examples - 1) / 4) * squares;
    });
    const exact = spectrum.numbers('noise_variance_theory');
    const drawn = spectrum.numbers('noise_variance');
    const errors = spectrum.numbers('noise_variance_standard_error');
    for (let i = 0; i < 3; i++) {
      expect(Math.abs(exact[i]! / variances[i]! - 1)).toBeLessThan(1e-4);
      expect(errors[i]!).toBeLessThan(0.1 * exact[i]!);
      expect(Math.abs(drawn[i]! - exact[i]!)).toBeLessThan(3 * errors[i]!);
    }
    expect(disagreements(table, (lag) => noiseAutocovariance(lag, m, 'without-replacement'), '_2')).toBe(0);
    expect(disagreements(table, () => 0, '_2')).toBeGreaterThan(2);
    const described = readMetadata(table, 'noise');
    expect(described.cosine).toBeGreaterThan(0.3);
    expect(described.variance).toBeGreaterThan(exact[0]! + exact[1]! + exact[2]!);
  });
});

describe('the noise stage along SGD', () => {
  const moving = (train: ArtifactRef) => ({
    ...settings,
    data: train,
    model: { name: 'mlp', hidden: [6, 5], activation: 'tanh' },
    weights: 'moving',
    optimizer: { name: 'sgd', learningRate: 0.02, momentum: 0.5 },
  });

  it('finds anti-correlations from the first step on', async () => {
    const { store } = await temporaryStore();
    const { table } = await run(store, {
      ...moving(await writeData(store)),
      epochs: 4,
      repeats: 50,
      lags: 12,
    });
    expect(disagreements(table, (lag) => noiseAutocovariance(lag, m, 'without-replacement'))).toBe(0);
    expect(disagreements(table, () => 0)).toBeGreaterThan(4);
  });

  it('goes on after a kill at any place with the same bytes', async () => {
    const { store } = await temporaryStore();
    const train = await writeData(store);
    for (const withs of [
      { ...moving(train), batchSize: 2, epochs: 1, repeats: 2, lags: 13 },
      { from: await writeState(store), epochs: 3, lags: 13 },
    ]) {
      const whole = await stage.run(stageContext<NoiseWith>(store, 'noise', { ...withs }));
      await store.checkpoint('f'.repeat(64)).clear();
      for (const stopAfter of [3, 37, 61]) {
        const first = stageContext<NoiseWith>(store, 'noise', { ...withs }, stopAfter);
        await stage.run(first).catch((error: unknown) => expect(error).toBeInstanceOf(Stopped));
        if (stopAfter === 37 && 'weights' in withs)
          expect(await first.checkpoint.list()).toEqual(['chunk-0-0-0']);
        const second = await stage.run(stageContext<NoiseWith>(store, 'noise', { ...withs }));
        expect(second.autocovariance!.sha256).toBe(whole.autocovariance!.sha256);
        await first.checkpoint.clear();
      }
    }
  });
});

describe('the noise stage refuses', () => {
  it.each([
    [{ epochs: 1 }, /either `from`/],
    [{ epochs: 1, data: true, batchSize: 4 }, /needs a `model`/],
    [{ epochs: 1, data: true, model: { name: 'mlp' } }, /needs a `batchSize`/],
    [{ epochs: 1, data: true, model: { name: 'mlp' }, batchSize: 30 }, /one batch has no noise/],
    [
      { epochs: 1, data: true, model: { name: 'mlp' }, batchSize: 4, weights: 'moving' },
      /need a learning rate/,
    ],
    [{ epochs: 1, data: true, model: { name: 'mlp' }, batchSize: 4, along: [1] }, /no `basis`/],
    [{ epochs: 1, data: true, model: { name: 'resnet20' }, batchSize: 4 }, /batch normalization/],
  ] as const)('%j', async (withs, message) => {
    const { store } = await temporaryStore();
    const filled = 'data' in withs ? { ...withs, data: await writeData(store) } : withs;
    const error = await run(store, filled).catch((thrown: unknown) => thrown);
    expect((error as Error).name).toBe('InputError');
    expect((error as Error).message).toMatch(message);
    expect((error as { cure?: string }).cure).toBeTruthy();
  });
});
