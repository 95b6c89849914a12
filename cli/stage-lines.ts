import type { LiveStage } from '../runtime/client.ts';
import { formatCount, formatDuration } from './format.ts';

/** A line about something that runs: a stage, how far it is, or why it cannot be said. */
export interface StageLine {
  /** Empty where there is only one. */
  readonly cell: string;
  readonly stage: string;
  readonly state: LiveStage | string;
}

const widestBar = 24;
const narrowestBar = 8;
/** Room for what is said before there are numbers. */
const leastNumbers = 'waits for a worker'.length;

/** Seconds that a stage still needs at its rate so far; NaN if there is none yet. */
export function secondsLeft({ done, from, total, elapsedMs }: LiveStage): number {
  return done > from && elapsedMs > 0 ? ((total - done) * elapsedMs) / (done - from) / 1000 : Number.NaN;
}

/** How far a stage is: what must be said first, the rest in the order of its weight. */
export function describeStage(stage: LiveStage): readonly [string, ...string[]] {
  const { done, total, unit, message, attempt } = stage;
  if (total === 0) return ['starting', ...(attempt > 1 ? [`attempt ${attempt}`] : [])];
  const left = secondsLeft(stage);
  return [
    `${formatCount(done)}/${formatCount(total)} ${unit}`,
    ...(Number.isNaN(left) || done >= total ? [] : [`${formatDuration(left)} left`]),
    ...(attempt > 1 ? [`attempt ${attempt}`] : []),
    ...(message === undefined ? [] : [message]),
  ];
}

/**
 * Lines of at most `columns` characters, in columns. Stages and their numbers are always whole; where room is scarce, the bar goes first, then
 * remarks, and then the names of axes: the values tell which cell it is.
 */
export function formatStages(lines: readonly StageLine[], columns: number): string[] {
  const parts = lines.map(({ state }) => {
    if (typeof state === 'string') return { share: undefined, said: [state] as const };
    return { share: state.total === 0 ? undefined : state.done / state.total, said: describeStage(state) };
  });
  const widest = (texts: readonly string[]) => Math.max(0, ...texts.map(({ length }) => length));
  const stageWidth = widest(lines.map(({ stage }) => stage));
  const percentWidth = 5;
  const numbers = parts.flatMap(({ share, said }) => (share === undefined ? [] : [said[0]]));
  const needed = stageWidth + 2 + percentWidth + 2 + Math.max(widest(numbers), leastNumbers);
  const cells = shortenCells(
    lines.map(({ cell }) => cell),
    Math.max(1, columns - needed - 2),
  );
  const cellWidth = widest(cells);
  const rest = columns - needed - (cellWidth === 0 ? 0 : cellWidth + 2);
  const barWidth = rest - 2 < narrowestBar ? 0 : Math.min(widestBar, rest - 2);
  return lines.map(({ stage }, index) => {
    const { share, said } = parts[index]!;
    const percent = share === undefined ? '' : `${Math.floor(share * 100)} %`;
    let line = [
      ...(cellWidth === 0 ? [] : [cells[index]!.padEnd(cellWidth)]),
      stage.padEnd(stageWidth),
      ...(barWidth === 0 ? [] : [share === undefined ? ' '.repeat(barWidth) : bar(share, barWidth)]),
      percent.padStart(percentWidth),
      said[0],
    ].join('  ');
    for (const remark of said.slice(1)) {
      if (line.length + 2 + remark.length <= columns) line += `, ${remark}`;
    }
    return line.slice(0, columns);
  });
}

/** A bar of `width` characters, `share` of it filled. */
export function bar(share: number, width: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * width);
  return '█'.repeat(filled) + '░'.repeat(width - filled);
}

/** Ids of cells, such as `batchSize=50,seed=1`, all shortened in the same way so that none is longer than `width`. */
export function shortenCells(ids: readonly string[], width: number): readonly string[] {
  const withNames = (shorten: (name: string) => string) =>
    ids.map((id) =>
      id.replaceAll(/(^|,)([^=,]+)=/g, (_, comma: string, name: string) => comma + shorten(name)),
    );
  const ways = [
    () => ids,
    () => withNames((name) => `${name.match(/^.|[A-Z]|(?<=_)./g)?.join('')}=`),
    () => withNames(() => ''),
  ];
  for (const way of ways) {
    const short = way();
    if (short.every(({ length }) => length <= width)) return short;
  }
  const ends = Math.max(0, width - 1);
  return ways.at(-1)!().map((id) =>
    id.length <= width
      ? id
      : `${id.slice(0, Math.floor(ends / 2))}…${id.slice(id.length - Math.ceil(ends / 2))}`,
  );
}
