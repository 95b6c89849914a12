/** What `gc` keeps and what it removes, on stores of synthetic studies. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { writePin } from '../../../../artifacts/keeping/pins.ts';
import { announceSweep, awaitSweeps } from '../../../../artifacts/keeping/sweeps.ts';
import { isReference } from '../../../../artifacts/store/step.ts';
import type { Store } from '../../../../artifacts/store/store.ts';
import { explain } from '../../../../cli/checks/lineage.ts';
import { verifyStudy } from '../../../../cli/checks/verify.ts';
import { collectGarbage } from '../../../../runtime/storage/gc.ts';
import { weigh } from '../../../../runtime/storage/usage.ts';
import {
  begin,
  forget,
  launch,
  type Sketch,
  stepsIn,
  type Written,
  writeStudy,
} from '../../../fixtures/kept-studies.ts';
import { age, bytesIn, sizesIn } from '../../../fixtures/stored.ts';
import { temporaryStore } from '../../artifacts/folders.ts';

const sketches = fc.record({
  seeds: fc.uniqueArray(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 2 }),
  epochs: fc.constantFrom(2, 3),
});
const states = fc.constantFrom('ended', 'failed', 'launched again', 'begun', 'deleted');
const stores = fc.array(fc.record({ sketch: sketches, state: states }), { minLength: 1, maxLength: 3 });

type Kept = Written & { readonly state: string };

async function write(
  store: Store,
  studies: readonly { readonly sketch: Omit<Sketch, 'name'>; readonly state: string }[],
): Promise<Kept[]> {
  const kept: Kept[] = [];
  for (const [index, { sketch, state }] of studies.entries()) {
    const fails = state === 'failed' ? () => true : undefined;
    const written = await writeStudy(store, { ...sketch, name: `study-${index}` }, fails);
    const { studyId } = written;
    if (state === 'launched again') await launch(store, studyId);
    if (state === 'begun') await begin(store, studyId);
    if (state === 'deleted') await forget(store, studyId);
    else kept.push({ ...written, state });
  }
  return kept;
}

/** Everything that the studies need is there, whole, and can be explained. */
async function expectWhole(store: Store, kept: readonly Kept[]): Promise<void> {
  const steps = await stepsIn(store);
  for (const { studyId, keys, collects, state } of kept) {
    const needed = [...keys].filter((key) => state !== 'begun' || !collects.has(key));
    for (const key of needed) {
      const outputs = Object.values(steps.get(key)?.outputs ?? {});
      expect(outputs.length, `step ${key} of ${studyId}, ${state}`).toBeGreaterThan(0);
      for (const ref of outputs) expect(await store.verify(ref)).toBe(true);
    }
    const { checks } = await verifyStudy(store, studyId);
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
  }
  const [step] = kept.flatMap(({ keys }) => [...keys]);
  if (step !== undefined && kept[0]!.state !== 'begun') {
    const origin = await explain(store, Object.values(steps.get(step)!.outputs)[0]!.sha256);
    expect(origin.whole).toBe(true);
  }
}

/** No step is left without those that made what it was made from. */
async function expectMakers(store: Store): Promise<void> {
  const steps = [...(await stepsIn(store)).values()];
  const made = new Set(steps.flatMap(({ outputs }) => Object.values(outputs).map(({ sha256 }) => sha256)));
  for (const { uses, with: withs, inputs } of steps) {
    const artifacts = Object.entries(inputs).filter(
      ([name]) => uses === 'collect' || isReference(withs, name),
    );
    for (const [name, sha256] of artifacts) expect(made, `${name} of ${uses}`).toContain(sha256);
  }
}

/** Nothing else is: but what was gathered from cells that open studies have too, and what a cell that has failed would find if it ran again. */
async function expectNoMore(store: Store, kept: readonly Kept[]): Promise<void> {
  const needed = new Set(kept.flatMap(({ keys }) => [...keys]));
  const steps = await stepsIn(store);
  const mayStay = kept.some(({ state }) => state === 'failed') ? ['collect', 'fit'] : ['collect'];
  const extra = [...steps.values()].filter(({ key }) => !needed.has(key));
  expect(extra.filter(({ uses }) => !mayStay.includes(uses))).toEqual([]);
  const named = new Set(
    [...steps.values()].flatMap(({ outputs }) => Object.values(outputs).map(({ sha256 }) => sha256)),
  );
  const files = [...sizesIn(store).keys()].filter((name) => name.startsWith('artifacts/'));
  expect(files.filter((name) => !named.has(name.slice(-70, -6)))).toEqual([]);
}

