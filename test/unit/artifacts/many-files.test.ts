import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { DamagedRecordError } from '../../../artifacts/errors.ts';
import { readMany } from '../../../artifacts/store/many-files.ts';
import type { StepRecord } from '../../../artifacts/store/step.ts';
import { storeOfThisFile } from '../../fixtures/store-of-this-file.ts';

const store = await storeOfThisFile();
const fileOf = (name: string) => path.join(fileURLToPath(store.uri), name);

describe('many records', () => {
  test('are each what it is alone: whole, absent, or damaged in whatever way', async () => {
    const names = Array.from({ length: 250 }, (_, index) => `studies/x/cells/seed=${index}.json`);
    for (const [index, name] of names.entries()) await store.writeText(name, `{"index":${index}}`);
    const [torn, gone, folder, link, dangling, moved] = [3, 60, 101, 102, 200, 249].map((index) =>
      fileOf(names[index]!),
    ) as [string, string, string, string, string, string];
    writeFileSync(torn, '{"seal":"0');
    for (const file of [gone, folder, link, dangling]) rmSync(file);
    mkdirSync(folder);
    writeFileSync(fileOf('outside'), '{}');
    symlinkSync('/etc/hostname', link);
    symlinkSync(fileOf('nowhere'), dangling);
    await store.writeText('studies/y/cells/seed=249.json', '{}');
    symlinkSync(fileOf('studies/y'), fileOf('studies/z'));
    rmSync(moved);
    symlinkSync(fileOf(names[248]!), moved);
    const all = [...names, 'studies/z/cells/seed=249.json', 'studies/none/plan.json'];
    const alone = await Promise.all(
      all.map((name) => store.readText(name).catch((error: Error) => `${error.name}: ${error.message}`)),
    );
    const together = (await store.readTexts(all)).map((found) =>
      found instanceof DamagedRecordError ? `${found.name}: ${found.message}` : found,
    );
    expect(together).toEqual(alone);
    expect(together.filter((found) => found?.startsWith('DamagedRecordError'))).toHaveLength(6);
    expect(together.filter((found) => found === undefined)).toHaveLength(2);
    await expect(store.readTexts(['../x'])).rejects.toMatchObject({ name: 'RefusedError' });
  });

  test('steps too', async () => {
    const record = (key: string) =>
      ({
        key,
        uses: 'toy',
        version: 1,
        with: {},
        inputs: {},
        outputs: {},
        notes: [],
      }) as unknown as StepRecord;
    const keys = ['aone', 'btwo', 'cthree', 'dfour'];
    for (const key of keys) await store.writeStep(record(key));
    writeFileSync(fileOf('steps/bt/btwo.json'), 'torn');
    rmSync(fileOf('steps/ct/cthree.json'));
    expect(await store.readSteps(keys)).toEqual([record('aone'), undefined, undefined, record('dfour')]);
  });
});

describe('readMany', () => {
  const names = Array.from({ length: 450 }, (_, index) => String(index));

  test('waits for several at a time as soon as a block takes longer than the patience', async () => {
    const asked: string[] = [];
    let [running, most] = [0, 0];
    const read = await readMany(
      names,
      (name) => ({ value: `now ${name}` }),
      async (name) => {
        asked.push(name);
        most = Math.max(most, ++running);
        await Promise.resolve();
        running--;
        return `later ${name}`;
      },
      -1,
    );
    // Only the first block was read without waiting.
    expect(asked).toEqual(names.slice(100));
    expect(read).toEqual(names.map((name, index) => `${index < 100 ? 'now' : 'later'} ${name}`));
    expect(most).toBe(16);
  });

  test('takes a closer look where the first gives nothing', async () => {
    const odd = (name: string) => Number(name) % 2 === 1;
    const read = await readMany(
      names,
      (name) => (odd(name) ? undefined : { value: undefined }),
      async (name) => name,
      Number.POSITIVE_INFINITY,
    );
    expect(read).toEqual(names.map((name) => (odd(name) ? name : undefined)));
  });
});
