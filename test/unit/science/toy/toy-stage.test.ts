import { describe, expect, it } from 'vitest';
import { stage as analyze } from '../../../../activities/stages/analyze.ts';
import { stage as fit } from '../../../../activities/stages/fit.ts';
import { stage } from '../../../../activities/stages/toy.ts';
import { readMetadata } from '../../../../artifacts/arrow/metadata.ts';
import type { ArtifactRef } from '../../../../artifacts/reference.ts';
import type { Store } from '../../../../artifacts/store/store.ts';
import type { AnalyzeWith, FitWith, ToyWith } from '../../../../schemas/types.ts';
import { lambdaCross, tauSgd } from '../../../../science/theory/regimes.ts';
import { stationaryVariances } from '../../../../science/theory/variances.ts';
import { Stopped, stageContext } from '../../../fixtures/stage-context.ts';
import { temporaryStore } from '../../artifacts/folders.ts';

async function run(store: Store, withs: Record<string, unknown>): Promise<ArtifactRef> {
  const context = stageContext<ToyWith>(store, 'toy', structuredClone(withs));
  const { series } = await stage.run(context);
  await context.checkpoint.clear();
  return series!;
}

const sgd = { learningRate: 0.05, momentum: 0.5, examples: 60, batchSize: 3, seed: 4 };
const crossing = lambdaCross({ ...sgd, batchesPerEpoch: 20 });

describe('the toy stage on a quadratic', () => {
  it('writes a series that analyze and fit read, and that agrees with (12)-(18)', async () => {
    const { store } = await temporaryStore();
    const loss = { name: 'quadratic', range: { from: 20 * crossing, to: 0.05 * crossing, count: 24 } };
    const series = await run(store, { ...sgd, loss, warmup: 100, epochs: 1500 });
    const analyzing = stageContext<AnalyzeWith>(store, 'analyze', { series, blocks: 30 });
    const { spectrum } = await analyze.run(analyzing);
    expect(analyzing.notes).toEqual([]);
    const columns = await store.open(spectrum!);
    for (const name of ['weight_variance', 'velocity_variance', 'correlation_time']) {
      const deviations = [...columns.numbers(`${name}_deviation`)];
      expect(deviations.filter((d) => Math.abs(d) < 3).length).toBeGreaterThanOrEqual(23);
    }
    // sigma_dg^2 as analyze finds it in theta is that of the examples.
    const toy = readMetadata(await store.open(series), 'toy');
    for (const [i, variance] of columns.numbers('noise_variance').entries())
      expect(Math.abs(variance / toy.noiseVariances[i]! - 1)).toBeLessThan(0.02);
    for (const [i, theory] of columns.numbers('weight_variance_theory').entries())
      expect(Math.abs(theory / toy.weightVariances![i]! - 1)).toBeLessThan(0.02);
    const { parameters } = await fit.run(stageContext<FitWith>(store, 'fit', { spectrum }));
    const fitted = (await store.open(parameters!)).row(0);
    expect(Number(fitted.lambda_cross) / crossing).toBeCloseTo(1, 1);
    expect(Number(fitted.tau_sgd) / tauSgd({ ...sgd, batchesPerEpoch: 20 })).toBeCloseTo(1, 1);
  });

  it('keeps consecutive steps, and the loss of each', async () => {
    const { store } = await temporaryStore();
    const loss = { name: 'quadratic', eigenvalues: [2, 0.5] };
    const table = await store.open(await run(store, { ...sgd, loss, warmup: 2, epochs: 3 }));
    expect([...table.numbers('step')]).toEqual(Array.from({ length: 60 }, (_, k) => 41 + k));
    const losses = table.numbers('loss');
    for (let row = 0; row < 60; row++) {
      const [a, b] = table.floatVector('theta', row);
      expect(losses[row]).toBeCloseTo(a! ** 2 + b! ** 2 / 4, 6);
    }
    // Without noise only the start is left, which shrinks by 1 - eta lambda a step.
    const still = { ...sgd, momentum: 0, loss, epochs: 1, start: [1, 1], noise: { name: 'none' } };
    const path = await store.open(await run(store, still));
    expect(path.floatVector('theta', 9)[0]).toBeCloseTo((1 - 0.05 * 2) ** 10, 6);
    expect(path.floatVector('theta', 9)[1]).toBeCloseTo((1 - 0.05 * 0.5) ** 10, 6);
  });

  it('goes on after a kill at any place with the same bytes', async () => {
    const { store } = await temporaryStore();
    // 5,000 values a step and 20 steps an epoch: 10 epochs are one checkpoint.
    const loss = { name: 'quadratic', range: { from: 10, to: 0.01, count: 5000 } };
    const withs = { ...sgd, loss, warmup: 4, epochs: 20 };
    const whole = await run(store, withs);
    for (const stopAfter of [5, 13, 22]) {
      const first = stageContext<ToyWith>(store, 'toy', structuredClone(withs), stopAfter);
      await expect(stage.run(first)).rejects.toThrow(Stopped);
      expect((await first.checkpoint.list()).length).toBe(Math.floor(stopAfter / 10));
      expect((await run(store, withs)).sha256).toBe(whole.sha256);
    }
  });

  it('draws blocks that stay, and says of what size they are', async () => {
    const { store } = await temporaryStore();
    const loss = { name: 'quadratic', eigenvalues: [2] };
    const toy = { ...sgd, loss, epochs: 2, blockSize: 12 };
    const table = await store.open(await run(store, { ...toy, sampling: 'block-reshuffling' }));
    expect(readMetadata(table, 'training')).toMatchObject({ sampling: 'block-reshuffling', blockSize: 12 });
    expect(
      readMetadata(table, 'toy').weightVariances![0]! / readMetadata(table, 'toy').noiseVariances[0]!,
    ).toBe(
      stationaryVariances({
        ...{ ...sgd, eigenvalue: 2, batchesPerEpoch: 20, batchesPerBlock: 4 },
        sampling: 'block-reshuffling',
      }).weightVariance,
    );
    const other = await store.open(await run(store, { ...toy, sampling: 'paired-reversal' }));
    expect(readMetadata(other, 'training')).not.toHaveProperty('blockSize');
  });

  it.each([
    [{ loss: { name: 'quadratic' } }, /either `eigenvalues` or a `range`/],
    [{ loss: { name: 'quadratic', eigenvalues: [1] }, start: [1, 2] }, /start has 2 values, the loss has 1/],
    [{ loss: { name: 'quadratic', eigenvalues: [1] }, batchSize: 40 }, /one batch has no noise/],
    [
      { loss: { name: 'quadratic', eigenvalues: [1] }, sampling: 'block-reshuffling' },
      /needs a block size, a multiple of the batch size 3 that divides the 60 examples/,
    ],
    [
      { loss: { name: 'quadratic', eigenvalues: [1] }, sampling: 'block-reshuffling', blockSize: 9 },
      /must be .* got 9/,
    ],
    [{ loss: { name: 'valley', eigenvalues: [1] } }, /valley has no `eigenvalues`/],
    [{ loss: { name: 'valley' } }, /examples is for a quadratic/],
    [{ loss: { name: 'valley' }, noise: { name: 'white' } }, /Hessian changes/],
  ])('refuses %j', async (withs, message) => {
    const { store } = await temporaryStore();
    const error = await run(store, { ...sgd, epochs: 1, ...withs }).catch((thrown: unknown) => thrown);
    expect((error as Error).name).toBe('InputError');
    expect((error as Error).message).toMatch(message);
    expect((error as { cure?: string }).cure).toBeTruthy();
  });

  it('names the step at which it diverges, and the cure', async () => {
    const { store } = await temporaryStore();
    const loss = { name: 'quadratic', eigenvalues: [100] };
    const error = await run(store, { ...sgd, loss, epochs: 200 }).catch((thrown: unknown) => thrown);
    expect((error as Error).message).toMatch(/diverged: theta is not finite at step \d+/);
    expect((error as { cure: string }).cure).toMatch(/learning rate/);
  });
});

