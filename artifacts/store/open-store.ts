import { InputError } from '../errors.ts';
import type { StoreKind } from './kind.ts';
import { storeKinds } from './kinds/index.ts';
import type { Store, StoreOptions } from './store.ts';

/** Opens the store at a URI, or at the path of a folder. Throws {@link InputError} for a scheme that no kind of store has. */
export async function openStore(uri: string, options?: StoreOptions): Promise<Store> {
  return kindOf(uri).open(uri, options);
}

/** The URI that the store at a URI, or at the path of a folder, gives itself. Throws as {@link openStore}, but opens nothing. */
export function storeUriOf(uri: string): string {
  return kindOf(uri).uriOf(uri);
}

function kindOf(uri: string): StoreKind {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(uri)?.[1]?.toLowerCase() ?? 'file';
  const kind = storeKinds.find((known) => known.scheme === scheme);
  if (kind !== undefined) return kind;
  const shown = uri.replace(/\/\/[^/]*@/, '//…@');
  throw new InputError(
    `This version has no ${scheme} stores (${shown}).`,
    `Give ${storeKinds.map(({ description }) => description).join(', or ')}.`,
  );
}
