import { describe, expect, test } from 'vitest';
import { findMetadata, metadataKeys, readMetadata } from '../../../artifacts/arrow/metadata.ts';
import type { ArrowTable } from '../../../artifacts/arrow/table.ts';
import { InputError } from '../../../artifacts/errors.ts';
import type { ArtifactRef } from '../../../artifacts/reference.ts';
import { partsOf } from '../../../artifacts/store/outputs.ts';
import { checkContent } from '../../../cli/checks/artifact-checks.ts';
import { createSketch } from '../../../science/sketch.ts';
import { runStage } from '../../fixtures/run-stage.ts';
import { storeOfThisFile } from '../../fixtures/store-of-this-file.ts';

const store = await storeOfThisFile();
const run = async (uses: string, withs: Record<string, unknown>, key?: string) =>
  (await runStage(store, uses, withs, key?.replaceAll(' ', '-'))).outputs;

// More steps in an epoch than are projected at once.
const data = await run('dataset', { name: 'gaussian-mixture', examples: 630, classes: 3, dimension: 4 });
const model = { name: 'mlp', hidden: [5], activation: 'tanh' };
const optimizer = { name: 'sgd', learningRate: 0.1, momentum: 0.5 };
const trained = await run('train', { data: data.train, model, epochs: 1, optimizer, batchSize: 3, l2: 1e-3 });
const [batches, epochs, warmup] = [210, 3, 1];
const recording = { from: trained.state, epochs, warmup };

const whole = await run('record', recording, 'whole');
const hessian = await run('hessian', { at: whole.mean, top: 6 });
const projected = await run('project', { trajectory: whole.trajectory, basis: hessian.eigenpairs });
const onto = hessian.eigenpairs!;
const sketch = { size: 20, seed: 4 };

const open = (ref: ArtifactRef | undefined): Promise<ArrowTable> => store.open(ref!);

function floatsOf(table: ArrowTable, column: string): Float32Array {
  return Float32Array.from([...table.floatVectors(column)].flatMap(({ values }) => [...values]));
}

/** The rows that a trajectory keeps: their steps, epochs, losses and weights. */
async function rowsOf(trajectory: ArtifactRef | undefined) {
  const parts = await partsOf(store, await open(trajectory));
  const tables = await Promise.all(parts.map(({ ref }) => store.open(ref)));
  const column = (name: string) => tables.flatMap((table) => [...table.numbers(name)]);
  const weights = tables.flatMap((table) =>
    Array.from({ length: table.rows }, (_, row) => table.floatVector('weights', row).slice()),
  );
  return { steps: column('step'), epochs: column('epoch'), losses: column('batch_loss'), weights };
}

/** What a file says of itself, apart from the step that wrote it. */
function saying(table: ArrowTable): Record<string, unknown> {
  const own = metadataKeys.filter((key) => !['stage', 'key', 'inputs', 'version'].includes(key));
  return Object.fromEntries(own.map((key) => [key, findMetadata(table, key)]));
}

async function expectSameState(one: ArtifactRef | undefined, other: ArtifactRef | undefined): Promise<void> {
  const [a, b] = [await open(one), await open(other)];
  for (const column of ['weights', 'velocity']) expect(floatsOf(a, column)).toEqual(floatsOf(b, column));
  for (const column of ['step', 'epoch']) expect(a.numbers(column)).toEqual(b.numbers(column));
}

