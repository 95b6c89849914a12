import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ArtifactRef } from '../../artifacts/reference.ts';
import { openStore } from '../../artifacts/store/open-store.ts';
import { epochal, type Finished, freshHome, root } from './epochal.ts';

const pipeline = join(root, 'test', 'e2e', 'fixtures', 'sweep.yaml');

describe('a matrix of cells, collected', () => {
  const { home, remove } = freshHome({ bundled: true });
  let finished: Finished;
  beforeAll(async () => {
    finished = await epochal(['run', pipeline, '--json'], home);
  });
  afterAll(() => remove());

  test('each cell runs; what cells have in common runs once', () => {
    expect(finished.code, finished.stderr).toBe(0);
    // 5 cells of 7 stages and one collect; the data is the same for all, so 4 of the 36 are reused.
    expect(JSON.parse(finished.stdout)).toMatchObject({
      status: 'succeeded',
      stagesRun: 32,
      stagesReused: 4,
    });
  });

  test('the collection has one row a cell, keyed by the axes', async () => {
    const { studyId } = JSON.parse(finished.stdout) as { studyId: string };
    const listed = await epochal(['artifacts', studyId, '--json'], home);
    const { artifacts } = JSON.parse(listed.stdout) as { artifacts: (ArtifactRef & { stage: string })[] };
    const store = await openStore(join(home, 'store'));
    const table = await store.open(artifacts.find(({ kind }) => kind === 'collection')!);
    expect([...table.numbers('batchSize')]).toEqual([20, 20, 20, 40, 40]);
    expect([...table.numbers('seed')]).toEqual([1, 2, 3, 1, 2]);
    // tau_SGD = (M / 3) (1 + beta) / (1 - beta) with M = 400 / S and beta = 0.5: 20 and 10 steps.
    expect([...table.numbers('tau_sgd_theory')]).toEqual(
      [20, 20, 20, 10, 10].map((value) => expect.closeTo(value, 9)),
    );
  });
});
