import { InputError } from '../artifacts/errors.ts';
import {
  createModel,
  type ImageShape,
  type Model,
  ModelError,
  type ModelSpec,
} from '../science/models/index.ts';

/** What is known of an artifact before it is made, as far as settings decide it. */
export interface Facts {
  /** N, of a dataset or of what was trained on one. */
  readonly examples?: number;
  readonly imageShape?: ImageShape;
  readonly classes?: number;
  readonly model?: Model;
  /** S */
  readonly batchSize?: number;
  /** Recorded steps. */
  readonly steps?: number;
  /** Eigenpairs, or directions of a series. */
  readonly pairs?: number;
  /** P, where no network says it. */
  readonly size?: number;
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
  /** What makes two steps of one kind comparable, such as the network's name. */
  readonly like?: string;
}

/** `with` of a step, where each artifact is what is known of it; nothing is known of one from elsewhere. */
export type Prospected<With> = {
  readonly [Key in keyof With]: With[Key] extends { readonly sha256: string } | undefined ? Facts : With[Key];
};

/** The network, or an `InputError` if it does not fit together. */
export function buildModel(spec: ModelSpec, shape: ImageShape, classes: number): Model {
  try {
    return createModel(spec, shape, classes);
  } catch (error) {
    if (error instanceof ModelError) throw new InputError(error.message, error.cure);
    throw error;
  }
}

/** Throws `InputError` if an epoch would not even have one batch. */
export function checkBatchSize(batchSize: number, examples: number): void {
  if (batchSize > examples)
    throw new InputError(
      `batchSize is ${batchSize}, but there are only ${examples} training examples.`,
      'Choose a smaller batch size or more examples.',
    );
}

/** M, full batches of an epoch; undefined if it is not known. */
export function batchesOf({ examples, batchSize }: Facts): number | undefined {
  return examples === undefined || batchSize === undefined ? undefined : Math.floor(examples / batchSize);
}

/** Multiplications with an addition of `steps` steps of SGD: a gradient costs about three passes. */
export function sgdWork(steps: number, batchSize: number, { multiplyAdds }: Model): number {
  return 3 * steps * batchSize * multiplyAdds;
}

/** Bytes of a state: weights and velocity. */
export function stateBytes({ size }: Model): number {
  return 8 * size + 12;
}

/** Bytes of eigenpairs with their vectors. */
export function pairBytes(pairs: number, size: number): number {
  return pairs * (4 * size + 20);
}
