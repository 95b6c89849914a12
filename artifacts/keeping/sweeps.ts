import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { Store } from '../store/store.ts';

const folder = 'sweeps';

/** A sweep that has said nothing for so long is dead. */
const deadAfterMs = 30_000;
/** So long after it was announced, a sweep removes nothing more: a reader of the announcement still waits then. */
export const sweepMs = 3000;
const lookAgainMs = 100;

/**
 * How a launch and a `gc` keep out of each other's way, in a store that has no locks:
 *
 * - whoever begins to need what is in the store (a launch, a pin) writes a record that says so, and then waits for the sweeps that are announced;
 * - whoever removes announces a sweep, then looks whether there are other such records than when it decided what to remove, and only if not removes, for
 *   no longer than {@link sweepMs}.
 *
 * One of the two sees the other, since what was written is there for whoever looks later. A sweep that was killed is waited for as long as one could take at the very most.
 */
export interface Sweep {
  /** False once it is too late to remove anything. */
  readonly mayRemove: boolean;
  end(): Promise<void>;
}

/** Announces that files are about to be removed. */
export async function announceSweep(store: Store): Promise<Sweep> {
  const name = `${folder}/${randomUUID()}.json`;
  const from = performance.now();
  await store.writeText(name, `${JSON.stringify({ announcedAt: new Date().toISOString() })}\n`);
  return {
    get mayRemove() {
      return performance.now() - from < sweepMs;
    },
    async end() {
      await store.removeFile(name);
    },
  };
}

/** Waits until every sweep that is announced now has ended, and says whether there was one. What a dead one has left is taken away. */
export async function awaitSweeps(store: Store, { waitMs = deadAfterMs } = {}): Promise<boolean> {
  const announced = async () => (await store.listFiles(folder)).map(({ name }) => name);
  let waited = (await announced()).filter((name) => name.endsWith('.json'));
  const met = waited.length > 0;
  const from = performance.now();
  while (waited.length > 0) {
    if (performance.now() - from >= waitMs) {
      for (const name of waited) await store.removeFile(name);
      break;
    }
    await setTimeout(lookAgainMs);
    const left = new Set(await announced());
    waited = waited.filter((name) => left.has(name));
  }
  return met;
}
