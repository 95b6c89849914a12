import type { TrainingContext } from '../../../artifacts/arrow/training-context.ts';

/** How a spectrum was taken from its series: the artifact's metadata `epochal.analysis`. */
export interface AnalysisContext {
  readonly drift: 'linear' | 'mean';
  readonly blocks: number;
  readonly steps: number;
}

/** How gradient noise was measured: the metadata `epochal.noise` of an `autocovariance` or `noise-spectrum`. */
export interface NoiseContext {
  readonly weights: 'fixed' | 'moving';
  /** Epochs of steps in each repetition. */
  readonly epochs: number;
  readonly repeats: number;
  readonly firstEpoch: number;
  /** Mean square of the noise, summed over all weights. */
  readonly variance: number;
  /** tr(C H) / (|C| |H|) and |[C, H]| / (2 |C| |H|) in the subspace of the basis, if there was one. */
  readonly cosine?: number;
  readonly commutator?: number;
}

/** What a toy run was: the metadata `epochal.toy` of its series. */
export interface ToyContext {
  readonly loss: { readonly name: 'quadratic' | 'valley'; readonly width: number };
  readonly noise: {
    readonly name: 'examples' | 'white' | 'anti-correlated' | 'none';
    readonly covariance: 'hessian' | 'isotropic';
    readonly scale: number;
  };
  readonly examples: number;
  readonly batchSize: number;
  readonly batchesPerEpoch: number;
  readonly sampling: TrainingContext['sampling'];
  readonly learningRate: number;
  readonly momentum: number;
  readonly seed: number;
  readonly epochs: number;
  readonly warmup: number;
  /** lambda_i, the noise's variance and sigma_theta^2 of the theory in each direction, of a quadratic. */
  readonly eigenvalues?: readonly number[];
  readonly noiseVariances: readonly number[];
  readonly weightVariances?: readonly (number | null)[];
}

/** A scalar table of one cell. */
export interface CellTable {
  readonly cellId: string;
  /** The cell's values of the axes that vary, for a legend. */
  readonly label: string;
  readonly columns: Readonly<Record<string, Float64Array>>;
  readonly rows: number;
  readonly training?: TrainingContext;
  readonly analysis?: AnalysisContext;
  readonly noise?: NoiseContext;
  readonly toy?: ToyContext;
  /** The `parameters` that the figure names as its fit. */
  readonly fit?: Readonly<Record<string, number | string>>;
}

/** A stage output of several cells. */
export interface CellTables {
  readonly scope: 'cell';
  readonly cells: readonly CellTable[];
  /** Cells that have this output; those beyond `cells` were not read. */
  readonly available: number;
  /** Cells of the study. */
  readonly planned: number;
}

/** The output of a `collect`. */
export interface Collection {
  readonly scope: 'study';
  readonly axes: readonly string[];
  /** Those of the axes that only repeat. */
  readonly seeds: readonly string[];
  readonly rows: readonly Readonly<Record<string, number | string>>[];
  /** Cells of the study. */
  readonly planned: number;
}

export type FigureData = CellTables | Collection;

/** A column by name. Throws naming those there are. */
export function column(table: CellTable, name: string): Float64Array {
  const values = table.columns[name];
  if (values === undefined) {
    throw new Error(
      `The table of cell ${table.cellId} has no column ${name}; it has ${Object.keys(table.columns).join(', ')}.`,
    );
  }
  return values;
}
