import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { columnsOf } from '../../artifacts/arrow/columns.ts';
import { type ArtifactKind, artifactKinds } from '../../artifacts/reference.ts';
import { openStore } from '../../artifacts/store/open-store.ts';
import { filesOf } from '../../artifacts/store/outputs.ts';
import { seal } from '../../artifacts/store/seal.ts';
import type { StepRecord } from '../../artifacts/store/step.ts';
import type { Store } from '../../artifacts/store/store.ts';
import { type ArtifactList, listArtifacts } from '../../cli/checks/artifact-list.ts';
import { explain } from '../../cli/checks/lineage.ts';
import { readCells } from '../../cli/checks/study-records.ts';
import { type Verification, verifyStudy } from '../../cli/checks/verify.ts';
import { compile, type Plan, stageKinds } from '../../compiler/index.ts';
import { writeReport } from '../../report/write-report.ts';
import { foresee } from '../../runtime/cost/foresight.ts';
import { collectGarbage } from '../../runtime/storage/gc.ts';
import { studyIdOf } from '../../runtime/study/client.ts';
import type { StudyResult } from '../../workflows/messages.ts';
import { damages } from '../fixtures/damage.ts';
import { begin, forget } from '../fixtures/kept-studies.ts';
import { type LocalStudies, openLocalStudies } from '../fixtures/local-study.ts';
import { bytesIn, sizesIn } from '../fixtures/stored.ts';
import { differences, type Summary, summarize, versionsOf } from './reference.ts';

const fixture = path.join(import.meta.dirname, '..', 'fixtures', 'every-kind.yaml');
const plan: Plan = compile(readFileSync(fixture, 'utf8'), { file: fixture }).plan;
const studyId = studyIdOf(plan);
const ways = Object.entries(damages);

interface File {
  readonly what: string;
  readonly kind: ArtifactKind;
  readonly path: string;
  readonly bytes: Buffer;
}

let studies: LocalStudies;
let folder: string;
let first: StudyResult;
let listed: ArtifactList;
/** Every file of the first cell, parts of its trajectory too, and of the collect. */
const files: File[] = [];

/** The store as another process sees it, which has not looked at any file yet. */
const store = (): Promise<Store> => openStore(folder);
const run = async (): Promise<StudyResult> => (await studies.start(plan)).result();
const verify = async (): Promise<Verification> => verifyStudy(await store(), studyId);
const bad = ({ checks }: Verification) => checks.filter(({ ok }) => !ok);
const record = (name: string) => path.join(folder, 'studies', studyId, name);
const stepFile = (key: string) => path.join(folder, 'steps', key.slice(0, 2), `${key}.json`);

async function cellResult(cellId: string) {
  return (await readCells(await store(), plan, studyId)).find((cell) => cell.cellId === cellId)!;
}

beforeAll(async () => {
  studies = await openLocalStudies({ concurrency: 2 });
  folder = fileURLToPath(studies.storeUri());
  first = await run();
  expect(first).toMatchObject({ status: 'succeeded', failures: [] });
  const seen = await store();
  listed = await listArtifacts(seen, studyId, (error) => {
    throw error;
  });
  for (const artifact of listed.artifacts.filter(({ cell }) => cell !== 'seed=2')) {
    for (const { kind, uri } of await filesOf(seen, artifact)) {
      const file = fileURLToPath(uri);
      files.push({
        what: `${artifact.stage}.${artifact.output}`,
        kind,
        path: file,
        bytes: readFileSync(file),
      });
    }
  }
});
afterAll(() => studies?.close());

test('has every kind of stage and of artifact', () => {
  const uses = [...plan.cells[0]!.stages, ...plan.collect].map((stage) => stage.uses);
  expect([...new Set(uses)].sort()).toEqual(Object.keys(stageKinds).sort());
  expect([...new Set(files.map(({ kind }) => kind))].sort()).toEqual([...artifactKinds].sort());
});

/**
 * The numbers of `reference.json` belong to the versions that it names. If this test fails after a change of the science, the change needs a new
 * `version` of the stage kind (`schemas/stages/*.schema.json`), so that nothing computed before is reused. Then renew the file:
 * `EPOCHAL_RENEW_REFERENCE=1 npx vitest run --project integration test/integration/every-kind.test.ts`. Numbers that are there under their versions
 * are kept.
 */
