import { openStore } from '../artifacts/open-store.ts';
import type { Store } from '../artifacts/store.ts';

const opened = new Map<string, Promise<Store>>();

/** The store at `uri`, opened once in this process: an open store remembers which artifacts it has verified. */
export function sharedStore(uri: string): Promise<Store> {
  const store = opened.get(uri) ?? openStore(uri);
  opened.set(uri, store);
  store.catch(() => opened.delete(uri));
  return store;
}
