import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DamagedArtifactError, DamagedRecordError } from '../../../artifacts/errors.ts';
import { localPath } from '../../../artifacts/store/local-store.ts';
import { openStore } from '../../../artifacts/store/open-store.ts';
import type { StepRecord } from '../../../artifacts/store/step.ts';
import type { Store } from '../../../artifacts/store/store.ts';
import { damages } from '../../fixtures/damage.ts';
import { temporaryStore } from './folders.ts';

const ways = Object.entries(damages);
const write = (store: Store, loss = 1) =>
  store.write('evaluation', { 'epochal.key': 'k' }, (writer) =>
    writer.append({ loss: [loss], accuracy: [1], examples: [1] }),
  );

describe('an artifact', () => {
  test.each(ways)('%s is damaged for whoever asks, and can be written again', async (_way, damage) => {
    const { folder, store } = await temporaryStore();
    const ref = await write(store);
    const path = localPath(ref);
    expect(await store.describe(ref)).toEqual({
      ...{ kind: 'evaluation', path },
      metadata: { 'epochal.key': 'k', 'epochal.kind': 'evaluation' },
    });
    const good = readFileSync(path);
    damage(path);
    // A store that has seen it whole before, and one that has not.
    for (const one of [store, await openStore(folder)]) {
      expect(await one.verify(ref)).toBe(false);
      await expect(one.open(ref)).rejects.toThrow(DamagedArtifactError);
      await expect(one.describe(ref)).rejects.toThrow(DamagedArtifactError);
    }
    expect(await write(store)).toEqual(ref);
    expect(readFileSync(path).equals(good)).toBe(true);
    expect(await store.verify(ref)).toBe(true);
  });

  test('moves a folder in its place aside with what is in it', async () => {
    const { store } = await temporaryStore();
    const path = localPath(await write(store));
    damages['with a folder in its place']!(path);
    await write(store);
    const aside = readdirSync(join(path, '..')).find((name) => name.includes('.aside-'))!;
    expect(readFileSync(join(path, '..', aside, 'file'), 'utf8')).toBe('kept');
  });
});

test.each(ways)('a document %s is named, not given', async (way, damage) => {
  const { folder, store } = await temporaryStore();
  await store.writeText('studies/a/plan.json', '{"a":1}\n');
  damage(join(folder, 'studies/a/plan.json'));
  const reading = store.readText('studies/a/plan.json');
  if (way === 'removed') expect(await reading).toBeUndefined();
  else await expect(reading).rejects.toThrow(DamagedRecordError);
});

test.each(ways)(
  'a step or a checkpoint %s counts as not done, and can be written again',
  async (_way, damage) => {
    const { folder, store } = await temporaryStore();
    const record = { key: 'one', uses: 'toy', version: 1, with: {}, inputs: {}, outputs: {}, notes: [] };
    const bytes = new Uint8Array([1, 2, 3]);
    const write = async () => {
      await store.writeStep(record as unknown as StepRecord);
      await store.checkpoint('one').write('state', bytes);
    };
    await write();
    for (const file of ['steps/on/one.json', 'checkpoints/one/state']) damage(join(folder, file));
    expect(await store.readStep('one')).toBeUndefined();
    expect(await store.checkpoint('one').read('state')).toBeUndefined();
    await write();
    expect(await store.readStep('one')).toEqual(record);
    expect(await store.checkpoint('one').read('state')).toEqual(bytes);
  },
);

test.each(ways)(
  'a store with its folder, or one in it, %s says so unless it can be made',
  async (way, damage) => {
    const { folder } = await temporaryStore();
    const usable = ['removed', 'with a folder in its place'].includes(way);
    for (const place of ['store', 'store/incoming']) {
      const file = join(folder, place);
      mkdirSync(join(file, '..'), { recursive: true });
      writeFileSync(file, 'x');
      damage(file);
      const opening = openStore(join(folder, 'store'));
      if (usable) await opening;
      else
        await expect(opening).rejects.toMatchObject({
          name: 'EnvironmentError',
          message: expect.stringMatching(/cannot be written: .* is not a writable folder/),
        });
      rmSync(file, { recursive: true, force: true });
    }
  },
);

test('a checkpoint in the place of another, or of another step, is none', async () => {
  const { folder, store } = await temporaryStore();
  const bytes = new Uint8Array([1, 2, 3]);
  await store.checkpoint('one').write('state', bytes);
  expect(await store.checkpoint('one').read('state')).toEqual(bytes);
  mkdirSync(join(folder, 'checkpoints', 'two'), { recursive: true });
  renameSync(join(folder, 'checkpoints/one/state'), join(folder, 'checkpoints/two/state'));
  expect(await store.checkpoint('two').read('state')).toBeUndefined();
  renameSync(join(folder, 'checkpoints/two/state'), join(folder, 'checkpoints/one/rows'));
  expect(await store.checkpoint('one').read('rows')).toBeUndefined();
});
