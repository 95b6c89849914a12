import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Drawing } from '../../../report/figures/drawing/drawing.ts';
import { renderPng, renderSvg } from '../../../report/figures/drawing/render.ts';
import { median } from '../../compare.ts';
import type { Machine } from '../../results/machine.ts';
import { type SweepComparison, type SweepEntry, worstOf } from '../compare-sweep.ts';
import { type LongRun, memoryWithin, type Role, roles } from '../long-run.ts';
import { digits } from '../running/rate.ts';
import { sweepSides } from '../sides.ts';
import { memoryDrawing, ratesDrawing } from './figures.ts';
import { longVerdicts, rateOf, sweepVerdicts, type Verdict, valid } from './verdicts.ts';

/** Where and when something was measured. */
export interface Conditions {
  readonly date: string;
  readonly machine: Machine;
  /** Processes that wanted a core in the minute before it began. */
  readonly loadBefore: number;
  readonly versions: Readonly<Record<string, string>>;
}

export interface SweepResults extends Conditions {
  readonly comparisons: readonly SweepComparison[];
}

export interface LongResults extends Conditions {
  readonly run: LongRun;
}

/** Keeps what was measured in `sweep.json`, or in `sweep-N.json` for a long run of N cells, and writes `sweep.md` and its figures from whatever of these is there. */
export async function writeSweep(folder: string, results: SweepResults | LongResults): Promise<void> {
  const place = (name: string) => path.join(folder, name);
  const file = 'run' in results ? `sweep-${results.run.cells}.json` : 'sweep.json';
  writeFileSync(place(file), `${JSON.stringify(results, null, 2)}\n`);
  const read = <T>(name: string) => JSON.parse(readFileSync(place(name), 'utf8')) as T;
  const sweep = existsSync(place('sweep.json')) ? read<SweepResults>('sweep.json') : undefined;
  const long = readdirSync(folder)
    .filter((name) => /^sweep-\d+\.json$/.test(name))
    .map((name) => read<LongResults>(name))
    .sort((a, b) => a.run.cells - b.run.cells);
  writeFileSync(place('sweep.md'), `${sweepPage(sweep, long)}\n`);
  const draw = async (name: string, drawing: Drawing) => {
    const svg = await renderSvg(drawing);
    writeFileSync(place(`${name}.svg`), svg);
    writeFileSync(place(`${name}.png`), renderPng(svg));
  };
  if (sweep?.comparisons.some(isTimed)) await draw('sweep-rates', ratesDrawing(sweep.comparisons));
  const longest = long.at(-1);
  if (longest !== undefined) await draw('sweep-memory', memoryDrawing(longest.run));
}

/** Whether there is a rate to draw: short runs have none. */
function isTimed(comparison: SweepComparison): boolean {
  return valid(comparison).some((entry) => rateOf(entry, 'middle') > 0);
}

/** The page of tables. */
export function sweepPage(sweep: SweepResults | undefined, long: readonly LongResults[]): string {
  return [
    '# Sweeps',
    '',
    'Written by `npm run bench -- sweep`. A rate in the middle is that between the first and the last tenth of the stages, without start and end; ' +
      "seconds are from the start of a side's program to its end. A ratio is Epochal's rate over the side's: above 1, Epochal is faster. With several runs, " +
      'numbers are medians. Memory is resident; where it is of several processes, pages that they share count in each.',
    '',
    ...(sweep === undefined
      ? []
      : [...conditions(sweep), ...sweep.comparisons.flatMap(section), ...sidesLines]),
    ...long.flatMap(longSection),
  ].join('\n');
}

function conditions({ date, machine, loadBefore, versions }: Conditions): string[] {
  const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `- ${date}; ${machine.processor}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Linux ${machine.kernel}; ${machine.threads} processes compute at once, with one thread each.`,
    `- The load average over the minute before was ${loadBefore.toFixed(1)}, and ${machine.load.toFixed(1)} over five minutes at the end.`,
    `- ${names.join(', ')}.`,
    '',
  ];
}

const headings = {
  trivial: (count: number) => `${count.toLocaleString('en')} trivial stages`,
  cells: (count: number) => `${count.toLocaleString('en')} small cells of seven stages`,
};

