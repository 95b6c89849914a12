import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { InputError } from '../errors.ts';
import { openLocalStore } from './local-store.ts';
import type { Store } from './store.ts';

/** Opens the store at a folder path or `file://` URI. Throws {@link InputError} for any other scheme. */
export async function openStore(uri: string): Promise<Store> {
  return openLocalStore(folderOf(uri));
}

/** The URI that the store at a folder path or `file://` URI gives itself. Throws as {@link openStore}, but opens nothing. */
export function storeUriOf(uri: string): string {
  return pathToFileURL(folderOf(uri)).href;
}

function folderOf(uri: string): string {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(uri)?.[1]?.toLowerCase();
  if (scheme === undefined) return resolve(uri);
  if (scheme === 'file') return resolve(fileURLToPath(uri));
  throw new InputError(
    `This version has no ${scheme} stores (${uri}).`,
    'Give a folder, for instance on a file system that all workers share.',
  );
}
