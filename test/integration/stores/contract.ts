import { describe, expect, test } from 'vitest';
import { DamagedArtifactError, DamagedRecordError } from '../../../artifacts/errors.ts';
import type { ArtifactRef } from '../../../artifacts/reference.ts';
import type { Store } from '../../../artifacts/store/store.ts';
import type { StoreKindUnderTest } from './harness.ts';
import { artifactName, damages, digestOf, firstWeight, stepName, stepRecord, writeState } from './samples.ts';

const ways = Object.entries(damages);
const utf8 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

/** Neither its content nor what it says of itself is given; the error names it. */
async function isDamaged(store: Store, ref: ArtifactRef): Promise<void> {
  for (const read of [() => store.open(ref), () => store.describe(ref)]) {
    const reading = read();
    await expect(reading).rejects.toThrow(DamagedArtifactError);
    await expect(reading).rejects.toThrow(ref.sha256);
  }
}

/** What every kind of store keeps to, tested through its interface and by what then lies in it. */
export function keepsTheContract(kind: StoreKindUnderTest): void {
  describe(`artifacts in ${kind.name}`, () => {
    test('lie under their digest, and are read as they were written', async () => {
      const { open, raw } = await kind.place();
      const store = await open();
      const ref = await writeState(store, 5);
      expect(await raw.list()).toEqual([artifactName(ref.sha256)]);
      const bytes = (await raw.read(artifactName(ref.sha256)))!;
      expect(digestOf(bytes)).toBe(ref.sha256);
      expect(ref).toMatchObject({ kind: 'state', bytes: bytes.length });
      expect(ref.uri.endsWith(artifactName(ref.sha256))).toBe(true);
      const metadata = { 'epochal.key': 'k', 'epochal.stage': 'toy', 'epochal.kind': 'state' };
      for (const one of [store, await open(), await open({ mostRemembered: 1e6 })]) {
        for (let time = 0; time < 2; time++) {
          const table = await one.open(ref);
          expect([...table.floatVector('weights', 0)]).toEqual([5, 6, 7]);
          expect(table.metadata).toEqual(metadata);
          expect(await one.describe(ref)).toMatchObject({ kind: 'state', metadata });
        }
        expect(await one.find(ref.sha256, 'state')).toEqual(ref);
        expect(await one.verify(ref)).toBe(true);
      }
    });

    test('have the same bytes whoever writes them, and lie there once', async () => {
      const { open, raw } = await kind.place();
      const [one, other] = [await open(), await open()];
      const refs = await Promise.all([one, other, one, other].map((store) => writeState(store)));
      for (const ref of refs) expect(ref).toEqual(refs[0]);
      expect(await raw.list()).toEqual([artifactName(refs[0]!.sha256)]);
    });

    test('of many megabytes are written and read in pieces', async () => {
      const { open, raw } = await kind.place();
      const length = 5_000_000;
      const ref = await writeState(await open(), 1, { length });
      expect(ref.bytes).toBeGreaterThan(2 * 4 * length);
      const store = await open();
      const weights = (await store.open(ref)).floatVector('weights', 0);
      expect([weights.length, weights[0], weights[length - 1]]).toEqual([length, 1, length]);
      expect(await writeState(store, 1, { length })).toEqual(ref);
      expect(await raw.list()).toEqual([artifactName(ref.sha256)]);
    });

    test('are there whole or not at all: one that fails while it is written leaves nothing', async () => {
      const { open, raw } = await kind.place();
      const failing = (await open()).write('state', {}, async (writer) => {
        const vector = new Float32Array(1000);
        await writer.append({ step: [1], epoch: [1], weights: vector, velocity: vector });
        throw new Error('no further');
      });
      await expect(failing).rejects.toThrow('no further');
      expect(await raw.list()).toEqual([]);
    });

    test('that are not there are found by nobody, and named', async () => {
      const store = await (await kind.place()).open();
      const ref: ArtifactRef = { uri: 'x', sha256: 'ab'.repeat(32), kind: 'state', bytes: 1 };
      expect(await store.find(ref.sha256, 'state')).toBeUndefined();
      expect(await store.verify(ref)).toBe(false);
      await isDamaged(store, ref);
    });

    test.each(ways)('%s are damaged for whoever asks, and can be written again', async (_way, damage) => {
      const { open, raw } = await kind.place();
      const store = await open({ mostRemembered: 1e6 });
      const [ref, other] = [await writeState(store, 1), await writeState(store, 2)];
      const [name, otherName] = [artifactName(ref.sha256), artifactName(other.sha256)];
      const [good, otherBytes] = [(await raw.read(name))!, (await raw.read(otherName))!];
      await store.open(ref);
      await damage(raw, name, good, otherBytes);
      // A store that has seen it whole before, and one that has not.
      for (const one of [store, await open()]) {
        expect(await one.verify(ref)).toBe(false);
        await isDamaged(one, ref);
      }
      const repairing = await open();
      expect(await writeState(repairing, 1)).toEqual(ref);
      expect(Buffer.from((await raw.read(name))!).equals(good)).toBe(true);
      for (const one of [store, repairing, await open()]) {
        expect(await one.verify(ref)).toBe(true);
        expect(await firstWeight(one, ref)).toBe(1);
      }
    });
  });

  describe(`steps in ${kind.name}`, () => {
    test('are read as they were written, one or many, and written anew', async () => {
      const { open, raw } = await kind.place();
      const store = await open();
      const [one, two] = [stepRecord('one'), stepRecord('two')];
      await store.writeStep(one);
      await store.writeStep(two);
      expect(await raw.list()).toEqual([stepName('one'), stepName('two')]);
      const again = { ...one, outputs: { state: await writeState(store) } };
      await store.writeStep(again);
      for (const reader of [store, await open()]) {
        expect(await reader.readStep('one')).toEqual(again);
        expect(await reader.readStep('none')).toBeUndefined();
        expect(await reader.readSteps(['two', 'none', 'one', 'two'])).toEqual([two, undefined, again, two]);
        expect(await reader.readSteps([])).toEqual([]);
      }
    });

    test.each(ways)('%s count as not done, and can be written again', async (_way, damage) => {
      const { open, raw } = await kind.place();
      const store = await open();
      for (const key of ['one', 'two']) await store.writeStep(stepRecord(key));
      const name = stepName('one');
      await damage(raw, name, (await raw.read(name))!, (await raw.read(stepName('two')))!);
      for (const one of [store, await open()]) {
        expect(await one.readStep('one')).toBeUndefined();
        expect(await one.readSteps(['one', 'two'])).toEqual([undefined, stepRecord('two')]);
      }
      await store.writeStep(stepRecord('one'));
      expect(await store.readStep('one')).toEqual(stepRecord('one'));
    });
  });

  describe(`checkpoints in ${kind.name}`, () => {
    test('are files of one step that come, change and go', async () => {
      const { open, raw } = await kind.place();
      const [here, there] = [(await open()).checkpoint('one'), (await open()).checkpoint('one')];
      expect(await here.list()).toEqual([]);
      await here.clear();
      await here.remove('state');
      await here.write('state', utf8('first'));
      await here.write('rows-2', new Uint8Array());
      await here.write('state', utf8('second'));
      const neighbour = (await open()).checkpoint('one-more');
      await neighbour.write('state', utf8('of another step'));
      expect(await there.list()).toEqual(['rows-2', 'state']);
      expect(await there.read('state')).toEqual(utf8('second'));
      expect(await there.read('rows-2')).toEqual(new Uint8Array());
      expect(await there.read('none')).toBeUndefined();
      await there.remove('rows-2');
      expect(await here.list()).toEqual(['state']);
      await here.clear();
      expect(await there.list()).toEqual([]);
      expect(await there.read('state')).toBeUndefined();
      expect(await neighbour.read('state')).toEqual(utf8('of another step'));
      expect(await raw.list()).toEqual(['checkpoints/one-more/state']);
    });

    test('of many megabytes come back as they were, for the reader to keep', async () => {
      const checkpoint = (await (await kind.place()).open()).checkpoint('one');
      const bytes = new Uint8Array(20_000_000).map((_, index) => index % 251);
      await checkpoint.write('state', bytes);
      const read = (await checkpoint.read('state'))!;
      expect(Buffer.from(read).equals(bytes)).toBe(true);
      // What is no Buffer has a `slice` that copies.
      expect(read.constructor).toBe(Uint8Array);
    });

    test.each(ways)('%s are none, and can be written again', async (_way, damage) => {
      const { open, raw } = await kind.place();
      const [one, two] = [(await open()).checkpoint('one'), (await open()).checkpoint('two')];
      await one.write('state', utf8('mine'));
      await two.write('state', utf8('of another step'));
      const [name, other] = ['checkpoints/one/state', 'checkpoints/two/state'];
      await damage(raw, name, (await raw.read(name))!, (await raw.read(other))!);
      expect(await one.read('state')).toBeUndefined();
      await one.write('state', utf8('again'));
      expect(await one.read('state')).toEqual(utf8('again'));
    });
  });

  describe(`records in ${kind.name}`, () => {
    test('are read as they were written, one or many, and listed', async () => {
      const { open, raw } = await kind.place();
      const store = await open();
      const names = ['studies/a/cells/x=1.json', 'studies/a/plan.json', 'studies/ab/plan.json'];
      expect(await store.listTexts('studies')).toEqual([]);
      expect(await store.listFolder('studies')).toEqual([]);
      for (const name of names) await store.writeText(name, `{"name":"ä ${name}"}`);
      await store.writeText(names[1]!, '{"again":1}\n');
      expect(await raw.list()).toEqual(names);
      for (const reader of [store, await open()]) {
        expect(await reader.readText(names[0]!)).toBe(`{"name":"ä ${names[0]}"}`);
        expect(await reader.readText(names[1]!)).toBe('{"again":1}\n');
        expect(await reader.readText('studies/a/none.json')).toBeUndefined();
        expect(await reader.readTexts([names[1]!, 'studies/none.json', names[1]!])).toEqual([
          ...['{"again":1}\n', undefined, '{"again":1}\n'],
        ]);
        expect(await reader.listTexts('studies')).toEqual(names);
        expect(await reader.listTexts('studies/a')).toEqual(names.slice(0, 2));
        expect(await reader.listFolder('studies')).toEqual(['a', 'ab']);
        expect(await reader.listFolder('studies/a')).toEqual(['cells', 'plan.json']);
        expect(await reader.listFolder('studies/none')).toEqual([]);
      }
    });

    test('are listed and read all, however many there are', async () => {
      const store = await (await kind.place()).open();
      const names = Array.from({ length: 1010 }, (_, index) => `studies/a/cells/seed=${index}.json`);
      const texts = names.map((_, index) => `{"index":${index}}`);
      for (let at = 0; at < names.length; at += 50)
        await Promise.all(
          names.slice(at, at + 50).map((name, index) => store.writeText(name, texts[at + index]!)),
        );
      expect(await store.listTexts('studies/a')).toEqual([...names].sort());
      expect(await store.listFolder('studies/a/cells')).toHaveLength(names.length);
      expect(await store.readTexts(names)).toEqual(texts);
    });

    test.each(ways)('%s are named, not given, and can be written again', async (way, damage) => {
      const { open, raw } = await kind.place();
      const store = await open();
      const [name, other] = ['studies/a/plan.json', 'studies/b/plan.json'];
      await store.writeText(name, '{"a":1}\n');
      await store.writeText(other, '{"b":1}\n');
      await damage(raw, name, (await raw.read(name))!, (await raw.read(other))!);
      for (const one of [store, await open()]) {
        const alone = await one.readText(name).catch((error: unknown) => error);
        if (way === 'removed') expect(alone).toBeUndefined();
        else {
          expect(alone).toBeInstanceOf(DamagedRecordError);
          expect((alone as Error).message).toContain(name);
        }
        expect(await one.readTexts([name, other])).toEqual([alone, '{"b":1}\n']);
      }
      await store.writeText(name, '{"a":2}\n');
      expect(await store.readText(name)).toBe('{"a":2}\n');
    });

    test('that several write at once end as one of them, whole', async () => {
      const { open, raw } = await kind.place();
      const stores = await Promise.all([open(), open(), open()]);
      const texts = Array.from(
        { length: 30 },
        (_, index) => `{"index":${index},"pad":"${'x'.repeat(index)}"}`,
      );
      await Promise.all(
        texts.map((text, index) => stores[index % 3]!.writeText('studies/a/study.json', text)),
      );
      expect(texts).toContain(await stores[0]!.readText('studies/a/study.json'));
      expect(await raw.list()).toEqual(['studies/a/study.json']);
    });
  });

  test(`no name leads out of ${kind.name}`, async () => {
    const { open, raw } = await kind.place();
    const store = await open();
    const out = '../../../../package';
    const ref = { uri: 'x', sha256: out, kind: 'state', bytes: 1 } as const;
    const asked: (() => unknown)[] = [
      () => store.readText('../package.json'),
      () => store.readText('a//b'),
      () => store.readTexts(['a/../../b']),
      () => store.writeText('../package.json', '{}'),
      () => store.writeText('/package.json', '{}'),
      () => store.listTexts('..'),
      () => store.listFolder('..'),
      () => store.listFolder(''),
      () => store.open(ref),
      () => store.describe(ref),
      () => store.verify(ref),
      () => store.find(out, 'state'),
      () => store.readStep(out),
      () => store.readSteps([out]),
      () => store.writeStep({ key: out } as never),
      () => store.checkpoint('..'),
      () => store.checkpoint('key').read('../../package.json'),
      () => store.checkpoint('key').write('../../package.json', new Uint8Array(1)),
      () => store.checkpoint('key').remove('../../../package.json'),
    ];
    for (const ask of asked)
      await expect((async () => ask())(), String(ask)).rejects.toMatchObject({ name: 'RefusedError' });
    expect(await raw.list()).toEqual([]);
  });

  describe(`files of ${kind.name}`, () => {
    test('are listed with their sizes and times, all or below a folder, and removed once', async () => {
      const { open, raw } = await kind.place();
      const store = await open();
      const ref = await writeState(store);
      await store.writeStep(stepRecord('one'));
      await store.checkpoint('one').write('state', utf8('half'));
      await store.writeText('studies/a/study.json', '{}');
      const names = [
        artifactName(ref.sha256),
        stepName('one'),
        'checkpoints/one/state',
        'studies/a/study.json',
      ];
      const listed = await store.listFiles();
      expect(listed.map(({ name }) => name).sort()).toEqual(names.toSorted());
      for (const { name, bytes, writtenAt } of listed) {
        expect(bytes).toBe((await raw.read(name))!.length);
        // By the clock of the store, which may count in whole seconds.
        expect(Math.abs(Date.now() - writtenAt)).toBeLessThan(600_000);
      }
      expect(await store.listFiles('studies')).toEqual(
        listed.filter(({ name }) => name.startsWith('studies/')),
      );
      expect(await store.listFiles('stud')).toEqual([]);
      for (const name of names) {
        expect(await store.removeFile(name)).toBe(true);
        expect(await store.removeFile(name)).toBe(false);
      }
      expect(await store.listFiles()).toEqual([]);
      expect(await store.find(ref.sha256, 'state')).toBeUndefined();
      for (const name of ['../out', 'studies/../../out', 'a//b', ''])
        await expect(store.removeFile(name)).rejects.toMatchObject({ name: 'RefusedError' });
    });

    test('give the bytes of an artifact as they are, damaged ones too', async () => {
      const { open, raw } = await kind.place();
      const store = await open();
      const ref = await writeState(store, 1, { length: 700_000 });
      const read = async () => {
        const pieces: Uint8Array[] = [];
        for await (const piece of store.readBytes(ref)) pieces.push(piece);
        return Buffer.concat(pieces);
      };
      expect(digestOf(await read())).toBe(ref.sha256);
      await raw.write(artifactName(ref.sha256), utf8('torn'));
      expect((await read()).toString()).toBe('torn');
      await raw.remove(artifactName(ref.sha256));
      await expect(read()).rejects.toThrow(DamagedArtifactError);
    });
  });
}