test('all that studies need stays, whatever state they are in, the rest goes, and the sizes are those of the file system', async () => {
  await fc.assert(
    fc.asyncProperty(stores, async (studies) => {
      const { store } = await temporaryStore();
      const kept = await write(store, studies);
      const before = bytesIn(store);
      const usage = await weigh(store);
      expect(usage.total).toEqual({ files: sizesIn(store).size, bytes: before });
      const dry = await collectGarbage(store, { dryRun: true });
      expect(bytesIn(store)).toBe(before);
      const { freed } = await collectGarbage(store);
      const bytes = freed.reduce((sum, file) => sum + file.bytes, 0);
      expect(before - bytesIn(store)).toBe(bytes);
      expect(usage.unneeded).toEqual({ files: freed.length, bytes });
      expect(new Set(dry.freed.map(({ name }) => name))).toEqual(new Set(freed.map(({ name }) => name)));
      await expectWhole(store, kept);
      await expectNoMore(store, kept);
      expect((await collectGarbage(store)).freed).toEqual([]);
    }),
    { numRuns: 25 },
  );
});

test('a gc that is killed after any file leaves all studies whole, and the next one does the rest', async () => {
  await fc.assert(
    fc.asyncProperty(stores, fc.nat(60), async (studies, most) => {
      const { store } = await temporaryStore();
      const kept = await write(store, studies);
      age(store, 48);
      let removed = 0;
      const killed: Store = {
        ...store,
        async removeFile(name) {
          if (name.startsWith('sweeps/')) return false;
          if (removed++ >= most) throw new Error('killed');
          return store.removeFile(name);
        },
      };
      await collectGarbage(killed).catch((error: Error) => expect(error.message).toBe('killed'));
      await expectWhole(store, kept);
      await expectMakers(store);
      await collectGarbage(store);
      await expectWhole(store, kept);
      if (kept.every(({ state }) => state === 'ended' || state === 'failed')) await expectNoMore(store, kept);
    }),
    { numRuns: 25 },
  );
});

describe('beside others', () => {
  const [old, other] = [
    { name: 'old', seeds: [1, 2], epochs: 2 },
    { name: 'other', seeds: [3], epochs: 3 },
  ];

  test('a study that is launched after it was decided what to remove keeps what it needs', async () => {
    const { store } = await temporaryStore();
    await writeStudy(store, other);
    const written = await writeStudy(store, old);
    const { studyId } = written;
    const records = await Promise.all(
      ['plan', 'study'].map(
        async (name) => [name, (await store.readText(`studies/${studyId}/${name}.json`))!] as const,
      ),
    );
    await forget(store, studyId);
    let launched = false;
    const watched: Store = {
      ...store,
      async writeText(name, text) {
        await store.writeText(name, text);
        // Between the announcement and the first look at who was launched.
        if (!name.startsWith('sweeps/') || launched) return;
        launched = true;
        for (const [record, json] of records)
          await store.writeText(`studies/${studyId}/${record}.json`, json);
      },
    };
    expect((await collectGarbage(store, { dryRun: true })).freed.length).toBeGreaterThan(10);
    const { freed, open } = await collectGarbage(watched);
    expect({ freed, open }).toEqual({ freed: [], open: [studyId] });
    await expectWhole(store, [{ ...written, state: 'begun' }]);
  });

  test('two at once free each file once', async () => {
    const { store } = await temporaryStore();
    const kept = await writeStudy(store, other);
    await forget(store, (await writeStudy(store, old)).studyId);
    const before = bytesIn(store);
    const both = await Promise.all([collectGarbage(store), collectGarbage(store)]);
    const freed = both.flatMap((one) => one.freed);
    expect(new Set(freed.map(({ name }) => name)).size).toBe(freed.length);
    expect(before - bytesIn(store)).toBe(freed.reduce((sum, { bytes }) => sum + bytes, 0));
    await expectWhole(store, [{ ...kept, state: 'ended' }]);
    await expectNoMore(store, [{ ...kept, state: 'ended' }]);
  });

  test('a launch waits for the sweeps that are announced, and not for one that is dead', async () => {
    const { store } = await temporaryStore();
    expect(await awaitSweeps(store)).toBe(false);
    const sweep = await announceSweep(store);
    expect(sweep.mayRemove).toBe(true);
    let ended = false;
    // The sweep ends only once the launch has looked, which a busy machine may do late.
    const look = Promise.withResolvers<void>();
    const watched = {
      ...store,
      listFiles: async (within?: string) => {
        const files = await store.listFiles(within);
        look.resolve();
        return files;
      },
    };
    const waiting = awaitSweeps(watched).then((met) => ({ met, ended }));
    await look.promise;
    ended = true;
    await sweep.end();
    expect(await waiting).toEqual({ met: true, ended: true });
    await announceSweep(store);
    expect(await awaitSweeps(store, { waitMs: 0 })).toBe(true);
    expect(await awaitSweeps(store)).toBe(false);
  });
});

