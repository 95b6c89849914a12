import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ColumnError } from '../../../artifacts/arrow/arrow-writer.ts';
import type { TableWriter } from '../../../artifacts/arrow/table-writer.ts';
import { artifactKinds } from '../../../artifacts/reference.ts';
import { type Batch, batchesOf, columnTypes, expectedOf, readBack } from './batches.ts';
import { filesIn, temporaryStore } from './folders.ts';

const writing = (batches: readonly Batch[]) => async (writer: TableWriter) => {
  for (const batch of batches) await writer.append(batch);
};

describe.each(artifactKinds)('a %s', (kind) => {
  test('is read as it was written, in batches', async () => {
    const { folder, store } = await temporaryStore();
    await fc.assert(
      fc.asyncProperty(batchesOf(kind), async (batches) => {
        const ref = await store.write(kind, { 'epochal.stage': 'test', note: 'ä' }, writing(batches));
        const table = await store.open(ref);
        expect(table.metadata).toEqual({ 'epochal.kind': kind, 'epochal.stage': 'test', note: 'ä' });
        expect([...table.columns]).toEqual(Object.keys(columnTypes(kind)));
        const expected = expectedOf(kind, batches);
        expect(table.rows).toBe(Object.values(expected)[0]!.length);
        expect(readBack(table)).toEqual(expected);
        expect(ref).toMatchObject({ kind, bytes: expect.any(Number) });
      }),
      { numRuns: 15 },
    );
    expect(filesIn(folder).every((file) => /^artifacts\/..\/[0-9a-f]{64}\.arrow$/.test(file))).toBe(true);
  });

  test('has bytes that depend on its content alone', async () => {
    const [first, second] = [await temporaryStore(), await temporaryStore()];
    await fc.assert(
      fc.asyncProperty(batchesOf(kind), async (batches) => {
        const one = await first.store.write(kind, { a: '1', b: '2' }, writing(batches));
        const other = await second.store.write(kind, { b: '2', a: '1' }, writing(batches));
        const different = await second.store.write(kind, { b: '2', a: '3' }, writing(batches));
        expect({ ...other, uri: '' }).toEqual({ ...one, uri: '' });
        expect(different.sha256).not.toBe(one.sha256);
      }),
      { numRuns: 5 },
    );
  });

  test('without one of its columns is a mistake that names them, and leaves nothing', async () => {
    const { folder, store } = await temporaryStore();
    const [batches] = fc.sample(batchesOf(kind), { numRuns: 1, seed: 1 }) as [Batch[]];
    const [missing, ...others] = Object.keys(columnTypes(kind));
    const rest = Object.fromEntries(others.map((name) => [name, batches[0]![name]!]));
    const attempt = store.write(kind, {}, writing([rest]));
    await expect(attempt).rejects.toThrow(ColumnError);
    await expect(attempt).rejects.toThrow(new RegExp(`${kind} artifact has the columns .*${missing}`));
    expect(filesIn(folder)).toEqual([]);
  });
});

describe('a table', () => {
  test('gives one vector or one row by its number', async () => {
    const { store } = await temporaryStore();
    const ref = await store.write('eigenpairs', {}, async (writer) => {
      await writer.append({ index: [0, 1], eigenvalue: [2, 1], residual: [0, 0.5], vector: [1, 2, 3, 4] });
      await writer.append({ index: [2], eigenvalue: [0.5], residual: [1], vector: [5, 6] });
    });
    const table = await store.open(ref);
    expect([0, 1, 2].map((row) => [...table.floatVector('vector', row)])).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    expect(table.row(2)).toEqual({ index: 2, eigenvalue: 0.5, residual: 1 });
    expect(() => table.floatVector('vector', 3)).toThrow(/Row 3 of vector: there are 3/);
    expect(() => table.numbers('value')).toThrow(
      /no column value; it has index, eigenvalue, residual, vector/,
    );
  });
});

describe('refuses, leaving nothing behind,', () => {
  const history = { epoch: [1], learning_rate: [1], train_loss: [1], train_accuracy: [1] };
  const complete: Batch = { ...history, test_loss: [1], test_accuracy: [1] };
  const series = (theta: number[]): Batch => ({ step: [1, 2], theta: Float32Array.from(theta) });
  test.each<
    [string, Parameters<Awaited<ReturnType<typeof temporaryStore>>['store']['write']>[0], Batch[], RegExp]
  >([
    ['a column that the kind has not', 'history', [{ ...complete, speed: [1] }], /got .*speed/],
    [
      'columns of different lengths',
      'history',
      [{ ...complete, test_loss: [1, 2] }],
      /test_loss .*has 2 values/,
    ],
    ['lists that do not fill the rows', 'series', [series([1, 2, 3])], /theta .*3 values.* 2 rows/],
    ['lists of another length in a later batch', 'series', [series([1, 2]), series([1, 2, 3, 4])], /theta/],
    [
      'text where the kind has numbers',
      'parameters',
      [{ lambda_cross: [1], tau_sgd: [1], more: ['a'] }],
      /more .*numbers/,
    ],
    [
      'other columns in a later batch',
      'collection',
      [
        { cell: ['a'], loss: [1] },
        { cell: ['b'], accuracy: [1] },
      ],
      /must have the columns cell,loss; got cell,accuracy/,
    ],
    [
      'text in a column that began with numbers',
      'collection',
      [
        { cell: ['a'], loss: [1] },
        { cell: ['b'], loss: ['none'] },
      ],
      /loss/,
    ],
    ['no batch at all', 'history', [], /at least one batch/],
  ])('%s', async (_name, kind, batches, message) => {
    const { folder, store } = await temporaryStore();
    const attempt = store.write(kind, {}, writing(batches));
    await expect(attempt).rejects.toThrow(ColumnError);
    await expect(attempt).rejects.toThrow(message);
    expect(filesIn(folder)).toEqual([]);
  });
});
