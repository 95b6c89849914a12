/** What commands say of 10,000 cells: bounded on a terminal, whole for machines, and each record read once. */
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { listArtifacts } from '../../../cli/checks/artifact-list.ts';
import { formatArtifacts, formatOrigin, formatVerification } from '../../../cli/checks/artifact-views.ts';
import { explain } from '../../../cli/checks/lineage.ts';
import { listStudies, resolveStudy } from '../../../cli/checks/study-records.ts';
import { verifyStudy } from '../../../cli/checks/verify.ts';
import { cutForTerminal } from '../../../cli/output/output.ts';
import { examineStudy } from '../../../cli/progress/study-status.ts';
import { formatStatus } from '../../../cli/progress/study-view.ts';
import type { CellResult, StudyProgress } from '../../../workflows/messages.ts';
import { countReads } from '../../fixtures/counted-store.ts';
import { someTroubles, trivialPipeline, writeLargeStudy } from '../../fixtures/large-study.ts';
import { storeOfThisFile } from '../../fixtures/store-of-this-file.ts';
import { bytesIn } from '../../fixtures/stored.ts';

const cells = 10_000;
const terminal = { interactive: true };
const pipe = { interactive: false };
const store = await storeOfThisFile();

let studyId: string;
beforeAll(async () => {
  studyId = await writeLargeStudy(store, trivialPipeline(cells, 1), { fails: someTroubles(cells).fails! });
});

const most = (counts: ReadonlyMap<string, number>) => Math.max(0, ...counts.values());
const lines = (texts: string | readonly string[]) => [texts].flat().join('\n').split('\n');

describe('status', () => {
  test('of a finished study reads each cell once and not the plan, and shows ten failures of 200', async () => {
    const reads = countReads(store);
    const status = await examineStudy(reads.store, await resolveStudy(store, studyId), undefined);
    expect(reads.texts.size).toBe(cells + 1);
    expect(most(reads.texts)).toBe(1);
    expect(reads.texts).not.toContain(`studies/${studyId}/plan.json`);
    expect(status).toMatchObject({ cells, ended: cells, counts: { succeeded: 9_800, failed: 200 } });
    expect(status.failures.map(({ cellId }) => cellId)).toEqual(
      Array.from({ length: 200 }, (_, index) => `seed=${4001 + index}`),
    );
    const shown = lines(formatStatus(status, { columns: 80, now: new Date() }));
    expect(shown.length).toBeLessThan(30);
    expect(shown.join('\n')).toContain('failed, 10 of 200; --json shows more');
  });

  test('of one that runs without a failure reads no cell', async () => {
    const reads = countReads(store);
    const progress: StudyProgress = {
      ...{ studyId, cells, counts: { succeeded: 5000, failed: 0, cancelled: 0 } },
      ...{ running: [], paused: false, phase: 'cells' },
    };
    const version = async () => undefined;
    const running = { attached: true, progress: async () => progress, cells: async () => [], version };
    const record = await resolveStudy(store, studyId);
    const status = await examineStudy(reads.store, record, running as never);
    expect(status).toMatchObject({ status: 'running', ended: 5000, failures: [] });
    expect(reads.texts.size).toBe(0);
  });
});

test('list reads the record of a study, not its cells', async () => {
  const reads = countReads(store);
  expect((await listStudies(reads.store)).studies.map((study) => study.studyId)).toEqual([studyId]);
  expect([...reads.texts.keys()]).toEqual([`studies/${studyId}/study.json`]);
});

test('artifacts are a hundred lines on a terminal, and all in a pipe', async () => {
  const reads = countReads(store);
  const artifacts = await listArtifacts(reads.store, studyId, () => undefined);
  expect(most(reads.texts)).toBe(1);
  const shown = lines(formatArtifacts(studyId, artifacts, terminal));
  expect(shown).toHaveLength(1 + 100 + 2);
  expect(shown.at(-2)).toBe('100 of 19,600 artifacts are listed; --json has all, and so has a pipe');
  // All cells have the same one, of which both outputs consist.
  expect(shown.at(-1)).toMatch(/^1 file, \d+ B, each counted once$/);
  expect(artifacts.total.bytes).toBe(bytesIn(store, /artifacts/));
  expect(lines(formatArtifacts(studyId, artifacts, pipe))).toHaveLength(1 + 19_600 + 1);
});