describe('what cannot be judged', () => {
  const damages = {
    'a plan that is changed': (id: string) => `studies/${id}/plan.json`,
    'a cell that is changed': (id: string) => `studies/${id}/cells/seed=1.json`,
    'a result that is changed': (id: string) => `studies/${id}/result.json`,
    'a folder that is no study': () => 'studies/Not A Study/plan.json',
    'a pin that is changed': () => 'pins/studies/x.json',
    'a step that is changed': (_id: string, key: string) => `steps/${key.slice(0, 2)}/${key}.json`,
  };
  test.each(Object.entries(damages))('%s: nothing is removed, and that is said', async (_what, nameOf) => {
    const { folder, store } = await temporaryStore();
    const { studyId, keys } = await writeStudy(store, { name: 'kept', seeds: [1], epochs: 2 });
    await forget(store, (await writeStudy(store, { name: 'old', seeds: [2], epochs: 3 })).studyId);
    await writePin(store, { of: 'study', id: 'x', pinnedAt: '' });
    const name = nameOf(studyId, [...keys][0]!);
    const { mkdirSync } = await import('node:fs');
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), 'torn');
    const before = sizesIn(store);
    const error = await collectGarbage(store).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      name: 'DamagedRecordError',
      message: expect.stringContaining('nothing is removed') as string,
      cure: expect.stringContaining('Run its pipeline again') as string,
    });
    expect((error as Error).message).toContain(name.split('/').slice(0, 2).join('/'));
    expect(sizesIn(store)).toEqual(before);
    const { unneeded, unjudged } = await weigh(store);
    expect({ unneeded, told: unjudged.length }).toEqual({ unneeded: undefined, told: 1 });
  });
});

