import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { renderPng, renderSvg } from '../../report/figures/drawing/render.ts';
import { type Comparison, type Entry, median } from '../compare.ts';
import type { Problem } from '../problem/problem.ts';
import { sides } from '../tasks.ts';
import type { ThreadsResult } from '../threads/threads.ts';
import { ratiosDrawing } from './figure.ts';
import type { Machine } from './machine.ts';

export interface Results {
  readonly comparisons: readonly Comparison[];
  readonly threads: ThreadsResult | undefined;
  readonly problem: Problem;
  readonly machine: Machine;
}

/** Writes `results.json`, `results.md` and the figure `ratios.svg` and `.png`. */
export async function writeResults(folder: string, results: Results): Promise<void> {
  const write = (name: string, content: string | Uint8Array) =>
    writeFileSync(path.join(folder, name), content);
  write('results.json', `${JSON.stringify(results, null, 2)}\n`);
  write('results.md', `${markdown(results)}\n`);
  const svg = await renderSvg(ratiosDrawing(results.comparisons));
  write('ratios.svg', svg);
  write('ratios.png', renderPng(svg));
}

function markdown({ comparisons, threads, problem, machine }: Results): string {
  const versions = Object.assign({}, ...comparisons.map((comparison) => comparison.versions)) as Record<
    string,
    string
  >;
  const environment = Object.entries(machine.environment).map(([name, value]) => `\`${name}=${value}\``);
  return [
    '# Results',
    '',
    'Written by `npm run bench`. Times are medians over interleaved rounds, in brackets the fastest and the slowest. The ratio is the time ' +
      "divided by Epochal's: above 1, Epochal is faster. Processor time is that of all threads of a side together, which other programs on the machine change least. The deviation is that of the result from Epochal's.",
    '',
    `- Processor: ${machine.processor}, ${machine.cores} cores; ${machine.memoryGiB} GiB; Linux ${machine.kernel}. Threads of each side: ${machine.threads}.`,
    `- Products of large float32 matrices reach ${machine.matrixRate.toFixed(0)} GFLOP/s here, which bounds those below. ` +
      `The load average over five minutes at the end was ${machine.load.toFixed(1)}; above ${machine.cores} other programs took part of the time, and processor time tells more.`,
    `- ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
    `- Variables that libraries read: ${environment.length > 0 ? environment.join(', ') : 'none set'}.`,
    `- LeNet, 136,886 weights, images 32x32x3, float32; momentum ${problem.momentum}, L2 ${problem.l2} on kernels.`,
    '',
    ...comparisons.flatMap(table),
    ...(threads === undefined ? [] : threadsLines(threads)),
    '## Sides',
    '',
    ...sides.map(({ name, describes }) => `- \`${name}\`: ${describes}`),
  ].join('\n');
}

function table({ task, entries }: Comparison): string[] {
  const own = entries.find(({ side }) => side === 'epochal');
  const base = own?.times === undefined ? Number.NaN : median(own.times);
  const work = own?.processorTimes === undefined ? Number.NaN : median(own.processorTimes);
  const withMemory = task.withProducts;
  const rateOf = (time: number) =>
    task.operations === undefined
      ? undefined
      : task.operations / time / (task.unit.startsWith('ms') ? 1e6 : 1e9);
  const columns = [
    'side',
    task.unit,
    'rounds',
    'ratio',
    'ratio of processor time',
    'deviation',
    ...(task.operations === undefined ? [] : ['GFLOP/s']),
    ...(withMemory ? ['products', 'peak memory'] : []),
  ];
  const row = ({ side, times, processorTimes, deviation, products, peakBytes, refused }: Entry): string[] => {
    if (times === undefined || processorTimes === undefined)
      return [side, `refused: ${refused}`, ...columns.slice(2).map(() => '')];
    const time = median(times);
    const rate = rateOf(time);
    return [
      side,
      `${digits(time)} (${digits(Math.min(...times))}-${digits(Math.max(...times))})`,
      String(times.length),
      (time / base).toFixed(2),
      (median(processorTimes) / work).toFixed(2),
      side === 'epochal' || deviation === undefined ? '' : deviation.toExponential(0),
      ...(rate === undefined ? [] : [digits(rate)]),
      ...(withMemory ? [String(products), `${(peakBytes! / 1e9).toFixed(2)} GB`] : []),
    ];
  };
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    `## ${task.title}`,
    '',
    line(columns),
    line(columns.map(() => '---')),
    ...entries.map((entry) => line(row(entry))),
    '',
    ...verdicts({ task, entries, versions: {} }),
  ];
}

/** For each target, whether it was reached. */
function verdicts({ task, entries }: Comparison): string[] {
  const timeOf = (side: string) => {
    const times = entries.find((entry) => entry.side === side)?.times;
    return times === undefined ? undefined : median(times);
  };
  const own = timeOf('epochal');
  const lines = task.targets.flatMap(({ sides: group, ratio }) => {
    const present = group.filter((side) => timeOf(side) !== undefined);
    if (own === undefined || present.length === 0) return [];
    const reached = Math.min(...present.map((side) => timeOf(side)!)) / own;
    const who = present.length === 1 ? present[0]! : `the fastest of ${present.join(', ')}`;
    return [
      `- ${reached >= ratio ? 'reached' : '**missed**'}: ${reached.toFixed(2)} times ${who} (aim: ${ratio})`,
    ];
  });
  return lines.length === 0 ? [] : [...lines, ''];
}

function threadsLines({ trainings, threads, oneThreadEach, allThreadsEach }: ThreadsResult): string[] {
  return [
    `## ${trainings} small trainings`,
    '',
    `LeNet, 200 steps at S = 50 in each: ${digits(oneThreadEach)} s with one thread a training and ${threads} at once, ` +
      `${digits(allThreadsEach)} s with ${threads} threads a training, one after the other: ${(allThreadsEach / oneThreadEach).toFixed(2)} times as long.`,
    '',
  ];
}

function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
