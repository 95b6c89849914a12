/** What the artifacts of each stage say of how they were measured. */
import { isNumber, isText, listOf, objectOf, oneOf, optional, orNull } from './guards.ts';
import { type SgdContext, sgdMembers } from './training-context.ts';

/** A number that was measured; null where it is not finite, since JSON has no other word for that. */
export type Measured = number | null;

const isMeasured = orNull(isNumber);

/** Where one tensor of a network lies in the flat vector of its weights. */
export interface TensorPlace {
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
  /** True for kernels, which carry the L2 term. */
  readonly kernel: boolean;
}

export const isTensorPlace = objectOf<TensorPlace>({
  name: isText,
  shape: listOf(isNumber),
  offset: isNumber,
  kernel: (value): value is boolean => typeof value === 'boolean',
});

/** Where the examples of a dataset come from. */
export interface DataSource {
  readonly description: string;
  /** SHA-256 over the names and digests of its files. */
  readonly digest: string;
}

export const isDataSource = objectOf<DataSource>({ description: isText, digest: isText });

/** Which matrix the eigenpairs are of, and how they were found. */
export interface HessianContext {
  readonly matrix: 'hessian' | 'gauss-newton';
  readonly order: 'algebraic' | 'magnitude';
  /** In words. */
  readonly loss: string;
  /** Where the moments of batch normalization come from, in words; absent for a network without. */
  readonly statistics?: string;
  readonly examples: number;
  /** Products of the matrix with a vector. */
  readonly iterations: number;
  /** Eigenpairs that were asked for. */
  readonly asked: number;
  /** Those with a residual within the tolerance. */
  readonly converged: number;
  /** Largest residual, relative to the largest eigenvalue. */
  readonly tolerance: number;
  /** Largest deviation of the vectors from it, |v_i . v_j - delta_ij|. */
  readonly orthonormality: number;
  /** Absent in files that say nothing of them. */
  readonly outside?: OutsideContext;
}

/** What is known of the eigenvalues that are not among the eigenpairs. */
export interface OutsideContext {
  readonly known: 'bound' | 'none' | 'nothing';
  /** None of them is larger (in magnitude, for that order), but for this probability; absent unless a bound is known. */
  readonly bound?: number;
  readonly failureProbability?: number;
  /** Products that were for that, and their share of all. */
  readonly products: number;
  readonly share: number;
}

export const isHessianContext = objectOf<HessianContext>({
  matrix: oneOf(['hessian', 'gauss-newton']),
  order: oneOf(['algebraic', 'magnitude']),
  loss: isText,
  statistics: optional(isText),
  examples: isNumber,
  iterations: isNumber,
  asked: isNumber,
  converged: isNumber,
  tolerance: isNumber,
  orthonormality: isNumber,
  outside: optional(
    objectOf<OutsideContext>({
      known: oneOf(['bound', 'none', 'nothing']),
      bound: optional(isNumber),
      failureProbability: optional(isNumber),
      products: isNumber,
      share: isNumber,
    }),
  ),
});

/** Estimate of the trace of the Hessian from random vectors. */
export interface TraceContext {
  readonly trace: Measured;
  readonly standardError: Measured;
  /** The exact share along the eigenpairs. */
  readonly alongEigenpairs: Measured;
  readonly probes: number;
}

export const isTraceContext = objectOf<TraceContext>({
  trace: isMeasured,
  standardError: isMeasured,
  alongEigenpairs: isMeasured,
  probes: isNumber,
});

/** The spectral density of the Hessian: nodes, descending, and the share of all eigenvalues that each stands for. */
export interface DensityContext {
  readonly probes: number;
  readonly steps: number;
  readonly nodes: readonly Measured[];
  readonly weights: readonly Measured[];
}

export const isDensityContext = objectOf<DensityContext>({
  probes: isNumber,
  steps: isNumber,
  nodes: listOf(isMeasured),
  weights: listOf(isMeasured),
});

/** How curvature was measured along a training. */
export interface CurvatureContext {
  /** In words. */
  readonly loss: string;
  /** Training examples in the Hessian. */
  readonly examples: number;
  /** Eigenvalues of each state. */
  readonly top: number;
  /** Largest residual, relative to the largest eigenvalue. */
  readonly tolerance: number;
  /** Random vectors for the trace. */
  readonly probes: number;
}

export const isCurvatureContext = objectOf<CurvatureContext>({
  loss: isText,
  examples: isNumber,
  top: isNumber,
  tolerance: isNumber,
  probes: isNumber,
});

