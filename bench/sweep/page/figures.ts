import type { Drawing } from '../../../report/figures/drawing/drawing.ts';
import { cellColours, colours } from '../../../report/figures/drawing/theme.ts';
import { valueMark } from '../../results/figure.ts';
import type { SweepComparison } from '../compare-sweep.ts';
import { type LongRun, roles } from '../long-run.ts';
import { sweepSides } from '../sides.ts';
import { rateOf, valid } from './verdicts.ts';

const titles = { trivial: 'trivial stages in a second', cells: 'small cells of seven stages in a second' };

/** Bars of the rates of all sides on a logarithmic axis, a panel for each kind of work. */
export function ratesDrawing(comparisons: readonly SweepComparison[]): Drawing {
  const order = sweepSides.map(({ name }) => name);
  const colourOf = (side: string) => (side === 'epochal' ? colours.measured.light : colours.other.light);
  const panels = comparisons.flatMap((comparison) => {
    const timed = valid(comparison).filter((entry) => rateOf(entry, 'middle') > 0);
    const values = timed.map((entry) => ({
      side: entry.side,
      rate: rateOf(entry, 'middle'),
      colour: colourOf(entry.side),
    }));
    if (values.length === 0) return [];
    const rates = values.map(({ rate }) => rate);
    const domain = [Math.min(...rates) / 2, Math.max(...rates) * 2];
    const y = { field: 'side', type: 'nominal' as const, sort: order };
    return {
      title: { text: titles[comparison.work], fontWeight: 'normal' as const },
      data: { values },
      width: 560,
      height: { step: 19 },
      layer: [
        {
          mark: { type: 'bar' as const, height: 13 },
          encoding: {
            x: {
              field: 'rate',
              type: 'quantitative' as const,
              scale: { type: 'log' as const, domain, nice: false },
              axis: { title: null, grid: true },
            },
            x2: { datum: domain[0]! },
            y: { ...y, axis: { title: null, labelLimit: 150 } },
            color: { field: 'colour', type: 'nominal' as const, scale: null },
          },
        },
        {
          mark: valueMark,
          encoding: {
            x: { field: 'rate', type: 'quantitative' as const },
            y,
            text: { field: 'rate', format: '.3~g' },
          },
        },
      ],
    };
  });
  return { spec: { vconcat: panels }, legend: [] };
}

/** Resident memory of server, worker and CLI from the start to the end, as long as each is there. */
export function memoryDrawing({ memory }: LongRun): Drawing {
  const values = memory.flatMap(({ at, bytes }) =>
    roles
      .map((role, index) => ({ at, megabytes: bytes[role] / 1e6, role, colour: cellColours[index]! }))
      .filter(({ megabytes }) => megabytes > 0),
  );
  return {
    spec: {
      data: { values },
      width: 560,
      height: 260,
      layer: [
        {
          mark: { type: 'line' as const },
          encoding: {
            x: { field: 'at', type: 'quantitative' as const, axis: { title: 'seconds' } },
            y: { field: 'megabytes', type: 'quantitative' as const, axis: { title: 'resident memory (MB)' } },
            detail: { field: 'role', type: 'nominal' as const },
            color: { field: 'colour', type: 'nominal' as const, scale: null },
          },
        },
      ],
    },
    legend: roles.map((role, index) => ({ label: role, colour: cellColours[index]!, mark: 'line' as const })),
  };
}
