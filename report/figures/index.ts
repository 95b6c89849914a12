import { isOwnModule } from '../../artifacts/own-module.ts';
import type { PlannedFigure } from '../../compiler/plan.ts';
import { figureCsv } from '../csv.ts';
import { countOf } from '../numbers.ts';
import type { FigureData } from './drawing/data.ts';
import type { FigureDefinition } from './drawing/definition.ts';
import { renderPng, renderSvg } from './drawing/render.ts';
import { figureDefinitions } from './kinds/index.ts';
import { ownFigure } from './own-figure.ts';

/** A drawn figure. */
export interface RenderedFigure {
  readonly kind: string;
  readonly title: string;
  /** Sentences. The pipeline's own caption comes first. */
  readonly caption: readonly string[];
  readonly svg: string;
  readonly png: Uint8Array;
  /** The data behind it, whole. */
  readonly csv: string;
  /** Of which cells the data is, where it is not all that have some. */
  readonly csvOf?: string;
}

/**
 * Draws a figure of a plan from its data; one of a module of one's own, which lies below `baseDirectory`. Throws `Error` if the kind is unknown, if the data is of the wrong scope, or if nothing in
 * it can be drawn.
 */
export async function renderFigure(
  figure: PlannedFigure,
  data: FigureData,
  baseDirectory?: string,
): Promise<RenderedFigure> {
  const definition = (
    isOwnModule(figure.kind)
      ? await ownFigure(figure.kind, baseDirectory)
      : figureDefinitions.find(({ name }) => name === figure.kind)
  ) as FigureDefinition | undefined;
  if (definition === undefined) {
    throw new Error(
      `There is no figure of kind ${JSON.stringify(figure.kind)}; there are ${figureDefinitions.map(({ name }) => name).join(', ')}.`,
    );
  }
  if (definition.scope !== data.scope) {
    throw new Error(
      definition.scope === 'cell'
        ? `A ${figure.kind} figure is drawn from a stage of each cell, not from a collect.`
        : `A ${figure.kind} figure is drawn from a collect, not from a stage of each cell.`,
    );
  }
  if ((data.scope === 'cell' ? data.cells : data.rows).length === 0) throw new Error('There is no data yet.');
  const svg = await renderSvg(definition.draw(data));
  return {
    kind: figure.kind,
    title: figure.title ?? definition.title,
    caption: [...(figure.caption === undefined ? [] : [figure.caption]), ...definition.caption(data)],
    svg,
    png: renderPng(svg),
    csv: figureCsv(data),
    ...(data.scope === 'cell' && data.cells.length < data.available
      ? { csvOf: countOf(data.cells.length, data.available, 'cell') }
      : {}),
  };
}
