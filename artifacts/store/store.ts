import type { Described } from '../arrow/metadata.ts';
import type { ArrowTable } from '../arrow/table.ts';
import type { TableWriter } from '../arrow/table-writer.ts';
import type { DamagedRecordError } from '../errors.ts';
import type { ArtifactKind, ArtifactRef } from '../reference.ts';
import type { StepRecord } from './step.ts';

/**
 * Durable scratch space of one step key, shared by all attempts. Files appear whole or not at all.
 * Names are plain file names. Everything is removed by `clear` once the step is recorded.
 */
export interface Checkpoint {
  /** Names present, sorted. */
  list(): Promise<string[]>;
  /** Bytes of `name`, or undefined if it is absent, torn, or another's (its stored digest does not match). */
  read(name: string): Promise<Uint8Array | undefined>;
  write(name: string, bytes: Uint8Array): Promise<void>;
  remove(name: string): Promise<void>;
  clear(): Promise<void>;
}

/** Copies of what a store elsewhere has, on the disk of this machine. */
export interface CacheOptions {
  readonly folder: string;
  /** That all of them may have together. */
  readonly mostBytes: number;
}

export interface StoreOptions {
  /** Bytes of artifacts that may stay in memory, to be read again without the disk as long as their files are as they were; default: none. */
  readonly mostRemembered?: number;
  /** Of a store that is not on this machine; default: as the environment says. */
  readonly cache?: CacheOptions;
}

/** A file of a store, by its name in it. */
export interface StoredFile {
  /** As in {@link Store.listFiles}. */
  readonly name: string;
  /** All of it, as the store keeps it. */
  readonly bytes: number;
  /** When it was written last, in milliseconds since 1970, by the clock of the store. */
  readonly writtenAt: number;
}

/** Content-addressed files plus an index of finished steps and study records, behind a URI. */
export interface Store {
  readonly uri: string;

  /**
   * Writes one Arrow file of `kind` and returns its address. `fill` appends batches. The file appears whole or not at all;
   * a failed `fill` leaves nothing behind. `metadata` becomes the schema's metadata, with the key `kind` added.
   */
  write(
    kind: ArtifactKind,
    metadata: Readonly<Record<string, string>>,
    fill: (writer: TableWriter) => void | Promise<void>,
  ): Promise<ArtifactRef>;

  /** Opens an artifact after checking its digest. Throws {@link import('../errors.ts').DamagedArtifactError} naming it. */
  open(ref: ArtifactRef): Promise<ArrowTable>;

  /** What an artifact says of itself, from the end of its file alone. Throws {@link import('../errors.ts').DamagedArtifactError} naming it. */
  describe(ref: ArtifactRef): Promise<Described>;

  /** The artifact with this digest, if a file has its name. */
  find(sha256: string, kind: ArtifactKind): Promise<ArtifactRef | undefined>;

  /** True if the bytes of `ref` are present and match its digest. */
  verify(ref: ArtifactRef): Promise<boolean>;

  /** The record of a finished step; undefined also if it was changed or torn, or is another step's: the step then counts as not done. */
  readStep(key: string): Promise<StepRecord | undefined>;
  /** Those of many steps, each as {@link readStep} gives it. */
  readSteps(keys: readonly string[]): Promise<(StepRecord | undefined)[]>;
  writeStep(record: StepRecord): Promise<void>;

  checkpoint(key: string): Checkpoint;

  /**
   * Small JSON objects by slash-separated name (`studies/<id>/plan.json`), sealed under that name; atomic, undefined if absent. Throws
   * {@link import('../errors.ts').DamagedRecordError} naming one that was changed, torn, or belongs elsewhere, and
   * {@link import('../errors.ts').RefusedError} if the name is none or its folder is a link out of the store.
   */
  readText(name: string): Promise<string | undefined>;
  /** Many of them, each as {@link readText} gives it; in the place of one that is damaged stands the error. */
  readTexts(names: readonly string[]): Promise<(string | undefined | DamagedRecordError)[]>;
  writeText(name: string, text: string): Promise<void>;
  /** Names under a prefix folder, sorted. */
  listTexts(prefix: string): Promise<string[]>;
  /** Names, within a prefix folder, of what lies right in it: files and folders, sorted. */
  listFolder(prefix: string): Promise<string[]>;

  /**
   * Every file of the store, or below a folder of it, whatever it is, in no order: one that is there all the while is listed. What belongs where, in every store:
   *
   *     artifacts/ab/<sha256>.arrow   steps/ab/<key>.json   checkpoints/<key>/<name>   studies/<id>/...   pins/...   sweeps/...
   *
   * A file that is not written to its end yet has a name that begins with `.tmp-`, if it is listed at all.
   */
  listFiles(folder?: string): Promise<StoredFile[]>;
  /**
   * Removes a file of {@link listFiles}; false if it was not there any more. Throws {@link import('../errors.ts').RefusedError} if the name is none or its
   * folder is a link out of the store.
   */
  removeFile(name: string): Promise<boolean>;
  /** The bytes of an artifact as they are, piece by piece, not checked. Throws {@link import('../errors.ts').DamagedArtifactError} if there are none. */
  readBytes(ref: ArtifactRef): AsyncIterable<Uint8Array>;
}
