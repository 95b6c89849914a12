/** The user's input is wrong: never retried, exit code 2. `cure` says what to do. */
export class InputError extends Error {
  override readonly name = 'InputError';
  readonly cure: string | undefined;
  constructor(message: string, cure?: string) {
    super(message);
    this.cure = cure;
  }
}

/** Thrown when an artifact's bytes do not match its digest, or are gone. It could be because the disk is failing or somebody edited the store. */
export class DamagedArtifactError extends Error {
  override readonly name = 'DamagedArtifactError';
}

/** Thrown when the machine cannot do what was asked (disk full, store not writable, port in use). `cure` says what to do. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
  readonly cure: string | undefined;
  constructor(message: string, cure?: string) {
    super(message);
    this.cure = cure;
  }
}
