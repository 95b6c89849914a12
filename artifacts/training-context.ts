/**
 * How a state was trained, carried in the metadata `epochal.training` (JSON) of `state`, `trajectory`, `eigenpairs`, `series` and `spectrum`
 * artifacts, so that a later stage needs only the artifact to go on. The data it was trained on is in `epochal.data`:
 * `{ "train": sha256, "test": sha256 | null }`.
 */
export interface TrainingContext {
  readonly model: {
    readonly name: 'mlp' | 'lenet';
    readonly hidden: readonly number[];
    readonly filters?: readonly number[];
    readonly activation: 'relu' | 'tanh';
    readonly initialization: 'glorot-normal' | 'he-normal';
  };
  /** height, width, channels */
  readonly imageShape: readonly [number, number, number];
  readonly classes: number;
  readonly standardize: 'per-image' | 'scale';
  /** The loss is mean cross-entropy + l2 * (sum of squared kernel weights). */
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
