import type {
  AnalysisContext,
  LayersContext,
  NoiseContext,
  ToyContext,
} from '../../../artifacts/arrow/measurement-contexts.ts';
import type { SgdContext } from '../../../artifacts/arrow/training-context.ts';

/** A scalar table of one cell. */
export interface CellTable {
  readonly cellId: string;
  /** The cell's values of the axes that vary, for a legend. */
  readonly label: string;
  readonly columns: Readonly<Record<string, Float64Array>>;
  readonly rows: number;
  readonly training?: SgdContext;
  readonly analysis?: AnalysisContext;
  readonly noise?: NoiseContext;
  readonly layers?: LayersContext;
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
