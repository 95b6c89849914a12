import { createReadStream } from 'node:fs';
import { access, constants, lstat, mkdir, readdir, realpath, stat, unlink } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { arrowFiles } from '../arrow/when-needed.ts';
import { DamagedArtifactError, DamagedRecordError, RefusedError } from '../errors.ts';
import type { ArtifactRef } from '../reference.ts';
import {
  explain,
  ifUnreadable,
  readIfFile,
  removeStaleTemporaries,
  writeAtomically,
  writeFileAtomically,
} from './atomic-file.ts';
import { CheckedFiles } from './checked-files.ts';
import { folderCheckpoint } from './checkpoint.ts';
import { listFilesIn, removeEmptyFolders } from './local-files.ts';
import { readMany, readPlainFile } from './many-files.ts';
import { artifactFileName, checkedName, stepFileName } from './names.ts';
import { seal, sealStep, unseal, unsealStep } from './seal.ts';
import type { StepRecord } from './step.ts';
import type { Store, StoreOptions } from './store.ts';

const dayMs = 86_400_000;

/**
 * A store in a folder, which may be on a shared file system; any number of processes may use it at once.
 *
 *     artifacts/ab/<sha256>.arrow   steps/ab/<key>.json   checkpoints/<key>/   studies/<id>/   pins/   sweeps/
 *
 * Throws {@link import('../errors.ts').EnvironmentError} if the folder cannot be made or written.
 */
export async function openLocalStore(folder: string, { mostRemembered }: StoreOptions = {}): Promise<Store> {
  const incoming = join(folder, 'incoming');
  try {
    await mkdir(incoming, { recursive: true });
    await access(incoming, constants.W_OK);
  } catch (error) {
    throw explain(error, folder);
  }
  await removeStaleTemporaries(incoming, dayMs);

  const pathOf = (sha256: string) => join(folder, artifactFileName(sha256));
  const stepPath = (key: string) => join(folder, stepFileName(key));
  const textPath = (name: string) => join(folder, checkedName('record name', name));
  const checked = new CheckedFiles(mostRemembered);
  const damaged = (kind: string, path: string) =>
    new DamagedArtifactError(`The ${kind} artifact ${path} is gone or does not match its digest.`);

  const readStep = async (key: string): Promise<StepRecord | undefined> => {
    const bytes = await readIfFile(stepPath(key));
    return bytes === undefined ? undefined : unsealStep(bytes.toString(), key);
  };
  const readText = async (name: string): Promise<string | undefined> => {
    const path = textPath(name);
    if ((await wayOut(folder, path)) !== undefined)
      throw new DamagedRecordError(name, folder, 'leads out of the store');
    const bytes = await readIfFile(path);
    // A folder or a link to nothing in the place of a record is no missing record.
    if (bytes === undefined && (await lstat(path).catch(ifUnreadable)) === undefined) return undefined;
    const body = bytes === undefined ? undefined : unseal(bytes.toString(), name);
    if (body === undefined) throw new DamagedRecordError(name, folder);
    return body;
  };

  return {
    uri: pathToFileURL(folder).href,

    async write(kind, metadata, fill) {
      const { writeArrowFile, writeMetadata } = await arrowFiles();
      const all = { ...metadata, ...writeMetadata({ kind }) };
      const written = checked.collect();
      const { sha256, bytes } = await writeAtomically(
        incoming,
        (temporary) => writeArrowFile(temporary, kind, all, fill, written.add),
        ({ sha256 }) => pathOf(sha256),
      );
      await written.remember(pathOf(sha256));
      return { uri: pathToFileURL(pathOf(sha256)).href, sha256, kind, bytes };
    },

    async open(ref) {
      const path = pathOf(ref.sha256);
      const bytes = await checked.bytes(path, ref.sha256);
      if (bytes === undefined) throw damaged(ref.kind, path);
      const { readArrow } = await arrowFiles();
      return readArrow(bytes, ref.kind, path);
    },
    async describe(ref) {
      const path = pathOf(ref.sha256);
      const metadata = await checked.metadata(path, ref.sha256);
      if (metadata === undefined) throw damaged(ref.kind, path);
      return { kind: ref.kind, path, metadata };
    },

    async find(sha256, kind) {
      const path = pathOf(sha256);
      const info = await stat(path).catch(ifUnreadable);
      return info?.isFile() ? { uri: pathToFileURL(path).href, sha256, kind, bytes: info.size } : undefined;
    },

    verify: (ref) => checked.isWhole(pathOf(ref.sha256), ref.sha256),

    readStep,
    readSteps: (keys) =>
      readMany(
        keys,
        (key) => {
          const file = readPlainFile(stepPath(key));
          return file && { value: file.text === undefined ? undefined : unsealStep(file.text, key) };
        },
        readStep,
      ),
    writeStep: (record) => writeFileAtomically(stepPath(record.key), sealStep(record)),

    checkpoint: (key) => folderCheckpoint(join(folder, 'checkpoints', checkedName('step key', key))),

    readText,
    async readTexts(names) {
      const folders = new Map<string, string | undefined>();
      for (const place of new Set(names.map((name) => dirname(textPath(name)))))
        folders.set(place, await wayOut(folder, place));
      return readMany<string | undefined | DamagedRecordError>(
        names,
        (name) => {
          const path = textPath(name);
          const file = folders.get(dirname(path)) === undefined ? readPlainFile(path) : undefined;
          const body = file?.text === undefined ? undefined : unseal(file.text, name);
          return file !== undefined && (file.text === undefined || body !== undefined)
            ? { value: body }
            : undefined;
        },
        (name) =>
          readText(name).catch((error: unknown) => {
            if (error instanceof DamagedRecordError) return error;
            throw error;
          }),
      );
    },
    async writeText(name, text) {
      const path = textPath(name);
      // What lies at the path itself is replaced, not followed.
      await mustLieIn(folder, dirname(path));
      await writeFileAtomically(path, seal(text, name));
    },
    async listTexts(prefix) {
      const path = textPath(prefix);
      await mustLieIn(folder, path);
      const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => []);
      return entries
        .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.'))
        .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
        .sort();
    },
    async listFolder(prefix) {
      const path = textPath(prefix);
      await mustLieIn(folder, path);
      const names = await readdir(path).catch(() => []);
      return names.filter((name) => !name.startsWith('.')).sort();
    },

    listFiles: (within) => listFilesIn(folder, within && checkedName('file name', within)),
    async removeFile(name) {
      const path = join(folder, checkedName('file name', name));
      await mustLieIn(folder, dirname(path));
      try {
        await unlink(path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
        throw explain(error, path);
      }
      await removeEmptyFolders(folder, name);
      return true;
    },
    async *readBytes(ref) {
      const path = pathOf(ref.sha256);
      try {
        yield* createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Uint8Array>;
      } catch (error) {
        ifUnreadable(error);
        throw damaged(ref.kind, path);
      }
    },
  };
}

/** Where links lead to from a path in the store, or from what there is of it, if that is out of the store. */
async function wayOut(folder: string, path: string): Promise<string | undefined> {
  const real = await realpath(path).catch(ifUnreadable);
  if (real === undefined) return path === folder ? undefined : wayOut(folder, dirname(path));
  const root = await realpath(folder);
  return real === root || real.startsWith(root + sep) ? undefined : real;
}

async function mustLieIn(folder: string, path: string): Promise<void> {
  const out = await wayOut(folder, path);
  if (out !== undefined) throw new RefusedError(`${path} leads out of the store, to ${out}.`);
}

/** The path of an artifact in a local store. */
export function localPath(ref: ArtifactRef): string {
  return fileURLToPath(ref.uri);
}