describe('what is young, pinned or unfinished', () => {
  const write = (store: Store, loss: number) =>
    store.write('evaluation', {}, (writer) => writer.append({ loss: [loss], accuracy: [1], examples: [1] }));

  test('--older-than keeps what was written since, with all that it was made from', async () => {
    const { store } = await temporaryStore();
    const { studyId, keys } = await writeStudy(store, { name: 'old', seeds: [1], epochs: 2 });
    await forget(store, studyId);
    age(store, 10);
    const steps = await stepsIn(store);
    const fit = [...steps.values()].find(({ uses }) => uses === 'fit')!;
    await store.writeStep(fit);
    await collectGarbage(store, { olderThanMs: 11 * 3_600_000 });
    expect((await stepsIn(store)).size).toBe(keys.size);
    await collectGarbage(store, { olderThanMs: 9 * 3_600_000 });
    expect([...(await stepsIn(store)).values()].map(({ uses }) => uses).sort()).toEqual([
      'analyze',
      'fit',
      'toy',
    ]);
    expect((await explain(store, fit.outputs.parameters!.sha256)).whole).toBe(true);
  });

  test('a pinned artifact stays with all that it was made from', async () => {
    const { store } = await temporaryStore();
    await forget(store, (await writeStudy(store, { name: 'old', seeds: [1, 2], epochs: 2 })).studyId);
    const fit = [...(await stepsIn(store)).values()].find(({ uses }) => uses === 'fit')!;
    await writePin(store, { of: 'artifact', id: fit.outputs.parameters!.sha256, pinnedAt: '' });
    await collectGarbage(store);
    expect([...(await stepsIn(store)).values()].map(({ uses }) => uses).sort()).toEqual([
      'analyze',
      'fit',
      'toy',
    ]);
    const { holders } = await weigh(store);
    expect(holders.map(({ artifact, pinned }) => ({ artifact, pinned }))).toEqual([
      { artifact: fit.outputs.parameters!.sha256, pinned: true },
    ]);
  });

  test('the parts of a trajectory stay and go with it; those of one whose list is lost stay while it is needed', async () => {
    const { folder, store } = await temporaryStore();
    const part = (first: number) =>
      store.write('trajectory-part', { 'epochal.key': `k${first}` }, (writer) =>
        writer.append({
          step: [first],
          epoch: [0],
          batch_loss: Float32Array.of(1),
          weights: Float32Array.of(first, 2),
        }),
      );
    const recorded = async (key: string, first: number) => {
      const parts = [await part(first), await part(first + 1)];
      const trajectory = await store.write('trajectory', { 'epochal.key': key }, (writer) =>
        writer.append({
          part: [0, 1],
          sha256: parts.map(({ sha256 }) => sha256),
          bytes: parts.map(({ bytes }) => bytes),
          rows: [1, 1],
          first_step: [first, first + 1],
        }),
      );
      const step = {
        key,
        uses: 'record',
        version: 1,
        with: {},
        inputs: {},
        outputs: { trajectory },
        notes: [],
      };
      await store.writeStep({ ...step, provenance: {} as never });
      return { trajectory, parts };
    };
    const [kept, dead] = [await recorded('a'.repeat(64), 1), await recorded('b'.repeat(64), 11)];
    await writePin(store, { of: 'artifact', id: kept.trajectory.sha256, pinnedAt: '' });
    const { freed } = await collectGarbage(store);
    expect(new Set(freed.map(({ kind }) => kind))).toEqual(
      new Set([undefined, 'trajectory', 'trajectory-part']),
    );
    for (const ref of [kept.trajectory, ...kept.parts]) expect(await store.verify(ref)).toBe(true);
    for (const ref of [dead.trajectory, ...dead.parts])
      expect(await store.find(ref.sha256, ref.kind)).toBeUndefined();
    age(store, 48);
    writeFileSync(
      join(folder, 'artifacts', kept.trajectory.sha256.slice(0, 2), `${kept.trajectory.sha256}.arrow`),
      'torn',
    );
    expect((await collectGarbage(store)).freed).toEqual([]);
  });

  test('what is left of unfinished steps stays for a day, and as long as a study is open', async () => {
    const { store } = await temporaryStore();
    const { studyId } = await writeStudy(store, { name: 'one', seeds: [1], epochs: 2 });
    const unnamed = await write(store, 1);
    await store.checkpoint('some-step').write('state', new Uint8Array(100));
    writeFileSync(join(fileURLToPath(store.uri), 'incoming', '.tmp-1-killed'), 'x');
    const names = async () => (await collectGarbage(store)).freed.map(({ what }) => what).sort();
    expect(await names()).toEqual([]);
    age(store, 23);
    expect(await names()).toEqual([]);
    age(store, 2);
    await launch(store, studyId);
    const { freed, held, open } = await collectGarbage(store);
    expect(freed.map(({ what }) => what)).toEqual(['temporary']);
    expect({ held: held.length, open }).toEqual({ held: 2, open: [studyId] });
    const result = `studies/${studyId}/result.json`;
    await store.writeText(result, (await store.readText(result))!);
    expect(await names()).toEqual(['checkpoint', 'unfinished']);
    expect(await store.find(unnamed.sha256, 'evaluation')).toBeUndefined();
    expect(await store.checkpoint('some-step').list()).toEqual([]);
  });
});
