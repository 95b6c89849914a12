import { figureKinds } from '../../compiler/plan/figure-kinds.ts';
import type { PlannedFigure } from '../../compiler/plan.ts';
import { figureCsv } from '../csv.ts';
import { countOf } from '../numbers.ts';
import type { FigureData } from './drawing/data.ts';
import type { FigureDefinition } from './drawing/definition.ts';
import { renderPng, renderSvg } from './drawing/render.ts';
import { autocovariance } from './kinds/autocovariance.ts';
import { collection } from './kinds/collection.ts';
import { correlationTime } from './kinds/correlation-time.ts';
import { noiseVariance } from './kinds/noise-variance.ts';
import { pairedDifferences } from './kinds/paired-difference.ts';
import { principalComponents } from './kinds/principal-components.ts';
import { trainingCurves } from './kinds/training-curves.ts';
import { trajectory } from './kinds/trajectory.ts';
import { valley } from './kinds/valley.ts';
import { varianceSpectrum } from './kinds/variance-spectrum.ts';
import { velocityVariance } from './kinds/velocity-variance.ts';
import { weightVariance } from './kinds/weight-variance.ts';

const definitions = [
  weightVariance,
  velocityVariance,
  varianceSpectrum,
  correlationTime,
  trainingCurves,
  principalComponents,
  pairedDifferences,
  autocovariance,
  noiseVariance,
  trajectory,
  valley,
  collection,
] as const;

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
 * Draws a figure of a plan from its data. Throws `Error` if the kind is unknown, if the data is of the wrong scope, or if nothing in
 * it can be drawn.
 */
export async function renderFigure(figure: PlannedFigure, data: FigureData): Promise<RenderedFigure> {
  const definition = definitions.find(({ kind }) => kind === figure.kind) as FigureDefinition | undefined;
  const known = figureKinds[figure.kind];
  if (definition === undefined || known === undefined) {
    throw new Error(
      `There is no figure of kind ${JSON.stringify(figure.kind)}; there are ${Object.keys(figureKinds).join(', ')}.`,
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
    title: figure.title ?? known.title,
    caption: [...(figure.caption === undefined ? [] : [figure.caption]), ...definition.caption(data)],
    svg,
    png: renderPng(svg),
    csv: figureCsv(data),
    ...(data.scope === 'cell' && data.cells.length < data.available
      ? { csvOf: countOf(data.cells.length, data.available, 'cell') }
      : {}),
  };
}
