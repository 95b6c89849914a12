import type { Drawing } from '../../report/figures/drawing/drawing.ts';
import { cellColours, colours } from '../../report/figures/drawing/theme.ts';
import { type Comparison, median } from '../compare.ts';
import { sides } from '../tasks.ts';

/** A number behind the end of its bar. */
export const valueMark = {
  type: 'text' as const,
  align: 'left' as const,
  dx: 4,
  fontSize: 11,
  color: colours.ink.light,
};

/** Bars of the peers' times relative to Epochal's, one group for each task; the line is Epochal. */
export function ratiosDrawing(comparisons: readonly Comparison[]): Drawing {
  const peers = sides.slice(1).map(({ name }) => name);
  const colourOf = (side: string) => cellColours[peers.indexOf(side)]!;
  const ratioOf = (task: string, side: string, ratio: number) => ({
    task,
    side,
    ratio,
    labelAt: Math.max(ratio, 1),
    colour: colourOf(side),
  });
  const values = comparisons.flatMap(({ task, entries }) => {
    const own = entries.find(({ side }) => side === 'epochal')?.times;
    if (own === undefined) return [];
    return entries.flatMap(({ side, times }) =>
      side === 'epochal' || times === undefined
        ? []
        : [ratioOf(task.title, side, median(times) / median(own))],
    );
  });
  const shown = peers.filter((side) => values.some((value) => value.side === side));
  const ratios = values.map(({ ratio }) => ratio);
  const domain = [Math.min(0.8, ...ratios) * 0.9, Math.max(2, ...ratios) * 1.3];
  const panel = (task: string, last: boolean) => ({
    title: { text: task, fontWeight: 'normal' as const },
    data: { values: values.filter((value) => value.task === task) },
    width: 560,
    height: { step: 17 },
    layer: [
      {
        mark: { type: 'bar' as const, height: 12 },
        encoding: {
          x: {
            field: 'ratio',
            type: 'quantitative' as const,
            scale: { type: 'log' as const, domain, nice: false },
            axis: {
              title: last ? 'time relative to Epochal' : null,
              grid: true,
              values: [0.5, 1, 2, 3, 5, 10, 20, 50],
            },
          },
          x2: { datum: 1 },
          y: { field: 'side', type: 'nominal' as const, sort: peers, axis: { title: null, labelLimit: 150 } },
          color: { field: 'colour', type: 'nominal' as const, scale: null },
        },
      },
      {
        mark: valueMark,
        encoding: {
          x: { field: 'labelAt', type: 'quantitative' as const },
          y: { field: 'side', type: 'nominal' as const, sort: peers },
          text: { field: 'ratio', format: '.2f' },
        },
      },
      { mark: { type: 'rule' as const, color: colours.ink.light }, encoding: { x: { datum: 1 } } },
    ],
  });
  const titles = [...new Set(values.map(({ task }) => task))];
  return {
    spec: { vconcat: titles.map((title, index) => panel(title, index === titles.length - 1)) },
    legend: shown.map((side) => ({ label: side, colour: colourOf(side), mark: 'point' as const })),
  };
}
