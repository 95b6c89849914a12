import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, constants, mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { readArrow } from './arrow-reader.ts';
import { writeArrowFile } from './arrow-writer.ts';
import { explain, removeStaleTemporaries, writeAtomically, writeFileAtomically } from './atomic-file.ts';
import { folderCheckpoint } from './checkpoint.ts';
import { DamagedArtifactError } from './errors.ts';
import type { ArtifactRef } from './reference.ts';
import type { StepRecord, Store } from './store.ts';

const dayMs = 86_400_000;

/**
 * A store in a folder, which may be on a shared file system; any number of processes may use it at once.
 *
 *     artifacts/ab/<sha256>.arrow   steps/ab/<key>.json   checkpoints/<key>/   studies/<id>/
 *
 * Throws {@link import('./errors.ts').EnvironmentError} if the folder cannot be made or written.
 */
export async function openLocalStore(folder: string): Promise<Store> {
  const incoming = join(folder, 'incoming');
  try {
    await mkdir(incoming, { recursive: true });
    await access(incoming, constants.W_OK);
  } catch (error) {
    throw explain(error, folder);
  }
  await removeStaleTemporaries(incoming, dayMs);

  const pathOf = (sha256: string) => join(folder, 'artifacts', sha256.slice(0, 2), `${sha256}.arrow`);
  const stepPath = (key: string) => join(folder, 'steps', key.slice(0, 2), `${key}.json`);
  /** Path -> size and time of files whose digest this process has checked. */
  const checked = new Map<string, string>();

  const isWhole = async (path: string, sha256: string): Promise<boolean> => {
    const info = await stat(path).catch(() => undefined);
    if (info === undefined) return false;
    const seen = `${info.size} ${info.mtimeMs} ${info.ino}`;
    if (checked.get(path) === seen) return true;
    const hash = createHash('sha256');
    await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
    if (hash.digest('hex') !== sha256) return false;
    checked.set(path, seen);
    return true;
  };

  return {
    uri: pathToFileURL(folder).href,

    async write(kind, metadata, fill) {
      const all = { ...metadata, 'epochal.kind': kind };
      const { sha256, bytes } = await writeAtomically(
        incoming,
        (temporary) => writeArrowFile(temporary, kind, all, fill),
        (written) => pathOf(written.sha256),
      );
      return { uri: pathToFileURL(pathOf(sha256)).href, sha256, kind, bytes };
    },

    async open(ref) {
      const path = pathOf(ref.sha256);
      if (!(await isWhole(path, ref.sha256))) {
        throw new DamagedArtifactError(
          `The ${ref.kind} artifact ${path} is gone or does not match its digest.`,
        );
      }
      return readArrow(await readFile(path), ref.kind, path);
    },

    async find(sha256, kind) {
      const path = pathOf(sha256);
      const info = await stat(path).catch(() => undefined);
      return info === undefined
        ? undefined
        : { uri: pathToFileURL(path).href, sha256, kind, bytes: info.size };
    },

    verify: (ref: ArtifactRef) => isWhole(pathOf(ref.sha256), ref.sha256),

    async readStep(key) {
      const text = await readFile(stepPath(key), 'utf8').catch(() => undefined);
      return text === undefined ? undefined : unseal(text);
    },
    writeStep: (record) => writeFileAtomically(stepPath(record.key), seal(record)),

    checkpoint: (key) => folderCheckpoint(join(folder, 'checkpoints', key)),

    readText: (name) => readFile(join(folder, name), 'utf8').catch(() => undefined),
    writeText: (name, text) => writeFileAtomically(join(folder, name), text),
    async listTexts(prefix) {
      const entries = await readdir(join(folder, prefix), { recursive: true, withFileTypes: true }).catch(
        () => [],
      );
      return entries
        .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
        .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
        .sort();
    },
  };
}

/** A step record with its own digest in the first line. */
function seal(record: StepRecord): string {
  const body = JSON.stringify(record, undefined, 1);
  return `${createHash('sha256').update(body).digest('hex')}\n${body}\n`;
}

/** The record, or undefined if the text is torn or was edited: the step then counts as not done. */
function unseal(text: string): StepRecord | undefined {
  const end = text.indexOf('\n');
  const body = text.slice(end + 1, -1);
  if (createHash('sha256').update(body).digest('hex') !== text.slice(0, end)) return undefined;
  return JSON.parse(body) as StepRecord;
}

/** The path of an artifact in a local store. */
export function localPath(ref: ArtifactRef): string {
  return fileURLToPath(ref.uri);
}
