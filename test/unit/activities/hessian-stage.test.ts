import { beforeAll, describe, expect, test } from 'vitest';
import { checkIterations } from '../../../activities/stage-parts/checks.ts';
import type { OutsideContext } from '../../../artifacts/arrow/measurement-contexts.ts';
import { readMetadata, writeMetadata } from '../../../artifacts/arrow/metadata.ts';
import type { ArtifactRef } from '../../../artifacts/reference.ts';
import { checkContent } from '../../../cli/checks/artifact-checks.ts';
import { runStage } from '../../fixtures/run-stage.ts';
import { storeOfThisFile } from '../../fixtures/store-of-this-file.ts';

const store = await storeOfThisFile();
let state: ArtifactRef;
let multiple: ArtifactRef;

beforeAll(async () => {
  const mixture = {
    name: 'gaussian-mixture',
    examples: 200,
    testExamples: 0,
    classes: 3,
    dimension: 8,
    seed: 1,
  };
  const { outputs: data } = await runStage(store, 'dataset', mixture);
  const train = {
    ...{ data: data.train, epochs: 1, batchSize: 10, optimizer: { name: 'sgd', learningRate: 0.05 } },
    standardize: 'scale',
  };
  state = (await runStage(store, 'train', { ...train, model: { name: 'mlp', hidden: [12] } })).outputs.state!;
  // With the mean squared error each eigenvalue of softmax regression comes once for each class.
  const linear = { ...train, model: { name: 'linear' }, loss: 'mean-squared-error' };
  multiple = (await runStage(store, 'train', linear, 'linear')).outputs.state!;
});

const claims = async (ref: ArtifactRef) => readMetadata(await store.open(ref), 'hessian');

test('eigenvalues that come three times are there three times, and the artifact says what lies outside', async () => {
  const { outputs } = await runStage(
    store,
    'hessian',
    { at: multiple, top: 10, tolerance: 1e-4 },
    'multiple',
  );
  const values = [...(await store.open(outputs.eigenpairs!)).numbers('eigenvalue')];
  const all = await runStage(store, 'hessian', { at: multiple, top: 27, tolerance: 1e-4 }, 'all');
  const every = [...(await store.open(all.outputs.eigenpairs!)).numbers('eigenvalue')];
  for (const [k, value] of values.entries())
    expect(Math.abs(value - every[k]!)).toBeLessThan(3e-4 * every[0]!);
  for (let k = 0; k + 2 < 9; k += 3) expect(values[k]! - values[k + 2]!).toBeLessThan(3e-4 * every[0]!);
  const { outside, asked } = await claims(outputs.eigenpairs!);
  expect(asked).toBe(10);
  expect(outside?.known).toBe('bound');
  expect(outside?.bound).toBeGreaterThanOrEqual(every[10]! - 1e-6);
  expect(outside?.failureProbability).toBeGreaterThan(0);
  expect(outside?.failureProbability).toBeLessThan(1e-4);
  expect((await claims(all.outputs.eigenpairs!)).outside).toMatchObject({ known: 'none' });
  const checks = await checkContent(store, outputs.eigenpairs!, 'pairs');
  expect(checks.filter(({ ok }) => !ok)).toEqual([]);
  expect(checks.map(({ found }) => found).join()).toMatch(/all others are at most/);
});

test('inputs that are always zero give 2 l2 as often as they have weights, and small ones are told where the tolerance hides them', async () => {
  const examples = 60;
  const metadata = writeMetadata({ shape: [1, 12, 1], classes: 3 });
  const image = Uint8Array.from({ length: 12 * examples }, (_, at) =>
    at % 12 < 4 ? (at * 7919 + 31 * Math.floor(at / 12) ** 2) % 256 : 0,
  );
  const label = Int32Array.from({ length: examples }, (_, i) => i % 3);
  const data = await store.write('dataset', metadata, (writer) => writer.append({ image, label }));
  const train = { data, model: { name: 'linear' }, standardize: 'scale', epochs: 1, batchSize: 10, l2: 2e-3 };
  const optimizer = { name: 'sgd', learningRate: 0.05 };
  const { outputs } = await runStage(store, 'train', { ...train, optimizer }, 'dead');
  const at = outputs.state!;
  const valuesOf = async (withs: object, key: string) => {
    const { outputs: found, notes } = await runStage(store, 'hessian', { at, ...withs }, key);
    return { values: [...(await store.open(found.eigenpairs!)).numbers('eigenvalue')], notes };
  };
  const every = (await valuesOf({ top: 39, tolerance: 1e-5 }, 'dead-all')).values;
  expect(every.filter((value) => Math.abs(value - 4e-3) < 1e-6).length).toBeGreaterThanOrEqual(24);
  const { values, notes } = await valuesOf({ top: 25, tolerance: 1e-5 }, 'dead-some');
  for (const [k, value] of values.entries())
    expect(Math.abs(value - every[k]!)).toBeLessThan(2e-5 * every[0]!);
  expect(notes).toEqual([]);
  const loose = await valuesOf({ top: 25, tolerance: 0.1 }, 'dead-loose');
  expect(loose.notes.join()).toMatch(/eigenvalues are smaller than .*the residual that the tolerance allows/);
});

