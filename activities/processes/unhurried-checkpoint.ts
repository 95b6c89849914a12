import type { Checkpoint } from '../../artifacts/store/store.ts';

/** Work that may be lost with the process: to do it again takes less than to have saved it every few milliseconds would. */
const usualMs = 1000;

/** A checkpoint that holds back what was written, and writes it out now and then. */
export interface UnhurriedCheckpoint extends Checkpoint {
  /** Writes out what was held back. */
  flush(): Promise<void>;
}

/**
 * Holds changes of a checkpoint back in memory until `everyMs` have passed since it was made, or written out: a stage that takes no longer writes none, and of
 * files that were replaced or removed meanwhile nothing is written. Files are written in the order of the last change of each, so that one which speaks of others still comes after
 * them, and removed once all are written, so that what the one on the disk speaks of is there as long as it is.
 */
export function unhurried(checkpoint: Checkpoint, everyMs = usualMs): UnhurriedCheckpoint {
  /** The bytes, or null for a file that was removed. */
  const held = new Map<string, Uint8Array | null>();
  let last = performance.now();

  const flush = async (): Promise<void> => {
    for (const [name, bytes] of held) {
      if (bytes === null) continue;
      await checkpoint.write(name, bytes);
      held.delete(name);
    }
    for (const name of [...held.keys()]) {
      await checkpoint.remove(name);
      held.delete(name);
    }
    last = performance.now();
  };
  const change = async (name: string, bytes: Uint8Array | null): Promise<void> => {
    const isDue = performance.now() - last >= everyMs;
    held.delete(name);
    // The stage may go on with the array.
    held.set(name, isDue || bytes === null ? bytes : new Uint8Array(bytes));
    if (isDue) await flush();
  };
  return {
    flush,
    async list() {
      const names = new Set(await checkpoint.list());
      for (const [name, bytes] of held) {
        if (bytes === null) names.delete(name);
        else names.add(name);
      }
      return [...names].sort();
    },
    async read(name) {
      const bytes = held.get(name);
      return bytes === undefined ? checkpoint.read(name) : bytes === null ? undefined : new Uint8Array(bytes);
    },
    write: change,
    remove: (name) => change(name, null),
    async clear() {
      held.clear();
      await checkpoint.clear();
    },
  };
}
