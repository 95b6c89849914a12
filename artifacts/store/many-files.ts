import { lstatSync, readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import pLimit from 'p-limit';
import { ifUnreadable } from './atomic-file.ts';

/** Files read before anything else gets its turn. */
const blockLength = 100;
const atATime = 16;

/**
 * What is read of each of many small files, in their order. Those on a disk of this machine are read one after another without waiting (`now`), which
 * takes a twentieth of the time; as soon as a block of them has taken longer than `patienceMs`, as on a file system over a network, and
 * for each of which `now` gives nothing, several are waited for at a time (`later`).
 */
export async function readMany<T>(
  names: readonly string[],
  now: (name: string) => { readonly value: T } | undefined,
  later: (name: string) => Promise<T>,
  patienceMs = 50,
): Promise<T[]> {
  const limit = pLimit(atATime);
  const read: T[] = [];
  let isFast = true;
  for (let at = 0; at < names.length; at += blockLength) {
    const begin = performance.now();
    const block = names.slice(at, at + blockLength).map((name) => {
      const found = isFast ? now(name) : undefined;
      return found === undefined ? limit(() => later(name)) : found.value;
    });
    isFast &&= performance.now() - begin <= patienceMs;
    read.push(...(await Promise.all(block)));
    await setImmediate();
  }
  return read;
}

/** The text of a file, or that there is none; undefined where that takes a closer look: it is a link or no file, or cannot be read. */
export function readPlainFile(path: string): { readonly text: string | undefined } | undefined {
  try {
    const info = lstatSync(path, { throwIfNoEntry: false });
    if (info === undefined) return { text: undefined };
    return info.isFile() ? { text: readFileSync(path, 'utf8') } : undefined;
  } catch (error) {
    return ifUnreadable(error);
  }
}
