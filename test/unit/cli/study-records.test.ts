import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Store } from '../../../artifacts/store/store.ts';
import { readCells } from '../../../cli/checks/study-records.ts';
import { plannedCell, planOf } from '../../fixtures/plans.ts';
import { storeOfThisFile } from '../../fixtures/store-of-this-file.ts';

const local = await storeOfThisFile();

test('damaged cells are told in the order of the plan, whichever is read first', async () => {
  const plan = planOf(
    'x',
    ['first', 'second'].map((id) => plannedCell(id, {}, [])),
  );
  for (const { id } of plan.cells) {
    const name = `studies/x/cells/${id}.json`;
    await local.writeText(name, '{}');
    writeFileSync(path.join(fileURLToPath(local.uri), name), 'torn');
  }
  const { promise: secondIsRead, resolve } = Promise.withResolvers<void>();
  const store: Store = {
    ...local,
    async readText(name) {
      if (name.includes('first')) await secondIsRead;
      return local.readText(name).finally(() => name.includes('second') && setImmediate(resolve));
    },
  };
  const told: string[] = [];
  expect(await readCells(store, plan, 'x', (_, id) => told.push(id))).toEqual([]);
  expect(told).toEqual(['first', 'second']);
});
