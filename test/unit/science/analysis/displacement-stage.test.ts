import { describe, expect, it } from 'vitest';
import { stage } from '../../../../activities/stages/displacement.ts';
import { stage as toy } from '../../../../activities/stages/toy.ts';
import { readMetadata, writeMetadata } from '../../../../artifacts/arrow/metadata.ts';
import type { ArtifactRef } from '../../../../artifacts/reference.ts';
import type { Store } from '../../../../artifacts/store/store.ts';
import type { DisplacementWith, ToyWith } from '../../../../schemas/types.ts';
import { correlationTime } from '../../../../science/theory/variances.ts';
import { stageContext } from '../../../fixtures/stage-context.ts';
import { temporaryStore } from '../../artifacts/folders.ts';

const eigenvalues = [5, 0.5, 0.001];
const sgd = { learningRate: 0.05, momentum: 0.5, examples: 60, batchSize: 3, seed: 4 };

async function seriesOf(store: Store, more: Record<string, unknown>): Promise<ArtifactRef> {
  const loss = { name: 'quadratic', eigenvalues };
  const context = stageContext<ToyWith>(store, 'toy', { ...sgd, loss, warmup: 50, epochs: 600, ...more });
  const { series } = await toy.run(context);
  await context.checkpoint.clear();
  return series!;
}

async function run(store: Store, withs: Record<string, unknown>) {
  const context = stageContext<DisplacementWith>(store, 'displacement', withs);
  const { displacement } = await stage.run(context);
  return { table: await store.open(displacement!), notes: context.notes };
}

describe('the displacement stage', () => {
  it('finds every direction stationary without replacement, at its correlation time', async () => {
    const { store } = await temporaryStore();
    const { table, notes } = await run(store, { series: await seriesOf(store, {}) });
    const column = (name: string) => [...table.numbers(name)];
    const [index, lag, theory] = [column('index'), column('lag'), column('theory')];
    expect(new Set(index)).toEqual(new Set([0, 1, 2]));
    expect(Math.max(...lag)).toBe(1200);
    for (const [direction, eigenvalue] of eigenvalues.entries()) {
      const rows = index.flatMap((at, row) => (at === direction ? [row] : []));
      const [first, last] = [rows[0]!, rows.at(-1)!];
      expect(lag[first]).toBe(1);
      const process = { ...sgd, batchesPerEpoch: 20, sampling: 'without-replacement' as const };
      const tau = correlationTime({ ...process, eigenvalue });
      expect(theory[last]! / theory[first]! / tau).toBeCloseTo(1, 2);
      expect(column('measured')[last]! / column('measured')[first]! / tau).toBeCloseTo(1, 0);
      expect(column('verdict')[first]).toBe(1);
      expect(column('relaxations')[first]).toBeCloseTo((12_000 * 0.05 * eigenvalue) / 0.5, 8);
    }
    expect(notes).toEqual([
      'Of 3 directions 3 are stationary within the window, 0 diffuse, and of 0 it cannot be told.',
    ]);
    expect(readMetadata(table, 'notes')).toEqual(notes);
  });

  it('finds a flat one diffusing with replacement, of the directions that are asked for', async () => {
    const { store } = await temporaryStore();
    const series = await seriesOf(store, { sampling: 'with-replacement' });
    const { table, notes } = await run(store, { series, directions: [2, 0], lags: 5, longestLag: 2000 });
    const verdicts = new Map(
      [...table.numbers('index')].map((at, row) => [at, table.numbers('verdict')[row]]),
    );
    expect(verdicts.get(0)).toBe(1);
    expect(verdicts.get(2)).not.toBe(1);
    expect(verdicts.has(1)).toBe(false);
    expect(notes[0]).toMatch(/^Of 2 directions 1 are stationary/);
  });

  it('says where the longest lag is too short for an exponent', async () => {
    const { store } = await temporaryStore();
    const series = await seriesOf(store, { epochs: 15 });
    const { table, notes } = await run(store, { series });
    expect(table.numbers('exponent').every(Number.isNaN)).toBe(true);
    expect(table.numbers('verdict').every((verdict) => verdict === 0)).toBe(true);
    expect(notes.at(-1)).toMatch(/longest lag of 30 steps is shorter than two periods of 20/);
  });

  it('takes neither sketches nor thinned series', async () => {
    const { store } = await temporaryStore();
    const none = { directions: undefined, lags: 5 };
    const prospect = (series: object) => () => stage.prospect!({ series, ...none } as never);
    expect(prospect({ isSketch: true })).toThrow(/random sketch/);
    expect(prospect({ every: 4 })).toThrow(/one of 4 steps/);
    for (const [metadata, message] of [
      [writeMetadata({ every: 4 }), /one of 4 steps/],
      [writeMetadata({ sketch: { size: 3, seed: 1 } }), /random sketch/],
    ] as const) {
      const series = await store.write('series', metadata, (writer) =>
        writer.append({ step: [1], theta: new Float32Array(3) }),
      );
      await expect(run(store, { series })).rejects.toThrow(message);
    }
  });

  it.each([
    [{ directions: [3] }, /names 3, but the series has 3/],
    [{ longestLag: 6001 }, /longestLag is 6001, but half of the 12000 recorded steps/],
  ])('refuses %j', async (withs, message) => {
    const { store } = await temporaryStore();
    const error = await run(store, { series: await seriesOf(store, {}), ...withs }).catch(
      (thrown: unknown) => thrown,
    );
    expect((error as Error).name).toBe('InputError');
    expect((error as Error).message).toMatch(message);
    expect((error as { cure?: string }).cure).toBeTruthy();
  });
});
