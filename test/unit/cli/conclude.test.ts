import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStore } from '../../../artifacts/store/open-store.ts';
import type { Store } from '../../../artifacts/store/store.ts';
import { conclude } from '../../../cli/run/conclude.ts';
import type { Plan } from '../../../compiler/plan.ts';
import { findHome } from '../../../runtime/home.ts';
import type { StudyResult } from '../../../workflows/messages.ts';
import { studyId, writeStudy } from '../report/synthetic-study.ts';

let folder: string;
let store: Store;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'epochal-test-'));
  store = await openStore(join(folder, 'store'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What is said at the end of a study of some cells, and the exit code. */
async function concluded(cells: number, damage: () => void = () => undefined) {
  await writeStudy(store, cells, 0);
  damage();
  const read = async <T>(name: string) =>
    JSON.parse((await store.readText(`studies/${studyId}/${name}.json`))!) as T;
  const said: string[] = [];
  let result: unknown;
  const code = await conclude({
    ...{ plan: await read<Plan>('plan'), home: findHome(folder), store, seconds: 7_384 },
    result: { ...(await read<StudyResult>('result')), status: 'succeeded' },
    output: {
      ...{ json: true, interactive: false, columns: 120, open: true },
      line: (text = '') => said.push(text),
      warn: (text) => said.push(text),
      text: (text) => said.push(text),
      result: (value) => {
        result = value;
      },
    },
  });
  return { code, said, result };
}

const recordOf = (seed: number) => join(folder, 'store', 'studies', studyId, 'cells', `seed=${seed}.json`);

test('a study that is whole speaks of no damage', async () => {
  const { code, said, result } = await concluded(3);
  expect(code).toBe(0);
  expect(said.join('\n')).not.toMatch(/damaged/);
  expect(said.join('\n')).toMatch(/succeeded.* in 2 h 3 min: 3 of 3 cells/);
  expect(result).toMatchObject({ damaged: [] });
}, 300_000);

test('records of cells that were changed, or are gone, are told, counted and a failure', async () => {
  const { code, said, result } = await concluded(20, () => {
    for (let seed = 1; seed <= 12; seed++) writeFileSync(recordOf(seed), '{}');
    rmSync(recordOf(13));
  });
  expect(code).toBe(1);
  const damaged = Array.from({ length: 13 }, (_, index) => `studies/${studyId}/cells/seed=${index + 1}.json`);
  expect(result).toMatchObject({ damaged });
  expect(said.filter((line) => line.includes('what it said is left out'))).toHaveLength(10);
  expect(said.join('\n')).toMatch(/13 damaged records\. Run the pipeline again/);
  expect(said.join('\n')).toMatch(/mean of 7 of 20 cells/);
}, 300_000);
