import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { readIfFile, writeFileAtomically } from './atomic-file.ts';
import { checkedName } from './names.ts';
import { sealBytes, unsealBytes } from './seal.ts';
import type { Checkpoint } from './store.ts';

/**
 * A checkpoint in a folder. Each file ends with the SHA-256 of the folder's name, its own, and what comes before it, so that one that is torn, or
 * was put in the place of another, is never taken for whole.
 */
export function folderCheckpoint(folder: string): Checkpoint {
  const pathOf = (name: string): string => join(folder, checkedName('checkpoint name', name));
  const about = (name: string): string => `${basename(folder)}/${name}`;
  return {
    async list() {
      const names = await readdir(folder).catch(() => []);
      return names.filter((name) => !name.startsWith('.')).sort();
    },
    async read(name) {
      const file = await readIfFile(pathOf(name));
      return file && unsealBytes(file, about(name));
    },
    async write(name, bytes) {
      await writeFileAtomically(pathOf(name), sealBytes(bytes, about(name)));
    },
    async remove(name) {
      await rm(pathOf(name), { recursive: true, force: true });
    },
    async clear() {
      // Another worker may put something into it meanwhile.
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
