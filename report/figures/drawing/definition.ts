import type { FigureKind } from '../../../compiler/schema/kinds.ts';
import type { CellTables, Collection, FigureData } from './data.ts';
import type { Drawing } from './drawing.ts';

/** A kind of figure, in one place: the language's schema, what a report draws by itself, and the docs follow from it. */
export interface FigureDefinition<Data extends FigureData = FigureData> extends FigureKind {
  readonly scope: Data['scope'];
  /** Data to Vega-Lite. Throws if there is nothing that could be drawn. */
  draw(data: Data): Drawing;
  /** Sentences that say what is seen, under which parameters, and what was left out. */
  caption(data: Data): readonly string[];
}

export type CellFigure = FigureDefinition<CellTables>;
export type CollectionFigure = FigureDefinition<Collection>;
export type AnyFigure = CellFigure | CollectionFigure;
