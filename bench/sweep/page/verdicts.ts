import { median } from '../../compare.ts';
import type { SweepComparison, SweepEntry } from '../compare-sweep.ts';
import { type LongRun, memoryWithin, type Role, roles } from '../long-run.ts';
import { digits } from '../running/rate.ts';

/** Something that was aimed at, and whether it was reached. */
export interface Verdict {
  readonly reached: boolean;
  readonly text: string;
}

/** Least stages in a second, and times the rate of each side (of the fastest of them); and how far Temporal's own rate may be ahead. */
const aims = { rate: 20, snakemake: 10, trials: 2, noOps: 3 } as const;
/** Of a run with 10,000 cells: seconds, of the clock; seconds of a status; growth of a process from the second fifth of the run to the last. */
const longAims = { cells: 10_000, seconds: 720, status: 1, growth: 0.1 } as const;

/** Median over the runs of what is done in a second: in the middle of the run (NaN for a short one), or from its start to its end. */
export function rateOf({ runs, count }: SweepEntry, of: 'middle' | 'whole'): number {
  return median(runs.map((run) => (of === 'middle' ? (run.middleRate ?? Number.NaN) : count / run.seconds)));
}

/** The sides that were run and gave the right results. */
export function valid({ entries }: SweepComparison): readonly SweepEntry[] {
  return entries.filter(({ runs, refused }) => refused === undefined && runs.length > 0);
}

/** What was aimed at with trivial stages. Rates are those of the middle. */
export function sweepVerdicts(comparison: SweepComparison): Verdict[] {
  const entries = valid(comparison);
  const own = entries.find(({ side }) => side === 'epochal');
  if (comparison.work !== 'trivial' || own === undefined) return [];
  const rate = rateOf(own, 'middle');
  if (Number.isNaN(rate)) return [];
  const verdicts = [
    {
      reached: rate >= aims.rate,
      text: `${rate.toFixed(1)} trivial stages a second, ${rateOf(own, 'whole').toFixed(1)} with start and end (aim: ${aims.rate})`,
    },
  ];
  const ahead = (sides: readonly string[], aim: number) => {
    const present = entries.filter((entry) => sides.includes(entry.side) && rateOf(entry, 'middle') > 0);
    if (present.length === 0) return;
    const fastest = present.reduce((a, b) => (rateOf(b, 'middle') > rateOf(a, 'middle') ? b : a));
    const [middle, whole] = [
      rate / rateOf(fastest, 'middle'),
      rateOf(own, 'whole') / rateOf(fastest, 'whole'),
    ];
    verdicts.push({
      reached: middle >= aim,
      text: `${digits(middle)} times the rate of ${fastest.side}, ${digits(whole)} with start and end (aim: ${aim})`,
    });
  };
  ahead(['snakemake', 'snakemake-script'], aims.snakemake);
  ahead(['ray-tune'], aims.trials);
  ahead(['ray-tune-reuse'], aims.trials);
  const noOps = entries.find(({ side }) => side === 'temporal-no-ops');
  if (noOps !== undefined) {
    const behind = rateOf(noOps, 'middle') / rate;
    verdicts.push({
      reached: behind <= aims.noOps,
      text: `Temporal's activities that do nothing are ${digits(behind)} times as fast (aim: at most ${aims.noOps})`,
    });
  }
  return verdicts;
}

/** What was aimed at with many cells. */
export function longVerdicts(run: LongRun): Verdict[] {
  const { cells, seconds, statuses, histories } = run;
  const growths = growthOf(run);
  const atEnd =
    memoryWithin(run, 1, Number.POSITIVE_INFINITY, 'most').CLI / memoryWithin(run, 0.2, 0.4).CLI - 1;
  const parts = histories.runs.study ?? 0;
  return [
    ...(cells === longAims.cells
      ? [
          {
            reached: seconds < longAims.seconds,
            text: `${cells.toLocaleString('en')} cells in ${(seconds / 60).toFixed(1)} min (aim: less than ${longAims.seconds / 60})`,
          },
        ]
      : []),
    ...roles.map((role) => ({
      reached: growths[role] < longAims.growth,
      text: `memory of the ${role} ${(100 * growths[role]).toFixed(0)} % more in the last fifth of the run than in the second (aim: less than ${100 * longAims.growth})`,
    })),
    {
      reached: atEnd < longAims.growth,
      text: `memory of the CLI at most ${(100 * atEnd).toFixed(0)} % more after the last cell, while it concludes, than in the second fifth (aim: less than ${100 * longAims.growth})`,
    },
    {
      reached: parts > 1,
      text: `the study's history was cut ${plural(parts - 1, 'time')}; its longest part has ${(histories.longest.study ?? 0).toLocaleString('en')} events (aim: cut)`,
    },
    ...(statuses.length === 0 ? [] : [statusVerdict(statuses.map((status) => status.seconds))]),
  ];
}

function statusVerdict(seconds: readonly number[]): Verdict {
  const slowest = Math.max(...seconds);
  return {
    reached: slowest < longAims.status,
    text: `the slowest of ${seconds.length} \`epochal status\` took ${slowest.toFixed(2)} s (aim: less than ${longAims.status})`,
  };
}

/** How much more memory each role has in the last fifth of a run than in the second, as a share. */
export function growthOf(run: Pick<LongRun, 'memory' | 'cells'>): Record<Role, number> {
  const [early, late] = [memoryWithin(run, 0.2, 0.4), memoryWithin(run, 0.8, 1)];
  const growth = (role: Role) => late[role] / early[role] - 1;
  return { server: growth('server'), worker: growth('worker'), CLI: growth('CLI') };
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
