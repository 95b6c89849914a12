import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cacheOptions, ObjectCache } from '../../../artifacts/store/s3/object-cache.ts';
import { temporaryFolder } from './folders.ts';

const add = (cache: ObjectCache, name: string, bytes: number) =>
  cache.withNewFile(async (file) => {
    await writeFile(file, Buffer.alloc(bytes, name));
    return cache.add(file, name);
  });
const copiesIn = (folder: string) =>
  readdirSync(folder)
    .filter((name) => name !== 'incoming')
    .sort();
const bytesIn = (folder: string) =>
  copiesIn(folder).reduce((sum, name) => sum + statSync(join(folder, name, 'artifact.arrow')).size, 0);
/** As if it had been used so many minutes ago. */
const age = (folder: string, name: string, minutes: number) => {
  const then = new Date(Date.now() - minutes * 60_000);
  utimesSync(join(folder, name), then, then);
};

test('what was used least recently goes where there is no room', async () => {
  const folder = temporaryFolder();
  const cache = await ObjectCache.open({ folder, mostBytes: 1e6 });
  for (const [index, name] of ['a', 'b', 'c', 'd'].entries()) {
    expect(await add(cache, name, 2e5)).toBe(cache.pathOf(name));
    age(folder, name, 10 - index);
  }
  expect(copiesIn(folder)).toEqual(['a', 'b', 'c', 'd']);
  await cache.markUsed('a');
  await add(cache, 'e', 2e5);
  expect(copiesIn(folder)).toEqual(['a', 'c', 'd', 'e']);
  // It is one cache for other processes, which do not know what this one has added.
  const other = await ObjectCache.open({ folder, mostBytes: 1e6 });
  await add(other, 'f', 4e5);
  expect(copiesIn(folder)).toEqual(['a', 'e', 'f']);
  expect(Buffer.alloc(2e5, 'a').equals(await readFile(cache.pathOf('a')))).toBe(true);
});

test('never is there more than may be, but for one that is larger alone', async () => {
  const folder = temporaryFolder();
  const cache = await ObjectCache.open({ folder, mostBytes: 1e6 });
  for (let index = 0; index < 300; index++) {
    await add(cache, `small-${index}`, 1e4 + index);
    expect(bytesIn(folder)).toBeLessThanOrEqual(1e6);
  }
  expect(copiesIn(folder).length).toBeGreaterThan(50);
  await add(cache, 'large', 2e6);
  expect(copiesIn(folder)).toEqual(['large']);
  await add(cache, 'small', 1e4);
  expect(copiesIn(folder)).toEqual(['small']);
});

test('a copy is replaced as a whole; a file that was not added is gone', async () => {
  const folder = temporaryFolder();
  const cache = await ObjectCache.open({ folder, mostBytes: 1e6 });
  await add(cache, 'a', 10);
  await add(cache, 'a', 20);
  expect(statSync(cache.pathOf('a')).size).toBe(20);
  const failing = cache.withNewFile(async (file) => {
    await writeFile(file, 'half');
    throw new Error('no further');
  });
  await expect(failing).rejects.toThrow('no further');
  expect(readdirSync(join(folder, 'incoming'))).toEqual([]);
});

test('what killed processes have left goes after a day', async () => {
  const folder = temporaryFolder();
  const options = { folder, mostBytes: 1e6 };
  await ObjectCache.open(options);
  for (const [name, days] of [
    ['old', 2],
    ['new', 0.5],
  ] as const) {
    mkdirSync(join(folder, 'incoming', name));
    const file = join(folder, 'incoming', name, 'artifact.arrow');
    writeFileSync(file, 'half');
    const then = new Date(Date.now() - days * 86_400_000);
    utimesSync(file, then, then);
  }
  await ObjectCache.open(options);
  expect(readdirSync(join(folder, 'incoming'))).toEqual(['new']);
});

test('it lies where the environment says, with as much as it says', async () => {
  expect(cacheOptions({ EPOCHAL_CACHE: '/c' })).toEqual({ folder: '/c/store', mostBytes: 1e10 });
  expect(cacheOptions({ EPOCHAL_STORE_CACHE: '/s', EPOCHAL_STORE_CACHE_GB: '0.5' })).toEqual({
    ...{ folder: '/s', mostBytes: 5e8 },
  });
  for (const EPOCHAL_STORE_CACHE_GB of ['many', '-1'])
    expect(() => cacheOptions({ EPOCHAL_STORE_CACHE_GB })).toThrow(/is a number|GB is/);
});

test('where it cannot be written, it says so and what to do', async () => {
  const file = join(temporaryFolder(), 'file');
  writeFileSync(file, '');
  await expect(ObjectCache.open({ folder: join(file, 'cache'), mostBytes: 1 })).rejects.toMatchObject({
    name: 'EnvironmentError',
    message: expect.stringContaining(join(file, 'cache')),
    cure: expect.stringContaining('EPOCHAL_STORE_CACHE'),
  });
  expect(existsSync(join(file, 'cache'))).toBe(false);
});
