import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError } from './errors.ts';
import { openLocalStore } from './local-store.ts';
import type { Store } from './store.ts';

/** Opens the store at a folder path or `file://` URI. Throws {@link InputError} for any other scheme. */
export async function openStore(uri: string): Promise<Store> {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(uri)?.[1]?.toLowerCase();
  if (scheme === undefined) return openLocalStore(resolve(uri));
  if (scheme === 'file') return openLocalStore(resolve(fileURLToPath(uri)));
  throw new InputError(
    `This version has no ${scheme} stores (${uri}).`,
    'Give a folder, for instance on a file system that all workers share.',
  );
}
