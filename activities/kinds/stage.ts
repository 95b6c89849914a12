import type { TableWriter } from '../../artifacts/arrow/table-writer.ts';
import type { ArtifactKind, ArtifactRef } from '../../artifacts/reference.ts';
import type { Step } from '../../artifacts/store/step.ts';
import type { Checkpoint, Store } from '../../artifacts/store/store.ts';
import type { Prospect, Prospected } from './prospect.ts';

/** How far a stage is, in its own unit. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  /** "steps", "Lanczos steps", "rows" ... */
  readonly unit: string;
  /** One short remark, such as "loss 0.31, accuracy 0.91". */
  readonly message?: string;
}

/** What a note says, if it is more than a remark. */
export type NoteKind = 'warning';

/** What a stage kind's `run` is given. It lives in a compute process. */
export interface StageContext<With> extends Pick<Step, 'key' | 'inputs'> {
  /** Evaluated `with`, defaults filled in; each reference is an {@link ArtifactRef}. */
  readonly with: With;
  readonly store: Store;
  readonly checkpoint: Checkpoint;
  /** TensorFlow threads. */
  readonly threads: number;
  /** Folder of the pipeline file, against which locations are resolved. */
  readonly baseDirectory: string;
  /** Reports progress; cheap, call it as often as you like. */
  progress(progress: Progress): void;
  /** A line for the user that is kept with the step, such as an assumption that failed; as a `warning`, that the result is worth nothing. */
  note(text: string, kind?: NoteKind): void;
  /** Lets messages be handled between two pieces of work; throws when the stage was cancelled. */
  breathe(): Promise<void>;
  /** Writes an output; the metadata that all outputs have is added. */
  write(
    kind: ArtifactKind,
    metadata: Readonly<Record<string, string>>,
    fill: (writer: TableWriter) => void | Promise<void>,
  ): Promise<ArtifactRef>;
}

/** A stage kind: one schema, one file here. */
export interface Stage<With> {
  readonly uses: string;
  /** Digests of outside files that the stage reads (name -> SHA-256); part of the step key. Throws `InputError` if one is missing. */
  sources?(withs: With, baseDirectory: string): Promise<Record<string, string>>;
  /**
   * What these settings mean before a run; `InputError` for what is sure to fail. Undefined where too little is known. Outside data are looked at
   * only if `baseDirectory` is given, and as little as tells how many and how large they are.
   */
  prospect?(
    withs: Prospected<With>,
    baseDirectory?: string,
  ): Prospect | undefined | Promise<Prospect | undefined>;
  /** Does the work and returns every output that the schema names for these settings. */
  run(context: StageContext<With>): Promise<Record<string, ArtifactRef>>;
}
