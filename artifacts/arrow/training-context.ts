import { type Guard, isNumber, isText, objectOf, oneOf, optional, orNull } from './guards.ts';

/** How SGD ran, as the theory sees it: of a network and of a toy alike. */
export interface SgdContext {
  /** N */
  readonly examples: number;
  /** S */
  readonly batchSize: number;
  /** M = floor(N / S) */
  readonly batchesPerEpoch: number;
  readonly sampling: Sampling;
  /** Examples in a block, of block-reshuffling only. */
  readonly blockSize?: number | undefined;
  /** eta of the epoch that ended in this state (of the recording, for a trajectory and what follows from it). */
  readonly learningRate: number;
  readonly momentum: number;
  readonly seed: number;
}

/** How a network was trained, so that a later stage needs only the artifact to go on. */
export interface TrainingContext extends SgdContext {
  readonly model: TrainedModel;
  /** height, width, channels */
  readonly imageShape: ImageShape;
  readonly classes: number;
  readonly standardize: 'per-image' | 'scale';
  /** Averaged over the examples; the loss that is minimized has l2 * (sum of squared kernel weights) added. */
  readonly loss: 'cross-entropy' | 'mean-squared-error';
  readonly l2: number;
}

/** A network with all its defaults filled in: the options that its kind has, as in a pipeline's `model`. Which these are, only science/ knows. */
export interface TrainedModel {
  readonly name: string;
  readonly initialization: string;
  readonly [option: string]: unknown;
}

/** SHA-256 of the data that a state was trained on; null where there is none, as of a toy. */
export interface DataDigests {
  readonly train: string | null;
  readonly test: string | null;
}

type Sampling =
  | 'without-replacement'
  | 'shuffle-once'
  | 'with-replacement'
  | 'sequential'
  | 'block-reshuffling'
  | 'paired-reversal';
/** height, width, channels */
export type ImageShape = readonly [number, number, number];

export const isSampling = oneOf<Sampling>([
  'without-replacement',
  'shuffle-once',
  'with-replacement',
  'sequential',
  'block-reshuffling',
  'paired-reversal',
]);

export const isImageShape: Guard<ImageShape> = (value): value is ImageShape =>
  Array.isArray(value) && value.length === 3 && value.every(isNumber);

/** The guards of {@link SgdContext}. */
export const sgdMembers = {
  examples: isNumber,
  batchSize: isNumber,
  batchesPerEpoch: isNumber,
  sampling: isSampling,
  blockSize: optional(isNumber),
  learningRate: isNumber,
  momentum: isNumber,
  seed: isNumber,
};

const isSgdContext = objectOf<SgdContext>(sgdMembers);

const isTrainingContext = objectOf<TrainingContext>({
  ...sgdMembers,
  model: objectOf<TrainedModel>({ name: isText, initialization: isText }),
  imageShape: isImageShape,
  classes: isNumber,
  standardize: oneOf(['per-image', 'scale']),
  loss: oneOf(['cross-entropy', 'mean-squared-error']),
  l2: isNumber,
});

/** True if it was a network that SGD ran on. */
export function isOfNetwork(context: SgdContext): context is TrainingContext {
  return 'model' in context;
}

export const isTraining: Guard<SgdContext | TrainingContext> = (
  value,
): value is SgdContext | TrainingContext =>
  isSgdContext(value) && (!isOfNetwork(value) || isTrainingContext(value));

export const isDataDigests = objectOf<DataDigests>({ train: orNull(isText), test: orNull(isText) });
