import pLimit from 'p-limit';
import { announceSweep, type Sweep } from '../../artifacts/keeping/sweeps.ts';
import type { Store, StoredFile } from '../../artifacts/store/store.ts';

const atATime = 16;

/** Files to remove: one group after the other and, of the units in a group, each in its order. */
export type Groups<File extends StoredFile> = readonly (readonly (readonly File[])[])[];

/**
 * Removes files under one announced sweep, for as long as that may take. Gives what is left to be removed, or undefined if nothing was removed because it is not `unneeded`
 * any more, which is asked once the sweep is announced. What was removed, by this process and no other, is added to `removed`.
 */
export async function sweep<File extends StoredFile>(
  store: Store,
  groups: Groups<File>,
  isUnneeded: () => Promise<boolean>,
  removed: File[],
): Promise<Groups<File> | undefined> {
  const announced = await announceSweep(store);
  try {
    if (!(await isUnneeded())) return undefined;
    const left = [...groups];
    while (left[0] !== undefined && announced.mayRemove) {
      const rest = await removeAll(store, left[0], announced, removed);
      if (rest.length === 0) left.shift();
      else left[0] = rest;
    }
    return left;
  } finally {
    await announced.end();
  }
}

async function removeAll<File extends StoredFile>(
  store: Store,
  units: readonly (readonly File[])[],
  announced: Sweep,
  removed: File[],
): Promise<(readonly File[])[]> {
  const limit = pLimit(atATime);
  const remove = async (unit: readonly File[]): Promise<readonly File[]> => {
    for (const [index, file] of unit.entries()) {
      if (!announced.mayRemove) return unit.slice(index);
      if (await store.removeFile(file.name)) removed.push(file);
    }
    return [];
  };
  const left = await Promise.all(units.map((unit) => limit(() => remove(unit))));
  return left.filter(({ length }) => length > 0);
}
