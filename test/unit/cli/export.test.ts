import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { localPath } from '../../../artifacts/store/local-store.ts';
import { openStore } from '../../../artifacts/store/open-store.ts';
import { listArtifacts } from '../../../cli/checks/artifact-list.ts';
import { explain } from '../../../cli/checks/lineage.ts';
import { verifyStudy } from '../../../cli/checks/verify.ts';
import { type ExportManifest, exportStudy } from '../../../cli/storage/export-study.ts';
import { writeStudy } from '../../fixtures/kept-studies.ts';
import { filesIn, temporaryFolder, temporaryStore } from '../artifacts/folders.ts';

const sketch = { name: 'one', seeds: [1, 2], epochs: 2 };

function expectManifest(folder: string, manifest: ExportManifest): void {
  expect(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'))).toEqual(manifest);
  expect([...manifest.files.map(({ path }) => path), 'manifest.json'].sort()).toEqual(filesIn(folder));
  for (const { path, bytes, sha256 } of manifest.files) {
    const content = readFileSync(join(folder, path));
    expect(
      { bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') },
      path,
    ).toEqual({
      bytes,
      sha256,
    });
  }
}

test('with tensors, the export is a store in which the study is whole, and can be explained and listed', async () => {
  const { store } = await temporaryStore();
  const { studyId } = await writeStudy(store, sketch);
  const folder = join(temporaryFolder(), 'out');
  const manifest = await exportStudy(store, studyId, folder, true);
  expectManifest(folder, manifest);
  expect(manifest.leftOut).toEqual([]);
  const copy = await openStore(join(folder, 'store'));
  const { checks } = await verifyStudy(copy, studyId);
  expect(checks.filter(({ ok }) => !ok)).toEqual([]);
  const [here, there] = await Promise.all(
    [store, copy].map((one) => listArtifacts(one, studyId, () => undefined)),
  );
  expect(there!.total).toEqual(here!.total);
  for (const { path } of there!.artifacts) expect(path).toContain(folder);
  const { sha256 } = here!.artifacts.at(-1)!;
  expect(await explain(copy, sha256)).toEqual(await explain(store, sha256));
});

test('without tensors it has the report, every table with its digits, and says what was left out', async () => {
  const { store } = await temporaryStore();
  const { studyId } = await writeStudy(store, sketch);
  const folder = temporaryFolder();
  const manifest = await exportStudy(store, studyId, folder, false);
  expectManifest(folder, manifest);
  expect(new Set(manifest.leftOut.map(({ kind }) => kind))).toEqual(new Set(['dataset', 'state', 'series']));
  const copy = await openStore(join(folder, 'store'));
  const verification = await verifyStudy(copy, studyId);
  expect(verification.checks.filter(({ ok }) => !ok)).toEqual([]);
  expect(verification.unknown).toEqual([]);
  expect(verification.leftOut).toBe(manifest.leftOut.length);
  // Nothing in it names a place of the machine that it comes from.
  for (const { path } of manifest.files.filter((file) => file.path.startsWith('store/')))
    expect(readFileSync(join(folder, path)).includes(tmpdir()), path).toBe(false);
  const names = filesIn(folder);
  expect(names).toContain('report/report.html');
  expect(names.filter((name) => name.startsWith('tables/'))).toEqual([
    'tables/all.table.csv',
    'tables/analyze.spectrum.csv',
    'tables/fit.parameters.csv',
    'tables/train.history.csv',
  ]);
  const { artifacts } = await listArtifacts(store, studyId, () => undefined);
  const history = artifacts.filter(({ kind }) => kind === 'history');
  const [header, ...rows] = readFileSync(join(folder, 'tables/train.history.csv'), 'utf8')
    .trimEnd()
    .split('\r\n');
  expect(header!.startsWith('cell,epoch,learning_rate')).toBe(true);
  const losses: string[] = [];
  for (const { cell, ...ref } of history)
    for (const loss of (await store.open(ref)).numbers('train_loss')) losses.push(`${cell} ${loss}`);
  const column = header!.split(',').indexOf('train_loss');
  expect(rows.map((row) => `${row.split(',')[0]} ${row.split(',')[column]}`)).toEqual(losses);
});

test('what an export has is checked like any store: a table that is torn or gone, and the record of what was left out', async () => {
  const { store } = await temporaryStore();
  const { studyId } = await writeStudy(store, sketch);
  const { artifacts } = await listArtifacts(store, studyId, () => undefined);
  const { sha256 } = artifacts.find(({ kind }) => kind === 'spectrum')!;
  const harm: Record<string, (folder: string) => void> = {
    [sha256.slice(0, 12)]: (folder) =>
      rmSync(join(folder, `store/artifacts/${sha256.slice(0, 2)}/${sha256}.arrow`)),
    'left-out.json': (folder) => writeFileSync(join(folder, `store/studies/${studyId}/left-out.json`), '{}'),
  };
  for (const [what, destroy] of Object.entries(harm)) {
    const folder = temporaryFolder();
    await exportStudy(store, studyId, folder, false);
    destroy(folder);
    const { checks } = await verifyStudy(await openStore(join(folder, 'store')), studyId);
    expect(
      checks.filter((check) => !check.ok).some((check) => check.what.includes(what)),
      what,
    ).toBe(true);
  }
});

test('nothing goes into a folder that has something, and what is damaged ends the export without a manifest', async () => {
  const { store } = await temporaryStore();
  const { studyId } = await writeStudy(store, sketch);
  const full = temporaryFolder();
  writeFileSync(join(full, 'mine'), '');
  await expect(exportStudy(store, studyId, full, false)).rejects.toMatchObject({
    name: 'InputError',
    cure: expect.stringContaining('empty') as string,
  });
  expect(filesIn(full)).toEqual(['mine']);
  const { artifacts } = await listArtifacts(store, studyId, () => undefined);
  writeFileSync(localPath(artifacts.find(({ kind }) => kind === 'state')!), 'torn');
  const folder = temporaryFolder();
  await expect(exportStudy(store, studyId, folder, true)).rejects.toThrow('does not match its digest');
  // Nothing goes on being written, either.
  const left = filesIn(folder);
  expect(left).not.toContain('manifest.json');
  expect(left.filter((name) => name.includes('.tmp-'))).toEqual([]);
});
