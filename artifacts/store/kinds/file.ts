import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { StoreKind } from '../kind.ts';
import { openLocalStore } from '../local-store.ts';

export const store: StoreKind = {
  scheme: 'file',
  description: 'a folder, for instance on a file system that all workers share',
  uriOf: (uri) => pathToFileURL(folderOf(uri)).href,
  open: (uri, options) => openLocalStore(folderOf(uri), options),
};

/** A folder needs no scheme. */
function folderOf(uri: string): string {
  return /^file:\/\//i.test(uri) ? resolve(fileURLToPath(uri)) : resolve(uri);
}
