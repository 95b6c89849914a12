/** The user's input is wrong: never retried, exit code 2. `cure` says what to do. */
export class InputError extends Error {
  override readonly name = 'InputError';
  readonly cure: string | undefined;
  /** The key of the stage's `with` that is to blame, where it is one: `batchSize`, `model.layers`. */
  readonly setting: string | undefined;
  constructor(message: string, cure?: string, setting?: string) {
    super(message);
    this.cure = cure;
    this.setting = setting;
  }
}

/**
 * Thrown when an artifact's bytes do not match its digest, or are gone. It could be because the disk is failing or somebody edited the store. The
 * cell then has the step that made it run again.
 */
export class DamagedArtifactError extends Error {
  override readonly name = 'DamagedArtifactError';
}

/** Thrown when a record of a study (its plan, what became of a cell, ...) is not as it was written: it is not believed. */
export class DamagedRecordError extends Error {
  override readonly name = 'DamagedRecordError';
  readonly cure: string = 'Run the pipeline again: records are written anew, and finished stages are reused.';
  constructor(
    name: string,
    place: string,
    what = 'was changed or torn, belongs elsewhere, or is of an older version',
  ) {
    super(`The record ${name} in ${place} ${what}.`);
  }
}

/** Thrown when the machine cannot do what was asked (disk full, store not writable, port in use). `cure` says what to do. */
export class EnvironmentError extends Error {
  override readonly name: string = 'EnvironmentError';
  readonly cure: string | undefined;
  constructor(message: string, cure?: string) {
    super(message);
    this.cure = cure;
  }
}

/** Thrown when the disk of a store is full, or its server is not reached: it may be of use again after a while. */
export class StoreUnavailableError extends EnvironmentError {
  override readonly name = 'StoreUnavailableError';
}

/** Thrown when a message is not sealed with this home's key, or asks for what no message may ask: nothing is done for it, and it is not tried again. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly cure: string | undefined;
  constructor(message: string, cure?: string) {
    super(message);
    this.cure = cure;
  }
}
