import type { Store, StoredFile } from '../../artifacts/store/store.ts';
import { findGarbage, type GarbageFile, type GarbageOptions } from './garbage.ts';
import { stampOf } from './needs.ts';
import { type Groups, sweep } from './sweep.ts';

/** What a `gc` has done, or would do. */
export interface Collected {
  /** What was removed, by this `gc`; on a dry run, what would be. */
  readonly freed: readonly GarbageFile[];
  /** As in {@link import('./garbage.ts').Garbage}. */
  readonly held: readonly StoredFile[];
  readonly open: readonly string[];
}

/**
 * Removes what no study and no pin needs. Safe beside studies that run or are launched, and beside others of its kind: see `docs/storage.md`. However it
 * ends, all studies are as whole as before. Throws {@link import('./garbage.ts').UnjudgedError}, before anything is removed, if it is not known what one needs.
 */
export async function collectGarbage(
  store: Store,
  { dryRun = false, ...options }: GarbageOptions & { readonly dryRun?: boolean } = {},
): Promise<Collected> {
  let garbage = await findGarbage(store, options);
  if (dryRun) return { ...garbage, freed: garbage.groups.flat(2) };
  const freed: GarbageFile[] = [];
  for (let left: Groups<GarbageFile> = garbage.groups; left.length > 0; ) {
    const isUnneeded = async () => (await stampOf(store)) === garbage.stamp;
    const after = await sweep(store, left, isUnneeded, freed);
    if (after !== undefined) {
      left = after;
      continue;
    }
    // Whoever was launched meanwhile may need what nobody did.
    garbage = await findGarbage(store, options);
    left = garbage.groups;
  }
  return { ...garbage, freed };
}
