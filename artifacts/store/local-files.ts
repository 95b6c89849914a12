import { lstat, readdir, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import pLimit, { type LimitFunction } from 'p-limit';
import type { StoredFile } from './store.ts';

const atATime = 16;
/** In these, a folder is of one step or study, and nobody misses it once it is empty. Into others, a file may be put at any moment. */
const passing = /^(checkpoints|studies)\/[^/]+\//;

/**
 * Every file below a folder of a store's folder, hidden ones too. A link counts as itself and is not followed, but for that folder. What goes meanwhile is
 * left out; a folder that cannot be read is an error, since what is in it would seem to be gone.
 */
export async function listFilesIn(root: string, within = ''): Promise<StoredFile[]> {
  const files: StoredFile[] = [];
  await listInto(files, root, join(root, within), pLimit(atATime));
  return files;
}

async function listInto(
  files: StoredFile[],
  root: string,
  folder: string,
  limit: LimitFunction,
): Promise<void> {
  const entries = await limit(() => readdir(folder, { withFileTypes: true }).catch(ifGone));
  const inside = (entries ?? []).map(async (entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return listInto(files, root, path, limit);
    const info = await limit(() => lstat(path).catch(ifGone));
    if (info !== undefined)
      files.push({ name: path.slice(root.length + 1), bytes: info.size, writtenAt: info.mtimeMs });
  });
  await Promise.all(inside);
}

/** Removes the folders that a removed file has left empty, up to that of its step or study. */
export async function removeEmptyFolders(root: string, name: string): Promise<void> {
  for (let place = name; passing.test(place); ) {
    place = dirname(place);
    const isGone = await rmdir(join(root, place)).then(
      () => true,
      () => false,
    );
    if (!isGone) return;
  }
}

function ifGone(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
