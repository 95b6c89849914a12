import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DamagedArtifactError } from '../../../artifacts/errors.ts';
import type { ArtifactRef } from '../../../artifacts/reference.ts';
import { CheckedFiles } from '../../../artifacts/store/checked-files.ts';
import { localPath, openLocalStore } from '../../../artifacts/store/local-store.ts';
import type { Store } from '../../../artifacts/store/store.ts';
import { damages } from '../../fixtures/damage.ts';
import { temporaryFolder } from './folders.ts';

const writeWeights = (store: Store, first: number, length = 1000): Promise<ArtifactRef> =>
  store.write('state', { 'epochal.key': 'k' }, (writer) =>
    writer.append({
      step: [1],
      epoch: [1],
      weights: Float32Array.from({ length }, (_, i) => first + i),
      velocity: new Float32Array(length),
    }),
  );

describe('a store that remembers', () => {
  test('reads what it has written, or read, as it is on the disk', async () => {
    const folder = temporaryFolder();
    const [one, other] = [
      await openLocalStore(folder, { mostRemembered: 1e6 }),
      await openLocalStore(folder, { mostRemembered: 1e6 }),
    ];
    const ref = await writeWeights(one, 5);
    const plain = await (await openLocalStore(folder)).open(ref);
    for (const store of [one, other, other]) {
      const table = await store.open(ref);
      expect(table.floatVector('weights', 0)).toEqual(plain.floatVector('weights', 0));
      expect(table.metadata).toEqual(plain.metadata);
      expect(await store.describe(ref)).toEqual({
        ...{ kind: 'state', path: localPath(ref), metadata: plain.metadata },
      });
    }
  });

  test('gives each reader values of its own', async () => {
    const store = await openLocalStore(temporaryFolder(), { mostRemembered: 1e6 });
    const ref = await writeWeights(store, 5);
    for (let reading = 0; reading < 3; reading++) {
      const weights = (await store.open(ref)).floatVector('weights', 0);
      expect(weights[0]).toBe(5);
      weights.fill(7);
    }
  });

  test.each(Object.entries(damages))('does not hide that a file was %s', async (_way, damage) => {
    const store = await openLocalStore(temporaryFolder(), { mostRemembered: 1e6 });
    const ref = await writeWeights(store, 5);
    await store.open(ref);
    damage(localPath(ref));
    await expect(store.open(ref)).rejects.toThrow(DamagedArtifactError);
    await expect(store.describe(ref)).rejects.toThrow(DamagedArtifactError);
    expect(await store.verify(ref)).toBe(false);
  });
});

test('no more is remembered than may be: what was used least recently goes, and what is large was never kept', async () => {
  const folder = temporaryFolder();
  const files = new CheckedFiles(4000);
  const file = (name: string, size: number) => {
    const bytes = Buffer.alloc(size, name);
    const place = { path: join(folder, name), sha256: createHash('sha256').update(bytes).digest('hex') };
    writeFileSync(place.path, bytes);
    return { ...place, read: () => files.bytes(place.path, place.sha256) };
  };
  const [a, b, c, d, large] = [1000, 1000, 1000, 1000, 1001].map((size, i) => file('abcde'[i]!, size));
  for (const { read } of [a!, b!, c!, d!]) expect((await read())!.length).toBe(1000);
  expect(files.remembered).toEqual([a!.path, b!.path, c!.path, d!.path]);
  await a!.read();
  expect((await large!.read())!.length).toBe(1001);
  await file('f', 900).read();
  expect(files.remembered).toEqual([c!.path, d!.path, a!.path, join(folder, 'f')]);
  // Of a new version the old one is forgotten, and the room is that of both together no longer.
  const again = file('a', 500);
  await again.read();
  await file('g', 500).read();
  expect(files.remembered).toEqual(['c', 'd', 'f', 'a', 'g'].map((name) => join(folder, name)));
});
