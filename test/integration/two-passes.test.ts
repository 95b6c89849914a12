import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ArtifactRef } from '../../artifacts/reference.ts';
import { openStore } from '../../artifacts/store/open-store.ts';
import { readCells } from '../../cli/checks/study-records.ts';
import { verifyStudy } from '../../cli/checks/verify.ts';
import { compile } from '../../compiler/index.ts';
import { studyIdOf } from '../../runtime/study/client.ts';
import { type LocalStudies, openLocalStudies, until } from '../fixtures/local-study.ts';

const fixture = path.join(import.meta.dirname, '..', 'fixtures', 'two-passes.yaml');
const { plan } = compile(readFileSync(fixture, 'utf8'), { file: fixture });
const studyId = studyIdOf(plan);
let studies: LocalStudies;

beforeAll(async () => {
  studies = await openLocalStudies({ concurrency: 2, modules: 'held-stages' });
  const result = await (await studies.start(plan)).result();
  expect(result).toMatchObject({ status: 'succeeded', stagesRun: 8 });
});
afterAll(() => studies?.close());

async function outputsOf(stage: string): Promise<Readonly<Record<string, ArtifactRef>>> {
  const [cell] = await readCells(await openStore(studies.storeUri()), plan, studyId);
  return cell!.stages[stage]!.outputs;
}

async function seriesOf(stage: string) {
  const table = await (await openStore(studies.storeUri())).open((await outputsOf(stage)).series!);
  const theta = [...table.floatVectors('theta')].flatMap(({ values }) => [...values]);
  return { steps: [...table.numbers('step')], theta };
}

test('two passes have the series of a trajectory that is kept and projected, and keep none', async () => {
  const [second, projected] = [await seriesOf('second'), await seriesOf('project')];
  expect(second.steps).toHaveLength(4 * 24);
  expect(second).toEqual(projected);
  expect(Object.keys(await outputsOf('first')).sort()).toEqual(['mean', 'state']);
  expect(Object.keys(await outputsOf('second')).sort()).toEqual(['mean', 'series', 'sketch', 'state']);
  const { checks, unknown } = await verifyStudy(await openStore(studies.storeUri()), studyId);
  expect({ bad: checks.filter(({ ok }) => !ok), unknown }).toEqual({ bad: [], unknown: [] });
  const steps = checks.filter(({ what }) => what.endsWith(', steps')).map(({ what }) => what.split(' ')[1]);
  expect(steps.sort()).toEqual(['project.series', 'second.series', 'second.sketch']);
});

test('a recording onto a basis that is killed in its middle ends with the same bytes', async () => {
  const outputs = await outputsOf('second');
  const before = Object.entries(outputs).map(([name, { uri }]) => {
    const file = fileURLToPath(uri);
    return { name, file, bytes: readFileSync(file) };
  });
  for (const { file } of before) rmSync(file);
  studies.gate.hold('record');
  const study = await studies.start(plan);
  const pid = await until(async () => studies.gate.met('record'));
  process.kill(pid, 'SIGKILL');
  studies.gate.release('record');
  expect(await study.result()).toMatchObject({ status: 'succeeded', stagesRun: 1 });
  for (const { name, file, bytes } of before) expect(readFileSync(file).equals(bytes), name).toBe(true);
  expect((await outputsOf('second')).series).toEqual(outputs.series);
});
