import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readCells, readEndedCells } from '../../../cli/checks/study-records.ts';
import { plannedCell, planOf } from '../../fixtures/plans.ts';
import { storeOfThisFile } from '../../fixtures/store-of-this-file.ts';

const store = await storeOfThisFile();

test('damaged cells are told in the order of the plan', async () => {
  const plan = planOf(
    'x',
    ['second', 'first', 'none'].map((id) => plannedCell(id, {}, [])),
  );
  for (const id of ['first', 'second']) {
    const name = `studies/x/cells/${id}.json`;
    await store.writeText(name, '{}');
    writeFileSync(path.join(fileURLToPath(store.uri), name), 'torn');
  }
  const told: string[] = [];
  expect(await readCells(store, plan, 'x', (_, id) => told.push(id))).toEqual([]);
  expect(told).toEqual(['second', 'first']);
});

test('cells that have ended come in the order of their values without the plan', async () => {
  const inOrder = ['rate=1e-7', 'rate=0.05,seed=2', 'rate=0.05,seed=10', 'rate=0.1,seed=1', 'rate=high'];
  for (const cellId of inOrder.toReversed())
    await store.writeText(`studies/y/cells/${cellId}.json`, JSON.stringify({ cellId }));
  expect((await readEndedCells(store, 'y')).map(({ cellId }) => cellId)).toEqual(inOrder);
});
