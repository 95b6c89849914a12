import { appendFile, readFile } from 'node:fs/promises';
import { storeUriOf } from '../../artifacts/store/open-store.ts';
import { closeHome, type Home } from '../home.ts';

/** Writes down that studies of this home use a store: its workers then serve it. */
export async function rememberStore(home: Home, store: string): Promise<void> {
  closeHome(home);
  const uri = storeUriOf(store);
  if (!(await known(home)).includes(uri)) await appendFile(home.stores, `${uri}\n`, { mode: 0o600 });
}

/** Whether a worker serves a store: one of those named to it or, where none was, one that was ever named in its home. */
export function servedStores(
  home: Home,
  named: readonly string[] | undefined,
): (uri: string) => Promise<boolean> {
  const own = (named ?? [home.store]).map(storeUriOf);
  return async (uri) => own.includes(uri) || (named === undefined && (await known(home)).includes(uri));
}

async function known({ stores }: Home): Promise<string[]> {
  return (await readFile(stores, 'utf8').catch(() => '')).split('\n').filter(Boolean);
}
