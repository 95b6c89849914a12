import type { Store, StoreOptions } from '../../../artifacts/store/store.ts';

/** What lies in a store, past the store: by names below its root, such as `steps/ab/<key>.json`. */
export interface Raw {
  read(name: string): Promise<Uint8Array | undefined>;
  write(name: string, bytes: Uint8Array): Promise<void>;
  remove(name: string): Promise<void>;
  /** All names, sorted. */
  list(): Promise<string[]>;
}

/** One place of a kind of store. */
export interface Place {
  /** What `--store` is given. */
  readonly uri: string;
  readonly raw: Raw;
  /** Opens it as a process on another machine does, which shares nothing else with those before. */
  open(options?: StoreOptions): Promise<Store>;
}

/** A kind of store as the tests see it. */
export interface StoreKindUnderTest {
  readonly name: string;
  /** An empty place, which is removed after the tests of a file. */
  place(): Promise<Place>;
  /** A module of what a process of its own needs to open a place: its environment. */
  readonly environment: NodeJS.ProcessEnv;
}
