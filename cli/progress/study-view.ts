import { Help } from 'commander';
import pc from 'picocolors';
import { countOf, formatCount, formatMoment, plural } from '../../report/numbers.ts';
import type { CellCounts } from '../../workflows/messages.ts';
import { table } from '../output/output.ts';
import { describeQueued, describeStage } from './stage-lines.ts';
import { endedCells, type ListedStudy, type StudyStatus } from './study-status.ts';

/** Where a text is shown: `columns` is infinite where nothing has to fit. */
export interface View {
  readonly columns: number;
  readonly now: Date;
}

/** Lines of failed cells, and of running ones. */
export const shownCells = 10;

/** One line for each study, or two where the terminal is narrow. */
export function formatStudies(studies: readonly ListedStudy[], { columns, now }: View): string {
  const rows = studies.map(({ studyId, status, cells, counts, startedAt }) => [
    studyId,
    status,
    `${formatCount(endedCells(counts))} of ${plural(cells, 'cell')}${troubles(counts, '')}`,
    formatMoment(startedAt, now),
  ]);
  return table(rows, ['study', 'status', 'ended', 'launched'], columns);
}

/** How far a study is: failed cells, then running ones, each at most ten. */
export function formatStatus(study: StudyStatus, { columns, now }: View): string {
  const { studyId, status, cells, ended, counts, failures, live, progress } = study;
  const of = (title: string, count: number, all: number): string[] =>
    count === 0
      ? []
      : [
          '',
          `${pc.bold(title)}, ${formatCount(count)} of ${formatCount(all)}${count < all ? '; --json shows more' : ''}`,
        ];
  const damaged = study.damaged.slice(0, shownCells);
  const failed = failures.slice(0, shownCells);
  const running = live.slice(0, shownCells);
  return [
    `${pc.bold(studyId)}  ${status}`,
    `  launched ${formatMoment(study.startedAt, now)}`,
    `  ${formatCount(ended)} of ${plural(cells, 'cell')} ended${troubles(counts, ': ')}`,
    ...damaged.flatMap((message) => wrap(`${pc.red('damaged')} ${message}`, 2, columns)),
    ...(damaged.length < study.damaged.length
      ? [`  ${countOf(damaged.length, study.damaged.length, 'damaged record')}; --json has all`]
      : []),
    ...of('failed', failed.length, failures.length),
    // Neighbours often fail alike: their cure is said once, below the last of them.
    ...failed.flatMap(({ cellId, stage, message, cure }, index) => [
      ...wrap(`${pc.red(cellId)} ${stage}: ${message}`, 2, columns),
      ...(cure === undefined || cure === failed[index + 1]?.cure ? [] : wrap(cure, 4, columns)),
    ]),
    ...of('running', running.length, progress?.running.length ?? live.length),
    ...(running.length === 0 && study.running ? silent(progress?.running ?? [], columns) : []),
    ...running.flatMap(({ cellId, stages, live: computing, ...waiting }) => [
      ...wrap(`${cellId}: ${stages.map((stage) => `${stage.name} ${stage.status}`).join(', ')}`, 2, columns),
      ...computing.flatMap((stage) => wrap(`${stage.stage} ${describeStage(stage).join(', ')}`, 4, columns)),
      ...describeQueued({ ...waiting, live: [] }).flatMap((line) => wrap(line, 4, columns)),
    ]),
  ].join('\n');
}

/** Cells that run, of which none has said in time how far it is. */
function silent(running: readonly { readonly cellId: string }[], columns: number): string[] {
  if (running.length === 0) return [];
  const names = running.slice(0, shownCells).map(({ cellId }) => cellId);
  const rest = running.length - names.length;
  const all = `${names.join('; ')}${rest > 0 ? ` and ${formatCount(rest)} more; --json names all` : ''}`;
  return ['', `${pc.bold('running')}, ${formatCount(running.length)}`, ...wrap(all, 2, columns)];
}

function troubles({ succeeded, failed, cancelled }: CellCounts, before: string): string {
  const parts = [
    ...(before === '' || failed + cancelled === 0 ? [] : [`${formatCount(succeeded)} succeeded`]),
    ...(failed === 0 ? [] : [`${formatCount(failed)} failed`]),
    ...(cancelled === 0 ? [] : [`${formatCount(cancelled)} cancelled`]),
  ];
  return parts.length === 0 ? '' : `${before || ', '}${parts.join(', ')}`;
}

/** Lines of at most `columns`, the first indented by `indent`, the others by two more. */
function wrap(text: string, indent: number, columns: number): string[] {
  const lines = new Help().boxWrap(text, columns - indent - 2).split('\n');
  return lines.map((line, index) => `${' '.repeat(index === 0 ? indent : indent + 2)}${line}`);
}
