import pc from 'picocolors';
import { formatBytes, formatCount, plural } from '../../report/numbers.ts';
import type { GarbageFile } from '../../runtime/storage/garbage.ts';
import type { Collected } from '../../runtime/storage/gc.ts';
import { type HolderUsage, type Tally, tallyOf, type Usage } from '../../runtime/storage/usage.ts';
import { cutForTerminal, type Output, table } from '../output/output.ts';

type Where = Pick<Output, 'interactive' | 'columns'>;

const words: Readonly<Record<GarbageFile['what'], string>> = {
  step: 'records of steps',
  artifact: 'artifacts',
  checkpoint: 'checkpoints',
  unfinished: 'artifacts of unfinished steps',
  temporary: 'temporary files',
};

export function formatTally({ files, bytes }: Tally): string {
  return `${formatBytes(bytes)} in ${plural(files, 'file')}`;
}

/** What a `gc` has removed, or would remove, by what it was. */
export function formatCollected({ freed, held, open }: Collected, dryRun: boolean): string[] {
  const rows = byName(freed, ({ what, kind }) => kind ?? words[what]);
  const verb = dryRun ? 'would be freed' : 'freed';
  const lines =
    freed.length === 0
      ? [
          `Nothing ${dryRun ? 'would be' : 'was'} removed: studies or pins need all of it, or it is too young.`,
        ]
      : [table(rows, ['what', 'files', 'size']), `${formatTally(tallyOf(freed))} ${verb}`];
  if (held.length > 0)
    lines.push(
      `${formatTally(tallyOf(held))} of unfinished steps kept: ${open.length === 1 ? 'a study' : 'studies'} may go on with them (${shorten(open)})`,
    );
  return lines;
}

/** What is in a store, the largest first. */
export function formatUsage(usage: Usage, output: Where): string[] {
  const { total, parts, kinds, holders, unneeded, unjudged } = usage;
  const filled = parts.filter(({ files }) => files > 0);
  const { shown, cut } = cutForTerminal(output, holders, 'holder');
  return [
    `${usage.store}: ${pc.bold(formatTally(total))}`,
    ...filled.map(({ part, ...tally }) => `  ${part} ${formatTally(tally)}`),
    ...(kinds.length === 0
      ? []
      : [
          '',
          table(
            kinds.map(({ kind, ...tally }) => [kind, ...sizes(tally)]),
            ['kind', 'files', 'size'],
          ),
        ]),
    ...(holders.length === 0
      ? []
      : [
          '',
          table(
            shown.map(holderRow),
            ['held by', 'files', 'size', 'only by it', 'shared', 'most of it'],
            output.columns,
          ),
          ...cut,
        ]),
    '',
    ...unjudged.slice(0, 10).map((sentence) => `${pc.yellow('cannot be judged:')} ${sentence}`),
    unneeded === undefined
      ? `What \`gc\` would free is not known: ${plural(unjudged.length, 'record')} cannot be read.`
      : unneeded.files === 0
        ? 'Studies or pins need all of it: `epochal gc` would free nothing.'
        : `${formatTally(unneeded)} needed by no study and no pin: \`epochal gc\` frees it.`,
  ];
}

function holderRow({ studyId, artifact, pinned, open, own, shared, kinds, ...all }: HolderUsage): string[] {
  const marks = [...(open ? ['open'] : []), ...(pinned ? ['pinned'] : [])].join(', ');
  const name = studyId ?? artifact!.slice(0, 12);
  const largest = kinds[0] === undefined ? '' : `${kinds[0].kind} ${formatBytes(kinds[0].bytes)}`;
  return [
    marks === '' ? name : `${name} (${marks})`,
    ...sizes(all),
    ...[own, shared].map(({ bytes }) => formatBytes(bytes)),
    largest,
  ];
}

function sizes({ files, bytes }: Tally): string[] {
  return [formatCount(files), formatBytes(bytes)];
}

function byName(files: readonly GarbageFile[], nameOf: (file: GarbageFile) => string): string[][] {
  const groups = Map.groupBy(files, nameOf);
  const tallies = [...groups].map(([name, some]) => [name, tallyOf(some)] as const);
  return tallies.sort(([, a], [, b]) => b.bytes - a.bytes).map(([name, tally]) => [name, ...sizes(tally)]);
}

function shorten(ids: readonly string[]): string {
  return ids.length <= 3 ? ids.join(', ') : `${ids.slice(0, 3).join(', ')} and ${ids.length - 3} more`;
}
