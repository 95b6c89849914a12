import type { TrainingContext } from '../../artifacts/training-context.ts';

/** How a spectrum was taken from its series: the artifact's metadata `epochal.analysis`. */
export interface AnalysisContext {
  readonly drift: 'linear' | 'mean';
  readonly blocks: number;
  readonly steps: number;
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
  /** The `parameters` that the figure names as its fit. */
  readonly fit?: Readonly<Record<string, number | string>>;
}

/** A stage output of several cells. */
export interface CellTables {
  readonly scope: 'cell';
  readonly cells: readonly CellTable[];
  /** Cells that have this output; those beyond `cells` are not drawn. */
  readonly available: number;
}

/** The output of a `collect`. */
export interface Collection {
  readonly scope: 'study';
  readonly axes: readonly string[];
  readonly rows: readonly Readonly<Record<string, number | string>>[];
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
