import type { ArtifactRef } from '../reference.ts';

/** What decides the result of a step: equal in all of it, equal in the bytes of what it gives. */
export interface StepIdentity {
  /** Stage kind. */
  readonly uses: string;
  /** Version of the stage kind's meaning. */
  readonly version: number;
  /** Evaluated `with`. Canonical in a {@link Step}: references as `{ sha256, kind }`, locations removed. */
  readonly with: unknown;
  /** Input name -> SHA-256, of artifacts and of outside files (dataset sources). */
  readonly inputs: Readonly<Record<string, string>>;
  /** TensorFlow threads. A stage kind that computes needs them; a step of another kind has none. */
  readonly threads?: number;
  /** Set where a GPU computes it: the bits differ from those of the CPU, which a stage gets that finds no GPU. */
  readonly device?: 'gpu' | undefined;
}

/** A step under its key, the SHA-256 of its identity. */
export interface Step extends StepIdentity {
  readonly key: string;
}

/** Who made an artifact, when and where. Kept beside the artifact, never inside it, so that equal work gives equal bytes. */
export interface Provenance {
  readonly startedAt: string;
  readonly seconds: number;
  readonly host: string;
  readonly cpu: string;
  readonly backend: string;
  readonly library: string;
  /** The processor's widest instructions, on which the last bits depend; absent for what computed without a library. */
  readonly instructions?: string;
  /** What TensorFlow said that it computed on; absent for what computed without, and in records of earlier versions. */
  readonly device?: 'cpu' | 'gpu';
  /** The GPU, if it was one, and its driver: "NVIDIA H200, driver 570.86.15". */
  readonly gpu?: string;
  readonly node: string;
  readonly epochal: string;
  /** Activity attempts that it took. */
  readonly attempts: number;
}

/** What a finished step left behind. Equal key = same result, reused. Records of earlier versions may lack their threads. */
export interface StepRecord extends Step {
  readonly outputs: Readonly<Record<string, ArtifactRef>>;
  /** Lines to show the user, e.g. "the last short batch of 7 examples is dropped". */
  readonly notes: readonly string[];
  /** Those of the notes that say that the result is worth nothing, such as that a training diverged; absent if there are none. */
  readonly warnings?: readonly string[];
  readonly provenance: Provenance;
}

/** Whether an artifact stands in a step's `with` where the name of an input says: `data`, `fit.spectrum`. Outside files stand nowhere in it. */
export function isReference(withs: unknown, name: string): boolean {
  const value = name
    .split('.')
    .reduce<unknown>((part, key) => (part as Record<string, unknown> | undefined)?.[key], withs);
  return typeof value === 'object' && value !== null && 'sha256' in value;
}
