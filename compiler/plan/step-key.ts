import { isArtifactRef } from '../../artifacts/reference.ts';
import type { Json } from '../plan.ts';
import { validateWith } from '../schema/schemas.ts';
import { stageKind } from '../schema/stage-kinds.ts';
import { digestOf, replaceParts, without } from './recipe.ts';

/** What decides the result of a step. */
export interface StepIdentity {
  /** Stage kind. */
  readonly uses: string;
  /** Version of the stage kind. */
  readonly version: number;
  /** Evaluated `with`; references as `ArtifactRef` or `{ sha256, kind }`. */
  readonly with: unknown;
  /** Input name -> SHA-256, of artifacts and of outside files. */
  readonly inputs: Readonly<Record<string, string>>;
  /** TensorFlow threads; needed for stage kinds that compute, ignored for others. */
  readonly threads?: number;
  /** Set where a GPU computes it: the bits differ from those of the CPU, which a stage gets that finds no GPU. */
  readonly device?: 'gpu' | undefined;
}

/**
 * `with` as it enters a step key: without locations (keys that only say where data lie; its digest is among the inputs), and with each
 * artifact as `{ sha256, kind }`, so that neither moving the data nor the store changes the key. Throws for an unknown stage kind.
 */
export function canonicalWith(uses: string, withs: unknown): Json {
  if (stageKind(uses) === undefined) throw new Error(`Expected a stage kind, got "${uses}".`);
  const { locations } = validateWith(uses, withs as Json);
  return replaceParts(without(withs, locations), (part) =>
    isArtifactRef(part) ? { sha256: part.sha256, kind: part.kind } : undefined,
  ) as Json;
}

/**
 * SHA-256, in hexadecimal, of (stage kind, version, canonical `with`, digests of its inputs, and threads and GPU if it computes): equal key, same
 * result. Throws if a stage kind that computes is given no threads.
 */
export function stepKey({ uses, version, with: withs, inputs, threads, device }: StepIdentity): string {
  const identity = { uses, version, with: canonicalWith(uses, withs), inputs };
  if (!stageKind(uses)!.compute) return digestOf(identity);
  if (threads === undefined) throw new Error(`Expected the number of threads of a "${uses}" step, got none.`);
  return digestOf({ ...identity, threads, ...(device === undefined ? {} : { device }) });
}
