import type { CellTables, Collection, FigureData } from './data.ts';
import type { Drawing } from './drawing.ts';

/** One kind of figure. */
export interface FigureDefinition<Data extends FigureData = FigureData> {
  readonly kind: string;
  readonly scope: Data['scope'];
  /** Data to Vega-Lite. Throws if there is nothing that could be drawn. */
  draw(data: Data): Drawing;
  /** Sentences that say what is seen, under which parameters, and what was left out. */
  caption(data: Data): readonly string[];
}

export type CellFigure = FigureDefinition<CellTables>;
export type CollectionFigure = FigureDefinition<Collection>;
