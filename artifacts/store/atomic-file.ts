import { randomBytes } from 'node:crypto';
import { lstat, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EnvironmentError, StoreUnavailableError } from '../errors.ts';
import { openNew } from '../new-file.ts';
import { temporaryMark } from './names.ts';

/** How often a folder is made again that goes while something is put into it. */
const mostAttempts = 5;

/**
 * Makes a file that is there whole or not at all: `write` makes and fills a temporary file in `folder` (unique, so that several processes may write
 * the same file; with {@link openNew}, which makes the folder too), which is then renamed. What `write` returns may decide the final path. Nothing is left behind when `write` throws.
 *
 * Throws {@link EnvironmentError} when the disk is full or the folder cannot be written.
 */
export async function writeAtomically<T>(
  folder: string,
  write: (temporary: string) => Promise<T>,
  finalPath: (result: T) => string,
): Promise<T> {
  try {
    return await writeOnce(folder, write, finalPath);
  } catch (error) {
    throw explain(error, folder);
  }
}

async function writeOnce<T>(
  folder: string,
  write: (temporary: string) => Promise<T>,
  finalPath: (result: T) => string,
): Promise<T> {
  const temporary = join(folder, `${temporaryMark}${process.pid}-${randomBytes(6).toString('hex')}`);
  try {
    const result = await write(temporary);
    const path = finalPath(result);
    await replace(temporary, path);
    await syncFolder(dirname(path));
    return result;
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** Renames; a folder that took the file's place is moved aside, whatever is in it. */
async function replace(temporary: string, path: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await rename(temporary, path);
    } catch (error) {
      if (attempt === mostAttempts) throw error;
      // Mostly the folder is there, and need not be asked for; an empty one may go at any time.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') await mkdir(dirname(path), { recursive: true });
      else if ((await lstat(path).catch(() => undefined))?.isDirectory())
        await rename(path, `${path}.aside-${randomBytes(6).toString('hex')}`);
      else throw error;
    }
  }
}

/** Writes bytes to `path` atomically and durably. Throws as {@link writeAtomically}. */
export async function writeFileAtomically(path: string, bytes: Uint8Array | string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await writeOnce(
        dirname(path),
        (temporary) => writeAndSync(temporary, bytes),
        () => path,
      );
    } catch (error) {
      // Another worker that has done the same step may have removed the folder of its checkpoint in between.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || attempt === mostAttempts)
        throw explain(error, dirname(path));
    }
  }
}

async function writeAndSync(path: string, bytes: Uint8Array | string): Promise<void> {
  const file = await openNew(path);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Removes temporary files in `folder` that a killed process left more than `ageMs` ago. */
export async function removeStaleTemporaries(folder: string, ageMs: number): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.startsWith(temporaryMark)) continue;
    const path = join(folder, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > ageMs) await rm(path, { force: true });
  }
}

/** The rename is durable only once the folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().catch(() => undefined);
  await handle.close();
}

const unreadable = ['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'EACCES', 'EPERM', 'EIO', 'ENXIO', 'ESTALE'];

/** Handles the rejection of reading a file that is gone or cannot be read: a folder, a link to nothing or to itself. Others are thrown on. */
export function ifUnreadable(error: unknown): undefined {
  if (!unreadable.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  return undefined;
}

/** The bytes of a file; undefined if it is gone, cannot be read, or is none: to read a pipe would never end. */
export async function readIfFile(path: string): Promise<Buffer | undefined> {
  const info = await stat(path).catch(ifUnreadable);
  return info?.isFile() ? readFile(path).catch(ifUnreadable) : undefined;
}

/** A file-system error in the user's terms; other errors as they are. */
export function explain(error: unknown, place: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new StoreUnavailableError(
      `The disk is full: there is no space left for ${place}.`,
      'Free some space, or choose another place with --store, and run again: finished stages are kept.',
    );
  }
  // To make a folder on a read-only disk gives ENOENT.
  if (
    ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENOENT', 'ELOOP', 'ENAMETOOLONG'].includes(code ?? '')
  ) {
    return new EnvironmentError(
      `The store cannot be written: ${place} is not a writable folder (${code}).`,
      'Choose another place with --store, or mend its permissions.',
    );
  }
  return error;
}