function section(comparison: SweepComparison): string[] {
  const { work, count, entries } = comparison;
  const own = valid(comparison).find(({ side }) => side === 'epochal');
  const columns = [
    'side',
    'keeps a record',
    work,
    'seconds',
    'runs',
    'a second',
    'ratio',
    'a second, in the middle',
    'ratio',
    'processor seconds',
    'peak memory',
    'largest deviation',
  ];
  const row = (entry: SweepEntry): string[] => {
    const { side, refused, runs, deviations } = entry;
    const { durable } = sweepSides.find(({ name }) => name === side)!;
    if (refused !== undefined || runs.length === 0)
      return [
        side,
        yes(durable),
        `refused: ${refused?.split('\n').at(-1)}`,
        ...columns.slice(3).map(() => ''),
      ];
    const ratio = (of: 'whole' | 'middle') =>
      own === undefined ? '' : digits(rateOf(own, of) / rateOf(entry, of));
    const middle = (value: (run: SweepEntry['runs'][number]) => number) => median(runs.map(value));
    return [
      side,
      yes(durable),
      String(entry.count),
      digits(middle(({ seconds }) => seconds)),
      String(runs.length),
      digits(rateOf(entry, 'whole')),
      ratio('whole'),
      digits(rateOf(entry, 'middle')),
      ratio('middle'),
      digits(middle(({ processorSeconds }) => processorSeconds)),
      gigabytes(middle(({ peakBytes }) => peakBytes)),
      deviations === undefined ? '' : worst(deviations),
    ];
  };
  const statuses = entries.flatMap((entry) => entry.statuses ?? []).map(({ seconds }) => seconds);
  return [
    `## ${headings[work](count)}`,
    '',
    ...table(columns, entries.map(row)),
    '',
    ...verdictLines(sweepVerdicts(comparison)),
    ...(statuses.length === 0
      ? []
      : [
          `\`epochal status\` was asked ${statuses.length} times meanwhile and took ${digits(Math.max(...statuses))} s at most.`,
          '',
        ]),
  ];
}

const sidesLines = [
  '## Sides',
  '',
  ...sweepSides.map(({ name, describes }) => `- \`${name}\`: ${describes}`),
  '',
];

function longSection(results: LongResults): string[] {
  const { run } = results;
  const { cells, seconds, histories } = run;
  const row = (what: string, bytes: Record<Role, number>) => [
    what,
    ...roles.map((role) => megabytes(bytes[role])),
  ];
  const rows = [
    ...([0.2, 0.4, 0.6, 0.8] as const).map((from) =>
      row(
        `${100 * from}-${(100 * (from + 0.2)).toFixed(0)} % of the cells, mean`,
        memoryWithin(run, from, from + 0.2),
      ),
    ),
    row('after the last cell, most', memoryWithin(run, 1, Number.POSITIVE_INFINITY, 'most')),
    row('all of the run, most', memoryWithin(run, 0, Number.POSITIVE_INFINITY, 'most')),
  ];
  const workflows = Object.entries(histories.runs).map(
    ([type, count]) =>
      `${count.toLocaleString('en')} of \`${type}\` (the longest ${histories.longest[type]!.toLocaleString('en')} events)`,
  );
  return [
    `## ${cells.toLocaleString('en')} trivial cells`,
    '',
    ...conditions(results),
    `Epochal alone: ${digits(seconds)} s from start to end, ${digits(cells / seconds)} cells a second, ${digits(run.middleRate)} in the middle; ` +
      `${digits(run.processorSeconds)} s of processor time. Resident memory:`,
    '',
    ...table(['', ...roles], rows),
    '',
    ...verdictLines(longVerdicts(run)),
    `Workflow runs: ${workflows.join(', ')}. The server's database has ${megabytes(histories.databaseBytes)}.`,
    '',
  ];
}

function verdictLines(verdicts: readonly Verdict[]): string[] {
  if (verdicts.length === 0) return [];
  return [...verdicts.map(({ reached, text }) => `- ${reached ? 'reached' : '**missed**'}: ${text}`), ''];
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)];
}

function worst(deviations: Readonly<Record<string, number>>): string {
  const [name, value] = worstOf(deviations);
  return value === 0 ? 'none' : `${value.toExponential(0)} (${name})`;
}

function yes(is: boolean): string {
  return is ? 'yes' : 'no';
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}
