import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sizesIn } from '../../fixtures/stored.ts';
import { temporaryFolder, temporaryStore } from './folders.ts';

test('every file is listed with its size, below a folder or all, hidden ones too', async () => {
  const { folder, store } = await temporaryStore();
  await store.writeText('studies/a/plan.json', '{"a":1}');
  await store.checkpoint('key').write('state', new Uint8Array(1000));
  writeFileSync(join(folder, 'incoming', '.tmp-1-x'), 'half');
  const listed = await store.listFiles();
  expect(new Map(listed.map(({ name, bytes }) => [name, bytes]))).toEqual(sizesIn(store));
  expect(listed.map(({ name }) => name).sort()).toEqual([
    'checkpoints/key/state',
    'incoming/.tmp-1-x',
    'studies/a/plan.json',
  ]);
  expect(await store.listFiles('checkpoints/key')).toMatchObject([{ bytes: 1032 }]);
  expect(await store.listFiles('nothing')).toEqual([]);
});

test('what comes and goes meanwhile does not hide what stays', async () => {
  const { folder, store } = await temporaryStore();
  const stays = Array.from({ length: 20 }, (_, index) => `studies/s${index}/study.json`);
  for (const name of stays) await store.writeText(name, '{}');
  for (let round = 0; round < 20; round++) {
    for (let index = 0; index < 20; index++) mkdirSync(join(folder, 'studies', `gone${index}`));
    const listing = store.listFiles('studies');
    for (let index = 0; index < 20; index++) {
      await new Promise(setImmediate);
      rmSync(join(folder, 'studies', `gone${index}`), { recursive: true });
    }
    expect((await listing).map(({ name }) => name).sort()).toEqual(stays.toSorted());
  }
});

test('a folder that cannot be read is an error, not an empty one', async () => {
  const { folder, store } = await temporaryStore();
  writeFileSync(join(folder, 'studies'), 'no folder');
  await expect(store.listFiles('studies')).rejects.toThrow('ENOTDIR');
});

test('a file is removed once; the folder of a step goes with its last file, that of many stays', async () => {
  const { folder, store } = await temporaryStore();
  const checkpoint = store.checkpoint('key');
  await checkpoint.write('one', new Uint8Array(1));
  await checkpoint.write('two', new Uint8Array(1));
  const ref = await store.write('evaluation', {}, (writer) =>
    writer.append({ loss: [1], accuracy: [1], examples: [1] }),
  );
  expect(await store.removeFile('checkpoints/key/one')).toBe(true);
  expect(await store.removeFile('checkpoints/key/one')).toBe(false);
  expect(readdirSync(join(folder, 'checkpoints'))).toEqual(['key']);
  await store.removeFile('checkpoints/key/two');
  expect(readdirSync(join(folder, 'checkpoints'))).toEqual([]);
  await store.removeFile(`artifacts/${ref.sha256.slice(0, 2)}/${ref.sha256}.arrow`);
  expect(readdirSync(join(folder, 'artifacts'))).toEqual([ref.sha256.slice(0, 2)]);
});

test.each(['../out', 'studies/../../out', '/etc/passwd', 'a//b', '', '.', '..', 'studies/..'])(
  'no file %j is removed',
  async (name) => {
    const { store } = await temporaryStore();
    await expect(store.removeFile(name)).rejects.toMatchObject({ name: 'RefusedError' });
  },
);

test('nothing is removed through a link out of the store, and a link itself is', async () => {
  const { folder, store } = await temporaryStore();
  const outside = temporaryFolder();
  writeFileSync(join(outside, 'mine.json'), 'mine');
  symlinkSync(outside, join(folder, 'studies'));
  await expect(store.removeFile('studies/mine.json')).rejects.toMatchObject({ name: 'RefusedError' });
  expect(await store.removeFile('studies')).toBe(true);
  expect(readdirSync(outside)).toEqual(['mine.json']);
});
