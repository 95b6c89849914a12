import { createHash } from 'node:crypto';
import { open, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import pLimit from 'p-limit';
import { DamagedArtifactError, InputError } from '../../artifacts/errors.ts';
import { type ArtifactKind, type ArtifactRef, isArtifactRef } from '../../artifacts/reference.ts';
import { explain, writeAtomically, writeFileAtomically } from '../../artifacts/store/atomic-file.ts';
import { type LeftOut, writeLeftOut } from '../../artifacts/store/left-out.ts';
import { openLocalStore } from '../../artifacts/store/local-store.ts';
import { artifactFileName, studyRecordName } from '../../artifacts/store/names.ts';
import { filesOf } from '../../artifacts/store/outputs.ts';
import type { Store } from '../../artifacts/store/store.ts';
import { writeReport } from '../../report/write-report.ts';
import type { CellResult } from '../../workflows/messages.ts';
import { readCells, readPlan, readResult } from '../checks/study-records.ts';
import { isTensor, writeTables } from './export-tables.ts';

const atATime = pLimit(8);

/** A file of an export, as its manifest lists it. */
export interface ExportedFile {
  /** Within the folder, with slashes. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Of an artifact. */
  readonly kind?: ArtifactKind;
}

/** `manifest.json` of an export: `schemas/output/export.schema.json`. */
export interface ExportManifest {
  readonly studyId: string;
  readonly withTensors: boolean;
  /** All files but the manifest itself, by path. */
  readonly files: readonly ExportedFile[];
  /** Artifacts that were left out, because they are tensors. */
  readonly leftOut: LeftOut['artifacts'];
}

/**
 * Writes all that a reader of a study needs into an empty folder: the report, the tables as CSV, a store of its own with the records of the study, of its steps and
 * its artifacts (those that are tensors only if asked for), and last the manifest with the digest of every file. The same study gives the same files but for the times in
 * its records.
 *
 * Throws {@link InputError} if the folder is not empty, {@link DamagedArtifactError} or `DamagedRecordError` if something of the study is damaged or gone, and
 * `EnvironmentError` if the folder cannot be written.
 */
export async function exportStudy(
  store: Store,
  studyId: string,
  folder: string,
  withTensors: boolean,
): Promise<ExportManifest> {
  await mustBeEmpty(folder);
  try {
    return await writeExport(store, studyId, folder, withTensors);
  } catch (error) {
    throw explain(error, folder);
  }
}

async function writeExport(
  store: Store,
  studyId: string,
  folder: string,
  withTensors: boolean,
): Promise<ExportManifest> {
  const plan = await readPlan(store, studyId);
  const cells = await readCells(store, plan, studyId, (error) => {
    throw error;
  });
  const collect = (await readResult(store, studyId))?.collect ?? {};
  await writeReport({ store, studyId, outDirectory: path.join(folder, 'report') });
  const all: CellResult = { cellId: 'study', status: 'succeeded', stages: collect };
  await writeTables(store, [...cells, all], path.join(folder, 'tables'));
  const place = path.join(folder, 'store');
  const copy = await openLocalStore(place);
  const { copied, leftOut } = await copyArtifacts(store, [...cells, all], place, withTensors);
  if (leftOut.length > 0) await writeLeftOut(copy, { studyId, artifacts: leftOut });
  await copyRecords(store, copy, studyId, [...cells, all]);
  const paths = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .sort();
  const files = paths.map((name) => atATime(async () => copied.get(name) ?? digested(folder, name)));
  const manifest = { studyId, withTensors, files: await Promise.all(files), leftOut };
  await writeFileAtomically(
    path.join(folder, 'manifest.json'),
    `${JSON.stringify(manifest, undefined, 2)}\n`,
  );
  return manifest;
}

async function mustBeEmpty(folder: string): Promise<void> {
  const inside = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw explain(error, folder);
  });
  if (inside.length > 0)
    throw new InputError(
      `The folder ${folder} is not empty, so nothing is exported into it.`,
      'Name one that is empty or not there yet.',
    );
}

