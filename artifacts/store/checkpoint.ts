import { createHash } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { readIfFile, writeFileAtomically } from './atomic-file.ts';
import { checkedName } from './names.ts';
import type { Checkpoint } from './store.ts';

const digestBytes = 32;

/**
 * A checkpoint in a folder. Each file ends with the SHA-256 of the folder's name, its own, and what comes before it, so that one that is torn, or
 * was put in the place of another, is never taken for whole.
 */
export function folderCheckpoint(folder: string): Checkpoint {
  const pathOf = (name: string): string => join(folder, checkedName('checkpoint name', name));
  const digest = (name: string, bytes: Uint8Array): Buffer =>
    createHash('sha256')
      .update(`${basename(folder)}/${name}\n`)
      .update(bytes)
      .digest();
  return {
    async list() {
      const names = await readdir(folder).catch(() => []);
      return names.filter((name) => !name.startsWith('.')).sort();
    },
    async read(name) {
      const file = await readIfFile(pathOf(name));
      if (file === undefined || file.length < digestBytes) return undefined;
      // Not a Buffer, whose slice() is no copy, so that `bytes.slice().buffer` is what it seems.
      const bytes = new Uint8Array(file.buffer, file.byteOffset, file.length - digestBytes);
      return digest(name, bytes).equals(file.subarray(file.length - digestBytes)) ? bytes : undefined;
    },
    async write(name, bytes) {
      await writeFileAtomically(pathOf(name), Buffer.concat([bytes, digest(name, bytes)]));
    },
    async remove(name) {
      await rm(pathOf(name), { recursive: true, force: true });
    },
    async clear() {
      await rm(folder, { recursive: true, force: true });
    },
  };
}
