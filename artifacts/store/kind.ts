import type { Store, StoreOptions } from './store.ts';

/** A kind of store, in one place: by the scheme of its URIs it is found. */
export interface StoreKind {
  /** As in `scheme://...`, and the name of its file. */
  readonly scheme: string;
  /** What it is, as a clause. */
  readonly description: string;
  /** The URI that the store gives itself. Opens nothing. */
  uriOf(uri: string): string;
  /** Throws `EnvironmentError` if it cannot be reached, made or written. */
  open(uri: string, options?: StoreOptions): Promise<Store>;
}