/** Copies the artifacts that cells have, each once, with their digests checked on the way. */
async function copyArtifacts(
  store: Store,
  cells: readonly CellResult[],
  place: string,
  withTensors: boolean,
) {
  const outputs = cells.flatMap(({ stages }) =>
    Object.values(stages).flatMap((stage) => Object.values(stage.outputs)),
  );
  const files = new Map<string, ArtifactRef>();
  const leftOut = new Map<string, ArtifactRef>();
  for (const output of new Map(outputs.map((ref) => [ref.sha256, ref])).values()) {
    for (const ref of await filesOf(store, output))
      (withTensors || !isTensor(ref.kind) ? files : leftOut).set(ref.sha256, ref);
  }
  const copied = new Map<string, ExportedFile>();
  const copying = [...files.values()].map((ref) =>
    atATime(async () => {
      const name = artifactFileName(ref.sha256);
      const bytes = await copyArtifact(store, ref, place, name);
      const { sha256, kind } = ref;
      copied.set(`store/${name}`, { path: `store/${name}`, bytes, sha256, kind });
    }),
  );
  await allEnded(copying);
  const left = [...leftOut.values()].map(({ sha256, kind, bytes }) => ({ sha256, kind, bytes }));
  return { copied, leftOut: left.sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1)) };
}

/** Waits for all, also if one fails: then nothing is written any more when its error is thrown. */
async function allEnded(work: readonly (Promise<void> | undefined)[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function copyArtifact(store: Store, ref: ArtifactRef, place: string, name: string): Promise<number> {
  const write = async (temporary: string) => {
    const digest = createHash('sha256');
    const file = await open(temporary, 'wx');
    let bytes = 0;
    try {
      for await (const piece of store.readBytes(ref)) {
        digest.update(piece);
        bytes += piece.byteLength;
        await file.writeFile(piece);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    if (digest.digest('hex') !== ref.sha256)
      throw new DamagedArtifactError(
        `The ${ref.kind} artifact ${ref.sha256.slice(0, 12)} does not match its digest.`,
      );
    return bytes;
  };
  return writeAtomically(path.join(place, 'incoming'), write, () => path.join(place, name));
}

async function copyRecords(
  store: Store,
  copy: Store,
  studyId: string,
  cells: readonly CellResult[],
): Promise<void> {
  const keys = new Set(cells.flatMap(({ stages }) => Object.values(stages).map(({ key }) => key)));
  const steps = await store.readSteps([...keys]);
  const writing = steps.map((record) => record && atATime(() => copy.writeStep(elsewhere(record))));
  const names = await store.listTexts(`studies/${studyId}`);
  const result = studyRecordName(studyId, 'result');
  const texts = names.filter((name) => name !== result && name.endsWith('.json'));
  for (const name of texts)
    writing.push(atATime(async () => copy.writeText(name, elsewhereText((await store.readText(name))!))));
  await allEnded(writing);
  // Written last, as by a run: a study whose result is older than its launch has not ended.
  const ended = await store.readText(result);
  if (ended !== undefined) await copy.writeText(result, elsewhereText(ended));
}

function elsewhereText(json: string): string {
  return JSON.stringify(elsewhere(JSON.parse(json) as unknown));
}

/** A record without the places of the machine that it comes from, which say nothing anywhere else: artifacts lie where the store has them, the pipeline nowhere. */
function elsewhere<T>(record: T): T {
  if (Array.isArray(record)) return record.map(elsewhere) as T;
  if (typeof record !== 'object' || record === null) return record;
  const entries = Object.entries(record).filter(([name]) => name !== 'baseDirectory');
  const copy = Object.fromEntries(entries.map(([name, value]) => [name, elsewhere(value)])) as T;
  return isArtifactRef(record) ? { ...copy, uri: artifactFileName(record.sha256) } : copy;
}

async function digested(folder: string, name: string): Promise<ExportedFile> {
  const bytes = await readFile(path.join(folder, name));
  return { path: name, bytes: bytes.byteLength, sha256: createHash('sha256').update(bytes).digest('hex') };
}
