/** `gc` as its own process, beside a study that runs on a real server, and killed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { announceSweep } from '../../artifacts/keeping/sweeps.ts';
import { localPath } from '../../artifacts/store/local-store.ts';
import { openStore } from '../../artifacts/store/open-store.ts';
import type { Store } from '../../artifacts/store/store.ts';
import { verifyStudy } from '../../cli/checks/verify.ts';
import type { Plan } from '../../compiler/plan.ts';
import { findStudy, studyIdOf } from '../../runtime/study/client.ts';
import { forget, stepsIn } from '../fixtures/kept-studies.ts';
import { type LocalStudies, openLocalStudies, until } from '../fixtures/local-study.ts';
import { plannedCell, plannedCollect, plannedStage, planOf, resultOf } from '../fixtures/plans.ts';
import { age, bytesIn, sizesIn } from '../fixtures/stored.ts';
import { epochal, root, startEpochal } from './epochal.ts';

const cells = 10;
const chain = 5;

let studies: LocalStudies;

beforeAll(async () => {
  studies = await openLocalStudies({ concurrency: 1 });
});
afterAll(() => studies?.close());

const seedOf = (cell: number, stage: number) => 100 * cell + stage;

/** Cells with a chain of stages each, one after the other. */
function chains(name: string, which: readonly number[]): Plan {
  const planned = which.map((cell) => {
    const stages = Array.from({ length: chain }, (_, stage) => {
      const settings = { steps: 2, seed: seedOf(cell, stage) };
      if (stage === 0) return plannedStage('s0', 'counter', settings);
      const before = `s${stage - 1}`;
      return plannedStage(
        `s${stage}`,
        'counter',
        { ...settings, from: resultOf(before) },
        { needs: [before] },
      );
    });
    return plannedCell(`number=${cell}`, { number: cell }, stages);
  });
  const collect = [plannedCollect('all', `s${chain - 1}`, ['number'])];
  return planOf(name, planned, { maxParallel: 1, collect });
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

async function gc(storeUri: string) {
  const { code, stdout, stderr } = await epochal(['gc', '--json', '--store', storeUri], studies.home);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as { freed: { files: number; bytes: number }; open: string[] };
}

/** Finished steps that no study leads to. */
async function litter(store: Store, name: string, steps: number): Promise<void> {
  for (const index of range(0, steps)) {
    const key = `${name}-${index}`;
    const result = await store.write('evaluation', { 'epochal.key': key, 'epochal.stage': 'x' }, (writer) =>
      writer.append({ loss: [index], accuracy: [1], examples: [1] }),
    );
    const step = { key, uses: 'x', version: 1, with: {}, inputs: {}, outputs: { result }, notes: [] };
    await store.writeStep({ ...step, provenance: {} as never });
  }
}

test('50 times beside a running study, each time in the middle of another stage, nothing that it needs goes, and the rest does', async () => {
  // What a study of before has made, which was deleted: the one that runs takes the second half of its cells from there.
  const storeUri = studies.storeUri();
  const store = await openStore(storeUri);
  const before = await studies.start(chains('before', range(cells / 2, cells + 2)));
  expect((await before.result()).status).toBe('succeeded');
  await forget(store, before.studyId);

  const plan = chains('beside', range(0, cells));
  const held = range(0, cells / 2).flatMap((cell) => range(0, chain).map((stage) => seedOf(cell, stage)));
  onTestFinished(() => studies.gate.release());
  for (const seed of held) studies.gate.hold(`${seed}-1`);
  const study = await studies.start(plan);
  const met = (seed: number) => until(async () => studies.gate.met(`${seed}-1`) !== undefined);
  await met(held[0]!);
  // Of the study that was deleted, two cells and what it has gathered go: each step with its record and its file.
  expect((await gc(storeUri)).freed.files).toBe(2 * (2 * chain + 1));

  for (const force of [[], ['--force']]) {
    const deletion = ['delete', study.studyId, '--store', storeUri, ...force];
    const refused = { code: 1, stderr: expect.stringContaining('is running') as string };
    expect(await epochal(deletion, studies.home)).toMatchObject(refused);
  }

  let times = 0;
  for (const seed of held) {
    await met(seed);
    for (const round of [0, 1]) {
      const needed = sizesIn(store);
      await litter(store, `litter-${seed}-${round}`, 2);
      const size = bytesIn(store);
      const { freed, open } = await gc(storeUri);
      expect({ files: freed.files, open }).toEqual({ files: 4, open: [study.studyId] });
      expect(size - bytesIn(store)).toBe(freed.bytes);
      expect(sizesIn(store)).toEqual(needed);
      times++;
    }
    studies.gate.release(`${seed}-1`);
  }
  expect(times).toBe(50);
  const result = await study.result();
  expect(result).toMatchObject({
    status: 'succeeded',
    stagesRun: held.length + 1,
    stagesReused: (cells / 2) * chain,
  });
  const { checks } = await verifyStudy(store, study.studyId);
  expect(checks.filter(({ ok }) => !ok)).toEqual([]);

  // The same without any gc has the same bytes.
  const alone = await openStore(studies.storeUri('alone'));
  await (await studies.start(plan, { storeUri: alone.uri })).result();
  const [here, there] = [await stepsIn(store), await stepsIn(alone)];
  expect([...here.keys()].sort()).toEqual([...there.keys()].sort());
  for (const [key, { outputs }] of there) {
    for (const [name, ref] of Object.entries(outputs)) {
      const other = here.get(key)!.outputs[name]!;
      expect(readFileSync(localPath(other)).equals(readFileSync(localPath(ref)))).toBe(true);
    }
  }
  expect(await gc(storeUri)).toMatchObject({ freed: { files: 0, bytes: 0 }, open: [] });
});

test('a launch waits for a sweep that is announced, and writes its records again, which that may have taken', async () => {
  const storeUri = studies.storeUri('launched');
  const store = await openStore(storeUri);
  const plan = chains('launched', [70]);
  const studyId = studyIdOf(plan);
  const sweep = await announceSweep(store);
  const launching = studies.start(plan, { storeUri });
  await until(async () => (await store.readText(`studies/${studyId}/study.json`)) !== undefined);
  await forget(store, studyId);
  await expect(findStudy(studies.client, storeUri, studyId)).rejects.toThrow('knows of no study');
  await sweep.end();
  expect((await (await launching).result()).status).toBe('succeeded');
  const { checks } = await verifyStudy(store, studyId);
  expect(checks.filter(({ ok }) => !ok)).toEqual([]);
});

test('killed with SIGKILL at whichever file, the store is whole, and the next one does the rest', async () => {
  const storeUri = studies.storeUri('killed');
  const store = await openStore(storeUri);
  const study = await studies.start(chains('kept', [50]), { storeUri });
  expect((await study.result()).status).toBe('succeeded');
  const own = sizesIn(store);
  for (const at of [1, 2, 3, 20, 39]) {
    await litter(store, `litter-${at}`, 20);
    age(store, 48, /(artifacts|steps)\//);
    const killer = pathToFileURL(join(root, 'test', 'fixtures', 'kill-at-unlink.mjs')).href;
    const environment = { NODE_OPTIONS: `--import ${killer}`, KILL_AT_UNLINK: String(at) };
    const { child, finished } = startEpochal(['gc', '--store', storeUri], studies.home, environment);
    await finished;
    expect(child.signalCode).toBe('SIGKILL');
    expect(sizesIn(store, /^(artifacts|steps)/).size).toBeGreaterThan(countMade(own));
    const { checks } = await verifyStudy(store, study.studyId);
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    await gc(storeUri);
    expect(sizesIn(store, /^(?!sweeps)/)).toEqual(own);
  }
});

function countMade(files: ReadonlyMap<string, number>): number {
  return [...files.keys()].filter((name) => /^(artifacts|steps)/.test(name)).length;
}
