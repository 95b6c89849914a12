import { countOf } from '../../numbers.ts';
import type { Layer, LegendItem } from './drawing.ts';
import { colours } from './theme.ts';

/** Points that are drawn one by one in a panel; of more, as many are drawn, and what is in the middle of all. */
export const drawnPoints = 600;
/** Places along an axis where the middle is drawn; values beside each other share one where there are more. */
const mostPlaces = 40;

interface Point {
  readonly x: number | string;
  readonly value: number;
}

/** The middle half of what lies at one place of an axis. */
export interface Middle {
  readonly x: number | string;
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

/**
 * Median and quartiles of all points at each value of the axis; where it has more than forty values, of each fortieth part of the points, from the
 * lowest value on or, of names, in their order, at the value in its middle.
 */
export function middles(points: readonly Point[]): Middle[] {
  const places = Map.groupBy(points, ({ x }) => x);
  if (places.size <= mostPlaces) return [...places].map(([x, here]) => middleAt(x, here));
  // Names are no numbers, so that their order stays.
  const sorted = points.toSorted((a, b) => Number(a.x) - Number(b.x) || 0);
  return Array.from({ length: mostPlaces }, (_, part) => {
    const cut = (index: number) => Math.floor((index * sorted.length) / mostPlaces);
    const here = sorted.slice(cut(part), cut(part + 1));
    return middleAt(here[here.length >> 1]!.x, here);
  });
}

function middleAt(x: Point['x'], here: readonly Point[]): Middle {
  const values = Float64Array.from(here, ({ value }) => value).sort();
  const quantile = (share: number) => {
    const at = share * (values.length - 1);
    const [below, above] = [values[Math.floor(at)]!, values[Math.ceil(at)]!];
    return below + (at - Math.floor(at)) * (above - below);
  };
  return { x, low: quantile(0.25), median: quantile(0.5), high: quantile(0.75) };
}

const color = colours.ink.light;

/** A bar for the middle half at each place, and a tick for the median; the panel's `x` and `value` are the axes. */
export function middleLayers(points: readonly Point[]): Layer[] {
  const values = middles(points).map(({ median, ...rest }) => ({ ...rest, value: median }));
  return [
    {
      data: { values },
      mark: { type: 'rule', strokeWidth: 4, color, opacity: 0.55 },
      encoding: { y: { field: 'low', type: 'quantitative' }, y2: { field: 'high' } },
    },
    { data: { values }, mark: { type: 'tick', orient: 'horizontal', size: 16, thickness: 2.5, color } },
  ];
}

export const middleLegend: LegendItem = { label: 'median and middle half', colour: color, mark: 'line' };

/** Says that not all of so many cells are drawn one by one; empty if they are. */
export function crowdSentence(cells: number): string[] {
  return cells > drawnPoints
    ? [
        `${countOf(drawnPoints, cells, 'cell')} are drawn as points, evenly spread and without their errors; the bars are the middle half of all cells at a value, or at values beside each other, with their median. The data has all.`,
      ]
    : [];
}
