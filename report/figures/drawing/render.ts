import { createRequire } from 'node:module';
import { Resvg } from '@resvg/resvg-js';
import * as vega from 'vega';
import { compile as toVega } from 'vega-lite';
import type { Drawing, LegendItem } from './drawing.ts';
import { plainScripts, typesetScripts } from './markup.ts';
import { colours, vegaConfig } from './theme.ts';

/** Pixels of the PNG per pixel of the SVG. */
const pngScale = 2;

/** The font is taken from its package, so that a PNG has the same text on every machine, also where no font is installed. */
const fontFiles = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((file) =>
  createRequire(import.meta.url).resolve(`dejavu-fonts-ttf/ttf/${file}`),
);

// Vega measures text on a canvas; without one it takes 0.8 em for every character, which leaves wide gaps. Not in its typings.
const { textMetrics } = vega as unknown as {
  textMetrics: { width: (item: { fontSize?: number }, text: unknown) => number };
};
/** Square of the length of a line in a legend. */
const lineSize = 420;
/** A disc of a third of that length: Vega lays a legend out by one size for all of its symbols. */
const dot = 'M0.3,0A0.3,0.3,0,1,1,-0.3,0A0.3,0.3,0,1,1,0.3,0Z';
const dashes = {
  point: [1, 0],
  line: [1, 0],
  dashes: [5, 3],
  dots: [1.5, 2.5],
  dotdash: [7, 3, 1.5, 3],
} as const;

const averageCharacter = 0.56;
/** Pixels that a row of the legend may take. */
const legendWidth = 760;
textMetrics.width = (item, text) =>
  plainScripts(String(text ?? '')).length * averageCharacter * (item.fontSize ?? 11);

/** Draws a figure as an SVG document. The same drawing gives the same text. */
export async function renderSvg({ spec, legend }: Drawing): Promise<string> {
  const panels = toVega(spec, { config: vegaConfig }).spec;
  const view = new vega.View(vega.parse({ ...panels, ...legendSpec(panels, legend) }), {
    renderer: 'none',
    logger: vega.logger(vega.Warn),
  });
  try {
    vega.resetSVGDefIds();
    return typesetScripts(await view.toSVG());
  } finally {
    view.finalize();
  }
}

/** Draws an SVG of {@link renderSvg} as a PNG, by default twice as large. */
export function renderPng(svg: string, scale: number = pngScale): Uint8Array {
  const resvg = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: scale },
    background: colours.surface.light,
    font: {
      loadSystemFonts: false,
      fontFiles,
      defaultFontFamily: 'DejaVu Sans',
      sansSerifFamily: 'DejaVu Sans',
    },
  });
  return resvg.render().asPng();
}

/** As many columns as fit side by side, all as wide as the longest label. */
function columnsFor(labels: readonly string[]): number {
  const widest = Math.max(...labels.map((label) => label.length)) * averageCharacter * 12 + 45;
  return Math.max(1, Math.min(labels.length, Math.floor(legendWidth / widest)));
}

function legendSpec(spec: vega.Spec, items: readonly LegendItem[]): Pick<vega.Spec, 'scales' | 'legends'> {
  const labels = items.map(({ label }) => label);
  const lookUp = (values: (item: LegendItem) => unknown) => ({
    signal: `${JSON.stringify(items.map(values))}[indexof(${JSON.stringify(labels)}, datum.value)]`,
  });
  const scale: vega.Scale = {
    name: 'legend',
    type: 'ordinal',
    domain: labels,
    range: items.map(({ colour }) => colour),
  };
  const legend: vega.Legend = {
    stroke: 'legend',
    orient: 'top',
    direction: 'horizontal',
    columns: columnsFor(labels),
    columnPadding: 18,
    rowPadding: 5,
    offset: 14,
    labelFontSize: 12,
    labelColor: colours.ink.light,
    labelLimit: legendWidth,
    symbolSize: lineSize,
    symbolStrokeWidth: 2,
    encode: {
      symbols: {
        update: {
          shape: lookUp(({ mark }) => (mark === 'point' ? dot : 'stroke')),
          fill: lookUp(({ mark, colour }) => (mark === 'point' ? colour : 'transparent')),
          strokeDash: lookUp(({ mark }) => dashes[mark]),
        },
      },
    },
  };
  return { scales: [...(spec.scales ?? []), scale], legends: [legend] };
}
