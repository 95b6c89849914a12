import type { Config } from 'vega-lite';

/**
 * Colours of the figures, as drawn (for paper and light pages) and as the page recolours them on a dark screen. The page does it by CSS
 * attribute selectors, so a figure is drawn once and each colour must be used for one role only.
 */
export const colours = {
  surface: { light: '#ffffff', dark: 'transparent' },
  ink: { light: '#1d2733', dark: '#e7ebf0' },
  muted: { light: '#5b6877', dark: '#9dabba' },
  frame: { light: '#b6c0cb', dark: '#475464' },
  grid: { light: '#e9edf2', dark: '#252e39' },
  measured: { light: '#2c6bd6', dark: '#74a9ff' },
  theory: { light: '#d4500f', dark: '#ff9a4d' },
  fit: { light: '#1f8a4c', dark: '#54d08a' },
  other: { light: '#a9b3bf', dark: '#5d6a79' },
} as const;

/** Of cells told apart by colour; readable on light and on dark ground. */
export const cellColours = [
  '#3f78d8',
  '#e0701b',
  '#2f9e5f',
  '#c5447f',
  '#8b66d3',
  '#b38a07',
  '#1a9bb3',
  '#d34a4a',
  '#6f8a35',
  '#a0694a',
  '#66788c',
  '#cf86bf',
] as const;

/** Cells with a colour and a place in the legend; those after them are drawn grey. */
export const colouredCells = cellColours.length;

/**
 * DejaVu Sans is the font that the PNG is drawn with; it has the Greek letters and signs of the labels. An SVG shows the reader's own.
 */
export const fontFamily = 'system-ui, "Segoe UI", "Helvetica Neue", Arial, "DejaVu Sans", sans-serif';

export const vegaConfig: Config = {
  background: colours.surface.light,
  font: fontFamily,
  padding: { left: 6, right: 10, top: 6, bottom: 6 },
  view: { stroke: colours.frame.light, strokeWidth: 1 },
  aria: false,
  axis: {
    domain: false,
    domainColor: colours.frame.light,
    gridColor: colours.grid.light,
    tickColor: colours.frame.light,
    labelColor: colours.muted.light,
    titleColor: colours.ink.light,
    labelFontSize: 12,
    titleFontSize: 13,
    titleFontWeight: 'normal',
    titlePadding: 10,
    labelPadding: 5,
    tickSize: 5,
    labelFlush: false,
  },
  title: { color: colours.ink.light, fontSize: 13, fontWeight: 600, anchor: 'start', offset: 8 },
  concat: { spacing: 28 },
};
