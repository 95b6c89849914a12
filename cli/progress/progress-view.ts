import { createLogUpdate } from 'log-update';
import pc from 'picocolors';
import { harmless } from '../../compiler/diagnostics/diagnostic.ts';
import { formatCount, formatDuration, plural } from '../../report/numbers.ts';
import type { LiveStages, StudyEvent, StudySnapshot } from '../../runtime/study/client.ts';
import type { ControlSignal } from '../../workflows/messages.ts';
import type { Output } from '../output/output.ts';
import { bar, describeQueued, describeStage, formatStages, type StageLine } from './stage-lines.ts';
import { endedCells } from './study-status.ts';

/** Shows how far a study is. */
export interface ProgressView {
  /** Something happened, which is told in any case. */
  event(event: StudyEvent): void;
  /** Where the study is now. */
  update(study: StudySnapshot): void;
  /** A line that stays. */
  line(text: string): void;
  end(): void;
}

/** @param cells Cells of the study. */
export function createProgressView(output: Output, cells: number): ProgressView {
  return output.interactive ? terminalView(output, cells) : plainView(output, cells);
}

/** What is said of an event; undefined for the end of the only cell. */
export function tellEvent(event: StudyEvent, cells: number): string | undefined {
  if (event.type === 'signal') return signals[event.signal];
  if (event.type === 'cell') {
    const { cellId, status, ended } = event;
    return cells > 1
      ? `${cellId}: ${status === 'failed' ? pc.red(status) : status}, ${formatCount(ended)} of ${plural(cells, 'cell')} ended`
      : undefined;
  }
  const place = `${cells > 1 && event.cellId !== undefined ? `${event.cellId} ` : ''}${event.stage}`;
  if (event.end === 'failed')
    return `${place}: ${pc.red('failed')}: ${harmless(event.message.split('\n')[0]!)}`;
  if (event.end === 'stopped') return `${place}: stopped`;
  const { reused, seconds, continued } = event.outcome;
  return `${place}: ${reused ? 'reused' : `done in ${formatDuration(seconds)}${continued ? ' from a checkpoint' : ''}`}`;
}

const signals: Record<ControlSignal, string> = {
  pause: 'The study is paused: running stages end, no other starts.',
  stop: 'The study is stopped; running stages keep their checkpoints.',
  resume: 'The study goes on.',
};

/** Milliseconds between two lines about the same stage. */
const quietMs = 10_000;

/** Lines for logs: every event, and every ten seconds how far a stage is. */
function plainView(output: Output, cells: number): ProgressView {
  const spoken = new Map<string, number>();
  /** When each queue was first seen without a worker: one that is only about to start is nothing to tell. */
  const since = new Map<string, number>();
  return {
    event(event) {
      const text = tellEvent(event, cells);
      if (text !== undefined) output.line(text);
    },
    update({ running, collecting }) {
      const waiting = [...running, { cellId: '', ...collecting }];
      const lacking = new Set(waiting.flatMap(({ unserved = [] }) => unserved));
      for (const queue of since.keys()) if (!lacking.has(queue)) since.delete(queue);
      for (const queue of lacking) {
        since.set(queue, since.get(queue) ?? Date.now());
        if (Date.now() - since.get(queue)! < quietMs || spoken.has(`queue ${queue}`)) continue;
        output.line(`stages wait: no worker serves the queue ${queue} (epochal worker --queue ${queue})`);
        spoken.set(`queue ${queue}`, Date.now());
      }
      for (const { cellId, live } of waiting) {
        for (const stage of live) {
          const place = `${cells > 1 && cellId !== '' ? `${cellId} ` : ''}${stage.stage}`;
          if (stage.done === 0 || Date.now() - (spoken.get(place) ?? 0) < quietMs) continue;
          spoken.set(place, Date.now());
          output.line(`${place}: ${describeStage(stage).join(', ')}`);
        }
      }
    },
    line: (text) => output.line(text),
    end: () => undefined,
  };
}

/** Events as lines that stay; below them, drawn anew each time, the running stages, and the cells if there are several. */
function terminalView(output: Output, cells: number): ProgressView {
  const draw = createLogUpdate(process.stdout);
  let now: StudySnapshot | undefined;
  const redraw = (): void => {
    if (now === undefined) return;
    // The cursor stands behind the last line, and a full line would be broken by some terminals.
    const columns = (process.stdout.columns || 80) - 1;
    const rows = (process.stdout.rows || 24) - 1;
    draw(formatSnapshot(now, { columns, rows }).join('\n'));
  };
  const say = (text: string): void => {
    // `persist` would break a long line, which the terminal wraps by itself so that it can be copied as one.
    draw.clear();
    output.line(text);
    redraw();
  };
  return {
    event(event) {
      // What has ended is not shown as running until the next look.
      if (now !== undefined) now = without(now, event);
      const text = tellEvent(event, cells);
      if (text !== undefined) say(text);
    },
    update(study) {
      now = study;
      redraw();
    },
    line: say,
    end() {
      now = undefined;
      draw.clear();
      draw.done();
    },
  };
}

/** The lines below the events: at most `rows` of at most `columns` characters. */
export function formatSnapshot(
  { cells, counts, paused, running, more, collecting }: StudySnapshot,
  { columns, rows }: { readonly columns: number; readonly rows: number },
): string[] {
  const linesOf = (cell: string, stages: LiveStages): StageLine[] => [
    ...stages.live.map((state) => ({ cell, stage: state.stage, state })),
    ...describeQueued(stages).map((state) => ({ cell, stage: '', state })),
  ];
  const lines = [
    ...running.flatMap(({ cellId, ...stages }) => linesOf(cells > 1 ? cellId : '', stages)),
    ...linesOf('', collecting),
  ];
  const head =
    cells > 1 || paused ? [headline({ cells, counts, paused }, running.length + more, columns)] : [];
  const room = rows - head.length - 1;
  const shown = lines.slice(0, room);
  const hidden = lines.length - shown.length + more;
  return [
    ...head,
    ...formatStages(shown, columns),
    ...(hidden === 0 ? [] : [`... and ${plural(hidden, 'more line')}`.slice(0, columns)]),
  ];
}

function headline(
  { cells, counts, paused }: Pick<StudySnapshot, 'cells' | 'counts' | 'paused'>,
  running: number,
  columns: number,
): string {
  const ended = endedCells(counts);
  let line = `${formatCount(ended)} of ${plural(cells, 'cell')} ended`;
  const remarks = [
    ...(paused ? ['paused'] : []),
    ...(counts.failed > 0 ? [`${formatCount(counts.failed)} failed`] : []),
    ...(counts.cancelled > 0 ? [`${formatCount(counts.cancelled)} cancelled`] : []),
    `${formatCount(running)} running`,
  ];
  for (const remark of remarks) if (line.length + 2 + remark.length <= columns) line += `, ${remark}`;
  const room = Math.min(24, columns - line.length - 2);
  return room < 8 ? line : `${line}  ${bar(ended / cells, room)}`;
}

function without(now: StudySnapshot, event: StudyEvent): StudySnapshot {
  if (event.type === 'cell') {
    return { ...now, running: now.running.filter(({ cellId }) => cellId !== event.cellId) };
  }
  if (event.type !== 'stage') return now;
  const others = (stages: LiveStages): LiveStages => ({
    ...stages,
    live: stages.live.filter(({ stage }) => stage !== event.stage),
  });
  if (event.cellId === undefined) return { ...now, collecting: others(now.collecting) };
  const running = now.running.map((cell) =>
    cell.cellId === event.cellId ? { cellId: cell.cellId, ...others(cell) } : cell,
  );
  return { ...now, running };
}