describe('the toy stage in a widening valley', () => {
  const valley = {
    loss: { name: 'valley', width: 5 },
    learningRate: 0.02,
    examples: 1000,
    batchSize: 10,
    epochs: 40,
  };
  const noise = (name: string) => ({ name, covariance: 'isotropic', scale: 0.01 });
  const lastTrace = async (store: Store, withs: Record<string, unknown>) => {
    const table = await store.open(await run(store, { ...valley, ...withs }));
    return table.numbers('hessian_trace').slice(-500);
  };
  const mean = (values: Float64Array) => values.reduce((sum, x) => sum + x, 0) / values.length;

  it('gradient descent stays in a sharp minimum, white noise finds sharper ones, Anti-PGD flatter ones', async () => {
    const { store } = await temporaryStore();
    const still = mean(await lastTrace(store, { noise: { name: 'none' } }));
    expect(still).toBeGreaterThan(14);
    expect(mean(await lastTrace(store, { noise: noise('white') }))).toBeGreaterThan(2 * still);
    const flattest = 2 * 5 * 0.01;
    const anti = mean(await lastTrace(store, { noise: noise('anti-correlated') }));
    expect(anti).toBeLessThan(1.3 * flattest);
    expect(anti).toBeGreaterThan(0.7 * flattest);
  });

  it('Anti-PGD follows its mean path, averaged over seeds', async () => {
    const { store } = await temporaryStore();
    const runs = 60;
    const traces: Float64Array[] = [];
    let theory = new Float64Array();
    for (let seed = 0; seed < runs; seed++) {
      const withs = {
        ...valley,
        learningRate: 0.05,
        examples: 400,
        epochs: 5,
        noise: noise('anti-correlated'),
        seed,
      };
      const table = await store.open(await run(store, withs));
      traces.push(table.numbers('hessian_trace'));
      theory = table.numbers('hessian_trace_theory') as Float64Array<ArrayBuffer>;
    }
    for (const step of [0, 9, 49, 99, 199]) {
      const values = Float64Array.from(traces, (trace) => trace[step]!);
      const error = Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)) / (runs - 1));
      expect(error).toBeLessThan(0.1 * theory[step]!);
      expect(Math.abs(mean(values) - theory[step]!)).toBeLessThan(3 * error + 0.01 * theory[step]!);
    }
  });
});
