import type { ArtifactKind } from '../../../artifacts/reference.ts';
import type { CellTables, Collection, FigureData } from './data.ts';
import type { Drawing } from './drawing.ts';

/** A kind of figure, in one place: the language's schema, what a report draws by itself, and the docs follow from it. */
export interface FigureDefinition<Data extends FigureData = FigureData> {
  /** As in `kind:`, and the name of its file. */
  readonly name: string;
  /** Where the pipeline gives none. */
  readonly title: string;
  /** What is seen, in a sentence. */
  readonly shows: string;
  /** Stage kind whose artifact it is made for. */
  readonly of: string;
  readonly from: ArtifactKind;
  /** The fit that can be drawn into it. */
  readonly fit?: ArtifactKind;
  /** Its place among those that are drawn, of each artifact of their kind, where the report names no figures. */
  readonly byDefault?: number;
  readonly scope: Data['scope'];
  /** Data to Vega-Lite. Throws if there is nothing that could be drawn. */
  draw(data: Data): Drawing;
  /** Sentences that say what is seen, under which parameters, and what was left out. */
  caption(data: Data): readonly string[];
}

export type CellFigure = FigureDefinition<CellTables>;
export type CollectionFigure = FigureDefinition<Collection>;
export type AnyFigure = CellFigure | CollectionFigure;