/** C against H within the layers of a network, and the power laws that were fitted. */
export interface LayersContext {
  /** Training examples in both. */
  readonly examples: number;
  /** Eigenvectors asked for in each layer. */
  readonly top: number;
  readonly tolerance: number;
  /** In the order of their numbers in the table. */
  readonly layers: readonly {
    readonly name: string;
    readonly weights: number;
    /** Slope of ln variance against ln eigenvalue. */
    readonly exponent: Measured;
    readonly standardError: Measured;
    /** Directions in the fit. */
    readonly directions: number;
    /** A point that the fitted line goes through. */
    readonly eigenvalue: Measured;
    readonly variance: Measured;
    /** As of a `noise` stage, within the layer's eigenvectors. */
    readonly cosine: Measured;
    readonly commutator: Measured;
  }[];
}

export const isLayersContext = objectOf<LayersContext>({
  examples: isNumber,
  top: isNumber,
  tolerance: isNumber,
  layers: listOf(
    objectOf<LayersContext['layers'][number]>({
      name: isText,
      weights: isNumber,
      exponent: isMeasured,
      standardError: isMeasured,
      directions: isNumber,
      eigenvalue: isMeasured,
      variance: isMeasured,
      cosine: isMeasured,
      commutator: isMeasured,
    }),
  ),
});

type Drift = 'linear' | 'mean';

/** How a spectrum was taken from its series. */
export interface AnalysisContext {
  /** What was subtracted from each series. */
  readonly drift: Drift;
  /** Blocks of the series that the standard errors are from. */
  readonly blocks: number;
  readonly steps: number;
}

const isDrift = oneOf<Drift>(['linear', 'mean']);

export const isAnalysisContext = objectOf<AnalysisContext>({
  drift: isDrift,
  blocks: isNumber,
  steps: isNumber,
});

/** The random matrix of a sketch. */
export interface SketchContext {
  /** Its rows. */
  readonly size: number;
  readonly seed: number;
}

export const isSketchContext = objectOf<SketchContext>({ size: isNumber, seed: isNumber });

/** What principal components were taken from. */
export interface PcaContext {
  readonly drift: Drift;
  readonly steps: number;
  /** Variance of the weights, summed over all of them. */
  readonly totalVariance: Measured;
}

export const isPcaContext = objectOf<PcaContext>({
  drift: isDrift,
  steps: isNumber,
  totalVariance: isMeasured,
});

/** How gradient noise was measured. */
export interface NoiseContext {
  readonly weights: 'fixed' | 'moving';
  /** Epochs of steps in each repetition. */
  readonly epochs: number;
  readonly repeats: number;
  /** L */
  readonly lags: number;
  /** Epochs that the weights had been trained for. */
  readonly firstEpoch: number;
  /** Mean square of the noise, summed over all weights. */
  readonly variance: Measured;
  /** tr(C H) / (|C| |H|) and |[C, H]| / (2 |C| |H|) in the subspace of the basis, if there was one. */
  readonly cosine?: Measured;
  readonly commutator?: Measured;
}

export const isNoiseContext = objectOf<NoiseContext>({
  weights: oneOf(['fixed', 'moving']),
  epochs: isNumber,
  repeats: isNumber,
  lags: isNumber,
  firstEpoch: isNumber,
  variance: isMeasured,
  cosine: optional(isMeasured),
  commutator: optional(isMeasured),
});

/** What a toy run was. */
export interface ToyContext extends SgdContext {
  /** `width` is that of a valley. */
  readonly loss: { readonly name: 'quadratic' | 'valley'; readonly width?: number };
  readonly noise: {
    readonly name: 'examples' | 'white' | 'anti-correlated' | 'none';
    readonly covariance: 'hessian' | 'isotropic';
    readonly scale: number;
  };
  readonly epochs: number;
  readonly warmup: number;
  /** lambda_i, the noise's variance and sigma_theta^2 of the theory in each direction, of a quadratic; null where there is no stationary state. */
  readonly eigenvalues?: readonly number[] | undefined;
  readonly noiseVariances: readonly number[];
  readonly weightVariances?: readonly (number | null)[] | undefined;
}

export const isToyContext = objectOf<ToyContext>({
  loss: objectOf<ToyContext['loss']>({ name: oneOf(['quadratic', 'valley']), width: optional(isNumber) }),
  noise: objectOf<ToyContext['noise']>({
    name: oneOf(['examples', 'white', 'anti-correlated', 'none']),
    covariance: oneOf(['hessian', 'isotropic']),
    scale: isNumber,
  }),
  ...sgdMembers,
  epochs: isNumber,
  warmup: isNumber,
  eigenvalues: optional(listOf(isNumber)),
  noiseVariances: listOf(isNumber),
  weightVariances: optional(listOf(orNull(isNumber))),
});

/** lambda_i of each direction of a series, as its basis has them. */
export type Eigenvalues = readonly Measured[];

export const isEigenvalues = listOf(isMeasured);