test('has the numbers that belong to the versions of its stage kinds', async () => {
  const file = path.join(import.meta.dirname, '..', 'fixtures', 'reference.json');
  const reference = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Record<string, Summary>>;
  const { stages } = plan.cells[0]!;
  const open = await store();
  const found: Record<string, Record<string, Summary>> = {};
  for (const artifact of listed.artifacts.filter(({ cell }) => cell !== 'seed=2')) {
    const stage = stages.find(({ name }) => name === artifact.stage);
    const versions = stage === undefined ? `collect ${plan.collect[0]!.version}` : versionsOf(stage, stages);
    for (const ref of await filesOf(open, artifact)) {
      if (ref.kind === 'trajectory') continue;
      const { required } = columnsOf[ref.kind];
      const named = (...types: string[]) =>
        Object.keys(required).filter((name) => types.includes(required[name]!));
      const summary = summarize(await open.open(ref), named('floats', 'bytes'), named('utf8'));
      found[versions] = { ...found[versions], [`${artifact.stage}.${artifact.output}`]: summary };
    }
  }
  if (process.env.EPOCHAL_RENEW_REFERENCE === '1') {
    const renewed = Object.fromEntries(
      Object.entries(found).map(([key, now]) => [key, { ...now, ...reference[key] }]),
    );
    writeFileSync(file, `${JSON.stringify(renewed, undefined, 1)}\n`);
    return;
  }
  expect(Object.keys(found).sort()).toEqual(Object.keys(reference).sort());
  const changed = Object.entries(found).flatMap(([versions, outputs]) =>
    Object.entries(outputs).flatMap(([output, summary]) =>
      differences(summary, reference[versions]![output]!).map((column) => `${versions}: ${output} ${column}`),
    ),
  );
  expect(changed).toEqual([]);
});

test('has artifacts of the sizes that their files have, parts and all, each counted once', () => {
  const sizes = sizesIn({ uri: studies.storeUri() }, /^artifacts/);
  expect(listed.total).toEqual({
    files: sizes.size,
    bytes: bytesIn({ uri: studies.storeUri() }, /^artifacts/),
  });
  const trajectory = listed.artifacts.find(({ kind, cell }) => kind === 'trajectory' && cell === 'seed=1')!;
  expect(trajectory.files).toBeGreaterThan(1);
  expect(trajectory.allBytes).toBeGreaterThan(trajectory.bytes);
});

test('leads to every finished step by its plan alone: a gc removes none while no cell has a record', async () => {
  const place = path.join(studies.home, 'begun');
  cpSync(folder, place, { recursive: true });
  const begun = await openStore(place);
  await begin(begun, studyId);
  const steps = sizesIn(begun, /^steps/).size;
  const { freed, open } = await collectGarbage(begun);
  expect({ freed, open, steps: sizesIn(begun, /^steps/).size }).toEqual({
    freed: [],
    open: [studyId],
    steps,
  });
  await forget(begun, studyId);
  await collectGarbage(begun);
  expect(sizesIn(begun, /^(artifacts|steps)/).size).toBe(0);
});

test('is verified without a fault, and names a file that is no part of it', async () => {
  expect(bad(await verify())).toEqual([]);
  const { unknown, again } = await verify();
  expect({ unknown, again }).toEqual({ unknown: [], again: [] });
  writeFileSync(record('cells/notes.txt'), 'mine');
  expect(await verify()).toMatchObject({ unknown: [`studies/${studyId}/cells/notes.txt`] });
});

test('has a report that names what `verify` holds the eigenpairs to: the bound on all others', async () => {
  const { found } = (await verify()).checks.find(({ what }) => what.endsWith('completeness'))!;
  const [words] = found.split(', the last is');
  expect(words).toMatch(/^all others are at most [\d.e+-]+ \(but for a probability of [\d.e-]+\)$/);
  const outDirectory = path.join(studies.home, 'whole-report');
  const { html } = await writeReport({ store: await store(), studyId, outDirectory });
  expect(readFileSync(html, 'utf8')).toContain(words);
});

describe('artifacts of every kind', () => {
  /** Damages each file in another way, in each round in the next one. */
  const damageAll = (round: number) => {
    for (const [index, file] of files.entries()) ways[(index + round) % ways.length]![1](file.path);
  };
  const all = () => plan.cells[0]!.stages.map(({ name }) => `seed=1 ${name}`).sort();

  test.each(ways.map(([way], round) => [way, round] as const))(
    'damaged in every way (%s and so on) are found and foreseen',
    async (_way, round) => {
      damageAll(round);
      const told = await verify();
      const lines = bad(told).map(({ what }) => what);
      for (const { what } of files) expect(lines.join('\n')).toContain(` ${what} `);
      const damaged = new Set(files.map(({ what }) => what.split('.')[0]));
      for (const { name } of plan.cells[0]!.stages) expect(damaged).toContain(name);
      const foresight = await foresee(plan, await store(), studies.home);
      const toRun = foresight.filter(({ cell, action }) => cell !== 'study' && action === 'run');
      expect(toRun.map(({ cell, stage }) => `${cell} ${stage}`).sort()).toEqual(all());
      expect(told.again).toHaveLength(toRun.length + 1);
      for (const file of files) {
        rmSync(file.path, { recursive: true, force: true });
        writeFileSync(file.path, file.bytes);
      }
      expect(bad(await verify())).toEqual([]);
    },
  );

  // Whatever lies in its place, an artifact is written by the same few lines: each way meets several kinds in each round.
  test.each([0, 2, 5])('damaged in every way (round %i) are made again', async (round) => {
    damageAll(round);
    const result = await run();
    expect(result).toMatchObject({ status: 'succeeded', failures: [], stagesRun: all().length + 1 });
    for (const { what, path: file, bytes } of files)
      expect(readFileSync(file).equals(bytes), what).toBe(true);
    expect(bad(await verify())).toEqual([]);
  });

  test('a torn part has the recording run again, though nothing else of it is damaged', async () => {
    damages['with a flipped bit']!(files.find(({ kind }) => kind === 'trajectory-part')!.path);
    expect((await verify()).again).toEqual([expect.stringMatching(/^record in cell seed=1: .*parts/)]);
    const { plan: other } = compile(readFileSync(fixture, 'utf8'), {
      file: fixture,
      overrides: { top: '2' },
    });
    const result = await (await studies.start(other)).result();
    expect(result).toMatchObject({ status: 'succeeded', failures: [] });
    expect(bad(await verify())).toEqual([]);
  });
});

