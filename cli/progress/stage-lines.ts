import { formatCount, formatDuration } from '../../report/numbers.ts';
import type { LiveStage, LiveStages } from '../../runtime/study/client.ts';

/** A line about something that runs: a stage, how far it is, or why it cannot be said. */
export interface StageLine {
  /** Empty where there is only one. */
  readonly cell: string;
  readonly stage: string;
  readonly state: LiveStage | string;
}

const widestBar = 24;
const narrowestBar = 8;
/** Characters of a cell that are shown before the name of its stage is cut. */
const shortestCell = 12;
/** Room for the time that is left, which says more than a bar. */
const timeLeft = ', 59 min 59 s left'.length;
/** Room for what is said before there are numbers. */
const leastNumbers = 'waits for a worker'.length;

/** Seconds that a stage still needs at its rate so far; NaN if there is none yet. */
export function secondsLeft({ done, from, total, elapsedMs }: LiveStage): number {
  return done > from && elapsedMs > 0 ? ((total - done) * elapsedMs) / (done - from) / 1000 : Number.NaN;
}

/** How far a stage is: what must be said first, the rest in the order of its weight. */
export function describeStage(stage: LiveStage): readonly [string, ...string[]] {
  const { done, total, unit, message, attempt } = stage;
  if (total === 0) return [message ?? 'starting', ...(attempt > 1 ? [`attempt ${attempt}`] : [])];
  const left = secondsLeft(stage);
  return [
    `${formatCount(done)}/${formatCount(total)} ${unit}`,
    ...(Number.isNaN(left) || done >= total ? [] : [`${formatDuration(left)} left`]),
    ...(attempt > 1 ? [`attempt ${attempt}`] : []),
    ...(message === undefined ? [] : [message]),
  ];
}

/** What is to be said of stages that no worker has taken: nothing or one line. */
export function describeQueued({ queued, unserved = [] }: LiveStages): string[] {
  if (queued === 0) return [];
  const waits = queued === 1 ? 'waits for a worker' : `${queued} wait for a worker`;
  if (unserved.length === 0) return [waits];
  return [`${waits}: none serves the queue ${unserved.join(', ')}`];
}

/**
 * Lines of at most `columns` characters, in columns. The numbers are always whole; where room is scarce, the bar goes first, then remarks, then the
 * names of axes (the values tell which cell it is), and last the middle of long names.
 */
export function formatStages(lines: readonly StageLine[], columns: number): string[] {
  const parts = lines.map(({ state }) => {
    if (typeof state === 'string') return { share: undefined, said: [state] as const };
    return { share: state.total === 0 ? undefined : state.done / state.total, said: describeStage(state) };
  });
  const widest = (texts: readonly string[]) => Math.max(0, ...texts.map(({ length }) => length));
  const percentWidth = 5;
  const numbers = parts.flatMap(({ share, said }) => (share === undefined ? [] : [said[0]]));
  const withoutNames = 2 + percentWidth + 2 + Math.max(widest(numbers), leastNumbers);
  const leastCell = lines.some(({ cell }) => cell !== '') ? shortestCell + 2 : 0;
  const stages = shortenNames(
    lines.map(({ stage }) => stage),
    Math.max(1, columns - withoutNames - leastCell),
  );
  const stageWidth = widest(stages);
  const needed = stageWidth + withoutNames;
  const cells = shortenCells(
    lines.map(({ cell }) => cell),
    Math.max(1, columns - needed - 2),
  );
  const cellWidth = widest(cells);
  const rest = columns - needed - (cellWidth === 0 ? 0 : cellWidth + 2);
  const barRoom = rest - 2 - (numbers.length > 0 ? timeLeft : 0);
  const barWidth = barRoom < narrowestBar ? 0 : Math.min(widestBar, barRoom);
  return lines.map((_, index) => {
    const { share, said } = parts[index]!;
    const percent = share === undefined ? '' : `${Math.floor(share * 100)} %`;
    let line = [
      ...(cellWidth === 0 ? [] : [cells[index]!.padEnd(cellWidth)]),
      stages[index]!.padEnd(stageWidth),
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
  return shortenNames(ways.at(-1)!(), width);
}

/** Names of which none is longer than `width`, and that can be told apart as far as that goes: what is cut out of the long ones is where they are alike. */
function shortenNames(names: readonly string[], width: number): readonly string[] {
  const kept = Math.max(0, width - 1);
  const cut = (head: number) =>
    names.map((name) =>
      name.length <= width ? name : `${name.slice(0, head)}…${name.slice(name.length - (kept - head))}`,
    );
  const apart = (short: readonly string[]) => new Set(short).size;
  const middle = Math.floor(kept / 2);
  const heads = [middle, ...Array.from({ length: kept + 1 }, (_, index) => index)];
  return heads.map(cut).reduce((best, short) => (apart(short) > apart(best) ? short : best));
}