describe('a recording onto a basis', () => {
  test('has the series of a recording that is projected, to the bit, and keeps no trajectory', async () => {
    const outputs = await run('record', { ...recording, onto }, 'onto');
    expect(Object.keys(outputs).sort()).toEqual(['mean', 'series', 'state']);
    const [series, expected] = [await open(outputs.series), await open(projected.series)];
    expect(series.rows).toBe(epochs * batches);
    expect(series.columns).toEqual(expected.columns);
    expect(series.numbers('step')).toEqual(expected.numbers('step'));
    expect(floatsOf(series, 'theta')).toEqual(floatsOf(expected, 'theta'));
    expect(saying(series)).toEqual(saying(expected));
    // Of the first recorded weights themselves it is 0, and of later ones not.
    expect([...series.floatVector('theta', 0)]).toEqual([0, 0, 0, 0, 0, 0]);
    expect(Math.abs(series.floatVector('theta', 400)[0]!)).toBeGreaterThan(1e-3);
    await expectSameState(outputs.mean, whole.mean);
    await expectSameState(outputs.state, whole.state);
  });

  test('that keeps the trajectory has the bytes of both', async () => {
    const outputs = await run('record', { ...recording, onto, keep: 'trajectory' }, 'both');
    const [all, plain] = [await rowsOf(outputs.trajectory), await rowsOf(whole.trajectory)];
    expect(all).toEqual(plain);
    const again = await run('project', { trajectory: outputs.trajectory, basis: onto }, 'project both');
    expect(floatsOf(await open(outputs.series), 'theta')).toEqual(
      floatsOf(await open(again.series), 'theta'),
    );
  });

  test('is analyzed as a projection is', async () => {
    const outputs = await run('record', { ...recording, onto }, 'onto');
    const [one, other] = [
      await open((await run('analyze', { series: outputs.series }, 'analyze onto')).spectrum),
      await open((await run('analyze', { series: projected.series })).spectrum),
    ];
    expect(one.columns).toEqual(other.columns);
    for (const column of one.columns) expect(one.numbers(column)).toEqual(other.numbers(column));
  });

  test('of another network is refused', async () => {
    const wide = await run(
      'train',
      {
        data: data.train,
        ...{ model: { name: 'linear' }, epochs: 1, optimizer, batchSize: 3 },
      },
      'another network',
    );
    const recorded = run('record', { from: wide.state, epochs: 1, onto }, 'wide');
    await expect(recorded).rejects.toMatchObject({ name: 'InputError', setting: 'onto' });
  });
});

test('without a trajectory it leaves the mean and the state, from which a second pass goes onto the eigenpairs there', async () => {
  const first = await run('record', { ...recording, keep: 'none' }, 'none');
  expect(Object.keys(first).sort()).toEqual(['mean', 'state']);
  await expectSameState(first.mean, whole.mean);
  await expectSameState(first.state, whole.state);
  const { eigenpairs } = await run('hessian', { at: first.mean, top: 6 }, 'hessian of the first pass');
  const second = await run('record', { ...recording, onto: eigenpairs }, 'second pass');
  expect(floatsOf(await open(second.series), 'theta')).toEqual(
    floatsOf(await open(projected.series), 'theta'),
  );
});

describe('a trajectory of every n-th vector', () => {
  test.each([2, 7, 400])('has those and no others, and the mean of all (n = %i)', async (every) => {
    const outputs = await run('record', { ...recording, every }, `every ${every}`);
    const [kept, all] = [await rowsOf(outputs.trajectory), await rowsOf(whole.trajectory)];
    const isKept = (_: unknown, row: number) => row % every === 0;
    expect(kept).toEqual({
      steps: all.steps.filter(isKept),
      epochs: all.epochs.filter(isKept),
      losses: all.losses.filter(isKept),
      weights: all.weights.filter(isKept),
    });
    expect(kept.steps[1]! - kept.steps[0]!).toBe(every);
    expect(readMetadata(await open(outputs.trajectory), 'every')).toBe(every);
    await expectSameState(outputs.mean, whole.mean);
  });

  test('is projected rightly, and neither analyzed nor taken apart into components', async () => {
    const { trajectory, mean } = await run('record', { ...recording, every: 7 }, 'every 7');
    const { series } = await run('project', { trajectory, basis: onto }, 'project every 7');
    const [few, all] = [await open(series), await open(projected.series)];
    expect(few.rows).toBe((epochs * batches) / 7);
    for (let row = 0; row < few.rows; row++)
      expect(few.floatVector('theta', row)).toEqual(all.floatVector('theta', 7 * row));
    for (const [uses, withs] of [
      ['analyze', { series }],
      ['pca', { trajectory, at: mean, components: 2 }],
    ] as const)
      await expect(run(uses, withs, `${uses} every 7`)).rejects.toThrow(
        /kept one of 7 steps, and velocities/,
      );
  });

  test('is refused where none is kept', async () => {
    const refused = run('record', { ...recording, every: 2, onto }, 'nothing to thin out');
    await expect(refused).rejects.toThrow(InputError);
    await expect(refused).rejects.toMatchObject({
      setting: 'every',
      cure: expect.stringContaining('keep: trajectory'),
    });
  });
});

