import type { TopLevelSpec } from 'vega-lite';

/** One entry of a legend: what it looks like and what it is. */
export interface LegendItem {
  readonly label: string;
  readonly colour: string;
  readonly mark: 'point' | 'line' | 'dashes' | 'dots' | 'dotdash';
}

/**
 * A figure before rendering. Texts may hold `^{...}` and `_{...}` for superscripts and subscripts. The legend is drawn apart from Vega-Lite's
 * own, which cannot mix points and lines in one.
 */
export interface Drawing {
  readonly spec: TopLevelSpec;
  readonly legend: readonly LegendItem[];
}

/** One plot with its layers; figures put one or more of them side by side. */
export type Panel = Extract<TopLevelSpec, { layer: unknown }>;
export type Layer = Panel['layer'][number];

type Encoding = NonNullable<Panel['encoding']>;
export type XChannel = Encoding['x'] & object;
export type YChannel = Encoding['y'] & object;
