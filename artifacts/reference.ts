import { isName } from './store/names.ts';

/** The kinds of artifact a stage can write; the columns of each are in `columns.ts`. */
export const artifactKinds = [
  'dataset',
  'state',
  'states',
  'history',
  'trajectory',
  'trajectory-part',
  'eigenpairs',
  'series',
  'spectrum',
  'autocovariance',
  'noise-spectrum',
  'displacement',
  'curvature',
  'layer-spectrum',
  'parameters',
  'evaluation',
  'collection',
] as const;

export type ArtifactKind = (typeof artifactKinds)[number];

/** Names an immutable file by the SHA-256 of its bytes. This, and never a tensor, travels through Temporal. */
export interface ArtifactRef {
  /** Where it was written: `file:///...` or `s3://...`; in the records of an export, its name in that store. A reader takes it from its store by the digest. */
  readonly uri: string;
  /** Hexadecimal SHA-256 of the file's bytes. */
  readonly sha256: string;
  readonly kind: ArtifactKind;
  readonly bytes: number;
}

/** True if `value` has the shape of an {@link ArtifactRef}. */
export function isArtifactRef(value: unknown): value is ArtifactRef {
  return (
    typeof value === 'object' &&
    value !== null &&
    isName('SHA-256', (value as ArtifactRef).sha256) &&
    typeof (value as ArtifactRef).uri === 'string' &&
    (artifactKinds as readonly string[]).includes((value as ArtifactRef).kind)
  );
}