describe('a sketch', () => {
  test('is that of the weights of every step, keeps their inner products, and needs no trajectory', async () => {
    const outputs = await run('record', { ...recording, sketch: { size: 400, seed: 4 } }, 'sketch');
    expect(Object.keys(outputs).sort()).toEqual(['mean', 'sketch', 'state']);
    const table = await open(outputs.sketch);
    expect(readMetadata(table, 'sketch')).toEqual({ size: 400, seed: 4 });
    const { weights, steps } = await rowsOf(whole.trajectory);
    expect([...table.numbers('step')]).toEqual(steps);
    const { project } = createSketch(weights[0]!, { count: 400, seed: 4 });
    const apart = weights.map((row) => row.map((value, i) => value - weights[0]![i]!));
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
    for (let row = 1; row < weights.length; row += 37) {
      const own = table.floatVector('theta', row);
      expect(own).toEqual(project(weights[row]!));
      const other = weights.length - row;
      const bound =
        5 * Math.sqrt((2 / 400) * dot(apart[row]!, apart[row]!) * dot(apart[other]!, apart[other]!));
      const error = dot(own, table.floatVector('theta', other)) - dot(apart[row]!, apart[other]!);
      expect(Math.abs(error)).toBeLessThan(bound);
    }
  });

  test('is not analyzed, since it has no curvature', async () => {
    const outputs = await run('record', { ...recording, sketch }, 'small sketch');
    const analyzed = run('analyze', { series: outputs.sketch }, 'analyze a sketch');
    await expect(analyzed).rejects.toMatchObject({ name: 'InputError', setting: 'series' });
  });
});

test('verify holds a series to its steps, and to 0 at the first of them', async () => {
  const recorded = await run('record', { ...recording, onto, sketch }, 'verified');
  const { trajectory } = await run('record', { ...recording, every: 7 }, 'every 7');
  const few = await run('project', { trajectory, basis: onto }, 'project every 7');
  const found = async (ref: ArtifactRef | undefined) => {
    const [check, ...more] = await checkContent(store, ref!, 'it');
    expect(more).toEqual([]);
    return [check!.ok, check!.found];
  };
  expect(await found(recorded.series)).toEqual([true, '630 steps, from 0 in 6 directions']);
  expect(await found(recorded.sketch)).toEqual([true, '630 steps, from 0 in 20 directions']);
  expect(await found(few.series)).toEqual([true, '90 steps, one of 7, from 0 in 6 directions']);
  const { metadata } = await open(recorded.series);
  const other = (step: readonly number[], theta: readonly number[]) =>
    store.write('series', metadata, (writer) => writer.append({ step, theta: Float32Array.from(theta) }));
  const sixes = (first: number) => [first, 0, 0, 0, 0, 0, ...Array.from({ length: 12 }, () => 1)];
  expect(await found(await other([3, 4, 5], sixes(0)))).toEqual([true, '3 steps, from 0 in 6 directions']);
  expect(await found(await other([3, 4, 6], sixes(0)))).toEqual([false, 'row 2 is step 6, not 5']);
  const apart = 'the first of 3 steps is not 0 in 6 directions';
  expect(await found(await other([3, 4, 5], sixes(0.1)))).toEqual([false, apart]);
  expect(await found(await other([3, 4, 5], sixes(0).slice(0, 15)))).toEqual([false, apart]);
});

describe('killed anywhere', () => {
  const settings = { ...recording, keep: 'trajectory', every: 4, onto, sketch };

  test('it goes on and ends with the bytes of an undisturbed one', async () => {
    const undisturbed = await run('record', settings, 'killed');
    await store.checkpoint('killed').clear();
    const dying = (after: number) => {
      let breaths = 0;
      return () => (++breaths === after ? Promise.reject(new Error('killed')) : Promise.resolve());
    };
    // In the warm-up, and in each recorded epoch: an epoch takes 21 breaths, and each run does at least one more.
    let done = 0;
    for (const after of [5, 30, 40, 21, 30]) {
      await expect(runStage(store, 'record', settings, 'killed', dying(after))).rejects.toThrow('killed');
      done = Math.max(done, (await store.checkpoint('killed').list()).length);
    }
    expect(done).toBeGreaterThan(3);
    const resumed = await run('record', settings, 'killed');
    expect(Object.keys(resumed).sort()).toEqual(['mean', 'series', 'sketch', 'state', 'trajectory']);
    for (const [output, { sha256 }] of Object.entries(resumed))
      expect(sha256, output).toBe(undisturbed[output]!.sha256);
  });

  test.each(['series-000003', 'sketch-000002'])(
    'with %s of its checkpoint gone, it begins anew',
    async (file) => {
      const key = `lost-${file}`;
      const undisturbed = await run('record', settings, key);
      const checkpoint = store.checkpoint(key);
      expect(await checkpoint.list()).toContain(file);
      await checkpoint.remove(file);
      const again = await run('record', settings, key);
      for (const [output, { sha256 }] of Object.entries(again))
        expect(sha256).toBe(undisturbed[output]!.sha256);
    },
  );
});