test('artifacts of failed cells come first', () => {
  const artifact = (cell: string, cellStatus: CellResult['status']) =>
    ({
      cell,
      cellStatus,
      stage: 'data',
      output: 'train',
      kind: 'dataset',
      bytes: 1,
      uri: 'file:///x',
      files: 1,
      allBytes: 1,
    }) as never;
  const artifacts = [artifact('one', 'succeeded'), artifact('two', 'failed'), artifact('three', 'succeeded')];
  const listed = { artifacts, total: { files: 3, bytes: 3 } };
  expect(lines(formatArtifacts('x', listed, terminal)).map((line) => line.split('  ')[0])).toEqual([
    'cell',
    'two (failed)',
    'one',
    'three',
    '3 files, 3 B, each counted once',
  ]);
});

describe('verify', () => {
  test('checks everything, and opens what cells have in common once', async () => {
    const reads = countReads(store);
    const verification = await verifyStudy(reads.store, studyId);
    expect(verification.checks.filter(({ ok }) => !ok)).toEqual([]);
    // Three records of the study, one of each cell, and of each that succeeded its step and that it follows; two artifacts.
    expect(verification.checks).toHaveLength(3 + cells + 2 * 9_800 + 2);
    expect(most(reads.texts)).toBe(1);
    const shown = lines(formatVerification(studyId, verification, terminal));
    expect(shown.length).toBeLessThan(105);
    expect(shown).toContain('100 of 29,605 checks are listed; --json has all, and so has a pipe');
    expect(lines(formatVerification(studyId, verification, pipe))).toEqual([
      `${studyId}: 29,605 checks, 0 bad`,
    ]);
  });

  test('says first what is bad, and how much of it', () => {
    const check = (ok: boolean) => (_: unknown, index: number) => ({ ok, what: `${index}`, found: '' });
    const of = (bad: number, ok: number) => [
      ...Array.from({ length: ok }, check(true)),
      ...Array.from({ length: bad }, check(false)),
    ];
    const again = Array.from({ length: 1000 }, (_, index) => `train in cell ${index}: it is gone`);
    const unknown = Array.from({ length: 300 }, (_, index) => `x${index}.json`);
    const few = lines(
      formatVerification('x', { checks: of(2, 500), unknown: [], again: [], leftOut: 0 }, terminal),
    );
    expect(few.map((line) => line.startsWith('BAD')).lastIndexOf(true)).toBe(1);
    const many = lines(
      formatVerification('x', { checks: of(700, 500), unknown, again, leftOut: 0 }, terminal),
    );
    expect(many.length).toBeLessThan(240);
    expect(many).toContain('100 of 1,200 checks are listed; --json has all, and so has a pipe');
    expect(many).toContain('100 of 300 unknown files are listed; --json has all, and so has a pipe');
    expect(many).toContain('20 of 1,000 stages are listed; --json has all, and so has a pipe');
    expect(many).toContain('x: 1,200 checks, 700 bad');
  });
});

describe('explain', () => {
  test('reads the step that a file names, and no other', async () => {
    const { artifacts } = await listArtifacts(store, studyId, () => undefined);
    const reads = countReads(store);
    const { sha256 } = artifacts[0]!;
    for (const wanted of [sha256, sha256.slice(0, 12), fileURLToPath(artifacts[0]!.uri)])
      expect(await explain(reads.store, wanted)).toMatchObject({ sha256, whole: true, uses: 'dataset' });
    expect(reads.steps.size).toBe(1);
  });

  test('shows ten inputs of a step, and says of how many', async () => {
    const { artifacts } = await listArtifacts(store, studyId, () => undefined);
    const [artifact] = artifacts;
    const origin = await explain(store, artifact!.sha256);
    const inputs = Array.from({ length: 9_800 }, (_, index) => ({ name: `cell ${index}`, origin }));
    const sources = Object.fromEntries(inputs.map(({ name }) => [name, artifact!.sha256]));
    const shown = lines(formatOrigin({ ...origin, key: 'other', inputs, sources }));
    expect(shown.length).toBeLessThan(40);
    expect(shown).toContain('  … 10 of 9,800 inputs; --json has all');
    expect(shown).toContain('  … 10 of 9,800 files; --json has all');
  });
});

test('a list that fits on a terminal is not cut', () => {
  expect(cutForTerminal(terminal, [1, 2], 'check', 2)).toEqual({ shown: [1, 2], cut: [] });
});
