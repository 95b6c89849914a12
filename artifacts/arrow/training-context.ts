/**
 * How a state was trained, carried in the metadata `epochal.training` (JSON) of `state`, `trajectory`, `eigenpairs`, `series` and `spectrum`
 * artifacts, so that a later stage needs only the artifact to go on. The data it was trained on is in `epochal.data`:
 * `{ "train": sha256, "test": sha256 | null }`.
 */
export interface TrainingContext {
  readonly model: TrainedModel;
  /** height, width, channels */
  readonly imageShape: readonly [number, number, number];
  readonly classes: number;
  readonly standardize: 'per-image' | 'scale';
  /** Averaged over the examples; the loss that is minimized has l2 * (sum of squared kernel weights) added. */
  readonly loss: 'cross-entropy' | 'mean-squared-error';
  readonly l2: number;
  /** N */
  readonly examples: number;
  /** S */
  readonly batchSize: number;
  /** M = floor(N / S) */
  readonly batchesPerEpoch: number;
  readonly sampling: 'without-replacement' | 'shuffle-once' | 'with-replacement' | 'sequential';
  /** eta of the epoch that ended in this state (of the recording, for a trajectory and what follows from it). */
  readonly learningRate: number;
  readonly momentum: number;
  readonly seed: number;
}

type Activation = 'relu' | 'tanh' | 'gelu';

/** A network with all its defaults filled in: the keys that its kind has, as in a pipeline's `model`. */
export interface TrainedModel {
  readonly name: 'linear' | 'mlp' | 'lenet' | 'resnet20' | 'transformer' | 'custom';
  readonly initialization: 'glorot-normal' | 'he-normal';
  readonly activation?: Activation;
  readonly hidden?: readonly number[];
  readonly filters?: readonly number[];
  readonly width?: number;
  readonly blocks?: number;
  readonly patch?: number;
  readonly heads?: number;
  readonly feedForward?: number;
  readonly layers?: readonly TrainedLayer[];
}

type TrainedLayer =
  | {
      readonly kind: 'conv';
      readonly filters: number;
      readonly size: number;
      readonly stride?: number;
      readonly padding?: 'same' | 'valid';
      readonly activation?: Activation | 'none';
    }
  | {
      readonly kind: 'pool';
      readonly pooling?: 'max' | 'average';
      readonly size: number;
      readonly stride?: number;
      readonly padding?: 'same' | 'valid';
    }
  | { readonly kind: 'dense'; readonly units: number; readonly activation?: Activation | 'none' }
  | { readonly kind: 'flatten' }
  | { readonly kind: 'global-average' };