test('verify finds eigenpairs bad that do not say so, or say it of too large a bound', async () => {
  const { outputs } = await runStage(store, 'hessian', { at: multiple, top: 10, tolerance: 1e-4 }, 'copied');
  const table = await store.open(outputs.eigenpairs!);
  const rewritten = (change: (outside: OutsideContext) => OutsideContext | undefined) => {
    const { outside, ...own } = readMetadata(table, 'hessian');
    const changed = change(outside!);
    const metadata = {
      ...table.metadata,
      ...writeMetadata({ hessian: { ...own, ...(changed === undefined ? {} : { outside: changed }) } }),
    };
    return store.write('eigenpairs', metadata, async (writer) => {
      const vector = new Float32Array(10 * 27);
      for (let row = 0; row < 10; row++) vector.set(table.floatVector('vector', row), 27 * row);
      await writer.append({
        index: Int32Array.from({ length: 10 }, (_, i) => i),
        eigenvalue: table.numbers('eigenvalue'),
        residual: table.numbers('residual'),
        vector,
      });
    });
  };
  const bad = async (ref: ArtifactRef) =>
    (await checkContent(store, ref, 'pairs')).filter(({ ok }) => !ok).map(({ what }) => what);
  expect(await bad(await rewritten((outside) => outside))).toEqual([]);
  expect(await bad(await rewritten(() => undefined))).toEqual(['pairs, completeness']);
  expect(await bad(await rewritten((outside) => ({ ...outside, bound: 1 })))).toEqual([
    'pairs, completeness',
  ]);
  expect(await bad(await rewritten(() => ({ known: 'all' }) as never))).toEqual(['pairs']);
});

describe('eigenpairs that have not converged', () => {
  const few = { top: 12, tolerance: 1e-7, maxIterations: 14 };

  test('fail the stage, with how many there are and what to do', async () => {
    await expect(runStage(store, 'hessian', { at: state, ...few }, 'refused')).rejects.toMatchObject({
      name: 'UnconvergedError',
      message: expect.stringMatching(/^Only \d+ of 12 eigenpairs .* after 14 products/),
      cure: expect.stringMatching(/`maxIterations` \(now 14.*`partial: allow`/),
    });
  });

  test('are no more than the products that were allowed', async () => {
    const fewer = { at: multiple, top: 27, tolerance: 1e-4, maxIterations: 8 };
    await expect(runStage(store, 'hessian', fewer, 'fewer')).rejects.toMatchObject({
      name: 'UnconvergedError',
      message: expect.stringMatching(/^Only [1-8] of 27 eigenpairs .* after 8 products/),
      cure: expect.stringMatching(/^Raise `maxIterations` \(now 8\).*`partial: allow`.*starts anew/),
    });
    const { outputs, notes } = await runStage(
      store,
      'hessian',
      { ...fewer, partial: 'allow' },
      'fewer-allowed',
    );
    const table = await store.open(outputs.eigenpairs!);
    expect(table.rows).toBeGreaterThan(0);
    expect(table.rows).toBeLessThanOrEqual(8);
    expect(notes.join()).toMatch(/Only [1-8] of 27 eigenpairs .* Those that have are in the artifact/);
    expect(() => checkIterations(8, 27, 'refuse')).toThrow(
      /maxIterations is 8, but 27 eigenpairs take at least/,
    );
    expect(() => checkIterations(8, 27, 'allow')).not.toThrow();
    expect(() => checkIterations(27, 27, 'refuse')).not.toThrow();
  });

  test('are left out where that is allowed, with a note', async () => {
    const { outputs, notes } = await runStage(
      store,
      'hessian',
      { at: state, ...few, tolerance: 1e-3, partial: 'allow' },
      'allowed',
    );
    const table = await store.open(outputs.eigenpairs!);
    expect(table.rows).toBeGreaterThan(0);
    expect(table.rows).toBeLessThan(12);
    const largest = Math.max(...table.numbers('eigenvalue'));
    for (const residual of table.numbers('residual')) expect(residual).toBeLessThanOrEqual(1e-3 * largest);
    expect(notes.join()).toMatch(/Only \d+ of 12 eigenpairs.*Those that have are in the artifact/);
    expect((await claims(outputs.eigenpairs!)).outside).toMatchObject({ known: 'nothing' });
    const checks = await checkContent(store, outputs.eigenpairs!, 'pairs');
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(checks.map(({ found }) => found).join()).toMatch(/\d+ of 12 asked for/);
    const told = `The basis has ${table.rows} of the 12 first eigenpairs, and others between them may be missing: \`partial: allow\` of its stage.`;
    const from = { from: state, epochs: 12 };
    const { outputs: recorded } = await runStage(store, 'record', from, 'partial-recorded');
    const basis = { trajectory: recorded.trajectory, basis: outputs.eigenpairs };
    const projected = await runStage(store, 'project', basis, 'partial-projected');
    expect(projected.notes).toContain(told);
    const series = { series: projected.outputs.series };
    const analyzed = await runStage(store, 'analyze', series, 'partial-analyzed');
    expect(analyzed.notes).toContain(told);
    const spectrum = { spectrum: analyzed.outputs.spectrum };
    expect((await runStage(store, 'fit', spectrum, 'partial-fitted')).notes).toContain(told);
  });
});

test('more eigenpairs than weights are refused, or all there are with a note', async () => {
  const many = { at: multiple, top: 28, tolerance: 1e-4 };
  await expect(runStage(store, 'hessian', many, 'too-many')).rejects.toMatchObject({
    name: 'InputError',
    message: 'top is 28, but the network has only 27 weights, and so many eigenpairs.',
    cure: 'Ask for at most 27, or set `partial: allow` to get all there are.',
  });
  const { outputs, notes } = await runStage(store, 'hessian', { ...many, partial: 'allow' }, 'all-allowed');
  expect((await store.open(outputs.eigenpairs!)).rows).toBe(27);
  expect(notes).toEqual(['The network has only 27 weights: that many eigenpairs were computed.']);
});