describe('records', () => {
  test.each(ways)('%s are found, not shown, and written anew', async (way, damage) => {
    const { key } = (await cellResult('seed=1')).stages.fit!;
    const names = ['study.json', 'result.json', 'cells/seed=1.json'];
    for (const file of [...names.map(record), stepFile(key)]) damage(file);
    const told = await verify();
    const lines = bad(told).map(({ what }) => what);
    // Of a study that has no result, nobody can tell whether it has ended, and which cells have.
    const isGone = way === 'removed';
    for (const name of isGone ? ['study.json'] : names) expect(lines).toContain(`studies/${studyId}/${name}`);
    expect(await readCells(await store(), plan, studyId)).toHaveLength(1);
    const { html } = await writeReport({
      store: await store(),
      studyId,
      outDirectory: path.join(studies.home, 'report'),
    });
    if (!isGone)
      expect(readFileSync(html, 'utf8')).toContain(`<code>studies/${studyId}/cells/seed=1.json</code>`);
    const result = await run();
    expect(result).toMatchObject({ status: 'succeeded', stagesRun: 1 });
    expect(bad(await verify())).toEqual([]);
  });

  test.each(ways)('a plan %s is found, and written anew', async (_way, damage) => {
    damage(record('plan.json'));
    expect(bad(await verify()).map(({ what }) => what)).toEqual([`studies/${studyId}/plan.json`]);
    await run();
    expect(bad(await verify())).toEqual([]);
  });

  test('of two cells that were swapped, and an edited digit, are found', async () => {
    const [one, two] = ['cells/seed=1.json', 'cells/seed=2.json'].map(record);
    const [a, b] = [readFileSync(one!), readFileSync(two!)];
    writeFileSync(one!, b);
    writeFileSync(two!, a);
    expect(bad(await verify()).map(({ what }) => what)).toEqual([
      `studies/${studyId}/cells/seed=1.json`,
      `studies/${studyId}/cells/seed=2.json`,
    ]);
    writeFileSync(
      one!,
      a.toString().replace(/"seconds": (\d)/, (_, digit) => `"seconds": ${(Number(digit) + 1) % 10}`),
    );
    writeFileSync(two!, b);
    expect(bad(await verify()).map(({ what }) => what)).toEqual([`studies/${studyId}/cells/seed=1.json`]);
    writeFileSync(one!, a);
  });

  test('of two steps with swapped outputs are not believed, though their seals are right', async () => {
    const keys = await Promise.all(
      ['seed=1', 'seed=2'].map(async (cellId) => (await cellResult(cellId)).stages.quadratic!.key),
    );
    const open = await store();
    const [one, two] = (await Promise.all(keys.map((key) => open.readStep(key)))) as [StepRecord, StepRecord];
    const texts = keys.map((key) => readFileSync(stepFile(key)));
    writeFileSync(stepFile(one.key), seal(JSON.stringify({ ...one, outputs: two.outputs }, undefined, 1)));
    writeFileSync(stepFile(two.key), seal(JSON.stringify({ ...two, outputs: one.outputs }, undefined, 1)));
    await expect(explain(await store(), one.outputs.series!.sha256)).rejects.toThrow(
      /says that step .* made it/,
    );
    const told = await verify();
    expect(bad(told).length).toBeGreaterThanOrEqual(4);
    expect(told.again.filter((line) => line.startsWith('quadratic in cell'))).toHaveLength(2);
    expect(await run()).toMatchObject({ status: 'succeeded', stagesRun: 2 });
    for (const [index, key] of keys.entries()) {
      const { outputs } = (await (await store()).readStep(key))!;
      expect(outputs).toEqual([one, two][index]!.outputs);
      expect(texts[index]).toBeDefined();
    }
    expect(bad(await verify())).toEqual([]);
  });

  test('of a step in the place of another is not believed', async () => {
    const { stages } = await cellResult('seed=1');
    writeFileSync(stepFile(stages.fit!.key), readFileSync(stepFile(stages.spread!.key)));
    expect(await (await store()).readStep(stages.fit!.key)).toBeUndefined();
    expect((await verify()).again).toEqual([expect.stringMatching(/^fit in cell seed=1/)]);
    expect(await run()).toMatchObject({ status: 'succeeded', stagesRun: 1 });
  });
});
