import { columnsOf } from '../../artifacts/arrow/columns.ts';
import type { ArtifactKind } from '../../artifacts/reference.ts';
import { emptyColumns } from '../../science/analysis/spectrum.ts';
import type { ImageShape, Model } from '../../science/models/index.ts';

/** What is known of an artifact before it is made, as far as settings decide it. */
export interface Facts {
  /** N, of a dataset or of what was trained on one. */
  readonly examples?: number;
  readonly imageShape?: ImageShape;
  readonly classes?: number;
  readonly model?: Model;
  /** S */
  readonly batchSize?: number;
  /** States kept along a training. */
  readonly states?: number;
  /** Recorded steps that are kept. */
  readonly steps?: number;
  /** From one of them to the next, if not one. */
  readonly every?: number;
  /** Whether a series is a random sketch, without eigenvalues. */
  readonly isSketch?: boolean;
  /** Eigenpairs, or directions of a series. */
  readonly pairs?: number;
}

/** What a step means before it has run. */
export interface Prospect {
  readonly outputs: Readonly<Record<string, Facts>>;
  /** Bytes of the values that all of its files together hold, without headers and metadata; absent if settings do not decide them. */
  readonly bytes?: number;
  /**
   * What its time grows with, in a unit of the stage kind's own (multiplications with an addition, for networks); absent if it is not known or
   * the step takes no time worth telling.
   */
  readonly work?: number;
  /** Steps of SGD. */
  readonly sgdSteps?: number;
  /** What makes two steps of one kind comparable, such as the network's name. */
  readonly like?: string;
}

/** `with` of a step, where each artifact is what is known of it; nothing is known of one from elsewhere. */
export type Prospected<With> = {
  readonly [Key in keyof With]: With[Key] extends { readonly sha256: string } | undefined ? Facts : With[Key];
};

/** M, full batches of an epoch; undefined if it is not known. */
export function batchesOf({ examples, batchSize }: Facts): number | undefined {
  return examples === undefined || batchSize === undefined ? undefined : Math.floor(examples / batchSize);
}

/** Multiplications with an addition of `steps` steps of SGD: a gradient costs about three passes. */
export function sgdWork(steps: number, batchSize: number, { multiplyAdds }: Model): number {
  return 3 * steps * batchSize * multiplyAdds;
}

/** Bytes of one row of an artifact, where each list has `length` values and `more` columns of numbers follow those of its kind. */
export function rowBytes(kind: ArtifactKind, length = 0, more = 0): number {
  const sizes = { int32: 4, int64: 8, float32: 4, float64: 8, utf8: 64, floats: 4 * length, bytes: length };
  return Object.values(columnsOf[kind].required).reduce((sum, type) => sum + sizes[type], 8 * more);
}

/** Bytes of a spectrum as `analyze` writes it. */
export function spectrumBytes(directions: number): number {
  return directions * Object.values(emptyColumns(1)).reduce((sum, { byteLength }) => sum + byteLength, 0);
}
