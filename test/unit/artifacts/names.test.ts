import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isArtifactRef } from '../../../artifacts/reference.ts';
import { openLocalStore } from '../../../artifacts/store/local-store.ts';
import { cellRecordName, checkedName, studyRecordName } from '../../../artifacts/store/names.ts';
import type { Store } from '../../../artifacts/store/store.ts';
import { cellId } from '../../../compiler/matrix/cells.ts';

const wayOut = '../../../../package';
/** What an attacker would try, besides what nobody would think of. */
const strings = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(fc.constantFrom('..', '.', '/', '\\', '\0', '~', 'a', '%2e', '\n', ''))
    .map((parts) => parts.join('')),
);

test('no string leads a record out of its folder', () => {
  fc.assert(
    fc.property(strings, strings, (study, cell) => {
      let name: string;
      try {
        name = cellRecordName(study, cell);
      } catch (error) {
        expect(error).toMatchObject({ name: 'RefusedError' });
        return;
      }
      expect(path.normalize(name)).toBe(`studies/${study}/cells/${cell}.json`);
      expect(name.split('/').length).toBe(4);
    }),
  );
});

test('every cell that a matrix can make has an id that is one', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^[A-Za-z][A-Za-z0-9_]{0,39}$/), fc.jsonValue()), (axes) => {
      expect(checkedName('cell id', cellId(axes as never))).toBe(cellId(axes as never));
    }),
  );
});

test.each([
  wayOut,
  // Longer than any that is made, and than a file's name may be.
  'a'.repeat(401),
  '',
  '..',
  'a/../b',
  '/etc',
  'a\0',
  'a\nb',
  7,
  null,
  undefined,
  ['main'],
  { toString: () => 'main' },
])('%j is no name of anything', (name) => {
  for (const kind of [
    'study id',
    'cell id',
    'stage name',
    'stage kind',
    'step key',
    'SHA-256',
    'checkpoint name',
    'record name',
  ] as const)
    expect(() => checkedName(kind, name)).toThrow(/^.* is no /s);
});

test('a reference to an artifact has a digest', () => {
  const ref = { uri: 'file:///x', sha256: 'a'.repeat(64), kind: 'state', bytes: 1 };
  expect(isArtifactRef(ref)).toBe(true);
  expect(isArtifactRef({ ...ref, sha256: wayOut })).toBe(false);
});

describe('a store', () => {
  let folder: string;
  let store: Store;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'epochal-test-'));
    store = await openLocalStore(path.join(folder, 'store'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('reads and writes nothing outside of its folder, whatever it is asked for', async () => {
    await writeFile(path.join(folder, 'package.json'), 'precious');
    const ref = { uri: 'file:///x', sha256: wayOut, kind: 'state', bytes: 1 } as const;
    const asked: (() => unknown)[] = [
      () => store.readText('../package.json'),
      () => store.writeText('../package.json', '{}'),
      () => store.listTexts('..'),
      () => store.open(ref),
      () => store.verify(ref),
      () => store.find(wayOut, 'state'),
      () => store.readStep(wayOut),
      () => store.writeStep({ key: wayOut } as never),
      () => store.checkpoint('..'),
      () => store.checkpoint('key').read('../../package.json'),
      () => store.checkpoint('key').write('../../package.json', new Uint8Array(1)),
      () => store.checkpoint('key').remove('../../../package.json'),
    ];
    for (const ask of asked)
      await expect((async () => ask())()).rejects.toMatchObject({ name: 'RefusedError' });
    expect(await readdir(folder)).toEqual(['package.json', 'store']);
  });

  test('is not led out of its folder by a link', async () => {
    const outside = path.join(folder, 'outside');
    await mkdir(outside);
    const name = studyRecordName('x', 'study');
    await mkdir(path.join(folder, 'store', 'studies'));
    await symlink(outside, path.join(folder, 'store', 'studies', 'x'));
    await expect(store.writeText(name, '{}')).rejects.toThrow('leads out of the store');
    await expect(store.writeText(cellRecordName('x', 'main'), '{}')).rejects.toThrow(
      'leads out of the store',
    );
    await expect(store.listTexts('studies/x')).rejects.toThrow('leads out of the store');
    await expect(store.readText(name)).rejects.toMatchObject({ name: 'DamagedRecordError' });
    expect(await readdir(outside)).toEqual([]);
  });

  test('may itself be a link, and a record that is one is replaced', async () => {
    await symlink(path.join(folder, 'store'), path.join(folder, 'link'));
    const linked = await openLocalStore(path.join(folder, 'link'));
    const precious = path.join(folder, 'precious.json');
    await writeFile(precious, '{}');
    await mkdir(path.join(folder, 'store', 'studies', 'x'), { recursive: true });
    await symlink(precious, path.join(folder, 'store', 'studies', 'x', 'study.json'));
    await linked.writeText('studies/x/study.json', '{"a":1}');
    expect(await store.readText('studies/x/study.json')).toBe('{"a":1}');
    expect(await linked.listTexts('studies')).toEqual(['studies/x/study.json']);
  });
});
