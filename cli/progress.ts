import { MultiBar, type SingleBar } from 'cli-progress';
import type { LiveCell, LiveStage } from '../runtime/client.ts';
import type { StudyProgress } from '../workflows/messages.ts';
import { formatCount, formatDuration } from './format.ts';
import type { Output } from './output.ts';

/** Shows how far a study is. */
export interface ProgressView {
  update(study: StudyProgress, cells: readonly LiveCell[]): void;
  /** A line that stays: something died and was started again. */
  event(line: string): void;
  end(): void;
}

export function createProgressView(output: Output): ProgressView {
  return output.interactive ? terminalView(output) : plainView(output);
}

/** Rate of a stage in its unit per second, and the seconds that it still needs at that rate. */
export function estimate({
  done,
  from,
  total,
  elapsedMs,
}: Pick<LiveStage, 'done' | 'from' | 'total' | 'elapsedMs'>): {
  rate: number;
  secondsLeft: number;
} {
  const rate = elapsedMs > 0 ? ((done - from) * 1000) / elapsedMs : 0;
  return { rate, secondsLeft: rate > 0 ? (total - done) / rate : Number.NaN };
}

function describe(stage: LiveStage): string {
  const { rate, secondsLeft } = estimate(stage);
  const parts = [`${formatCount(stage.done)}/${formatCount(stage.total)} ${stage.unit}`];
  if (rate > 0)
    parts.push(
      `${rate >= 100 ? Math.round(rate) : rate.toPrecision(3)}/s`,
      `${formatDuration(secondsLeft)} left`,
    );
  if (stage.message !== undefined) parts.push(stage.message);
  if (stage.attempt > 1) parts.push(`attempt ${stage.attempt}`);
  return parts.join(', ');
}

/** Milliseconds between two lines about the same stage. */
const quietMs = 10_000;

/** Plain lines, for logs: when a stage starts, every ten seconds, and when it ends. */
function plainView(output: Output): ProgressView {
  const status = new Map<string, string>();
  const spoken = new Map<string, number>();
  return {
    update(study, cells) {
      const several = study.cells > 1;
      for (const cell of cells) {
        const label = several ? `${cell.cellId} ` : '';
        for (const { name, status: now, reused, seconds } of cell.stages) {
          const id = `${cell.cellId} ${name}`;
          if (status.get(id) === now) continue;
          status.set(id, now);
          if (now === 'done')
            output.line(`${label}${name}: ${reused ? 'reused' : `done in ${formatDuration(seconds ?? 0)}`}`);
          if (now === 'failed') output.line(`${label}${name}: failed`);
        }
        for (const stage of cell.live) {
          const id = `${cell.cellId} ${stage.stage}`;
          if (stage.total === 0 || stage.done === 0 || Date.now() - (spoken.get(id) ?? 0) < quietMs) continue;
          spoken.set(id, Date.now());
          output.line(`${label}${stage.stage}: ${describe(stage)}`);
        }
      }
    },
    event: (line) => output.line(line),
    end: () => undefined,
  };
}

/** One bar for the cells, if there are several, and one for each running stage. */
function terminalView(output: Output): ProgressView {
  const bars = new MultiBar({
    hideCursor: true,
    clearOnComplete: true,
    barsize: 24,
    linewrap: false,
    gracefulExit: false,
    format: (options, params, payload: { label: string; text: string }) => {
      const size = options.barsize ?? 24;
      const filled = Math.round(params.progress * size);
      const bar = '█'.repeat(filled) + '░'.repeat(size - filled);
      const percent = String(Math.floor(params.progress * 100)).padStart(3);
      return `${payload.label} ${bar} ${percent} %  ${payload.text}`.slice(
        0,
        Math.max(40, (process.stdout.columns ?? 100) - 1),
      );
    },
  });
  const stages = new Map<string, SingleBar>();
  let whole: SingleBar | undefined;
  const told = new Set<string>();
  return {
    update(study, cells) {
      const { succeeded, failed, cancelled } = study.counts;
      const ended = succeeded + failed + cancelled;
      if (study.cells > 1) {
        whole ??= bars.create(study.cells, ended, { label: 'cells'.padEnd(24), text: '' });
        whole.update(ended, {
          text: `${ended}/${study.cells}${failed > 0 ? `, ${failed} failed` : ''}${study.paused ? ', paused' : ''}`,
        });
      }
      const seen = new Set<string>();
      for (const cell of cells) {
        for (const { name, status, reused, seconds } of cell.stages) {
          const id = `${cell.cellId} ${name}`;
          if (study.cells > 1 || status !== 'done' || told.has(id)) continue;
          told.add(id);
          bars.log(`  ${name.padEnd(10)} ${reused ? 'reused' : formatDuration(seconds ?? 0)}\n`);
        }
        for (const stage of cell.live) {
          const id = `${cell.cellId} ${stage.stage}`;
          seen.add(id);
          const label = (study.cells > 1 ? id : stage.stage).slice(-24).padEnd(study.cells > 1 ? 24 : 10);
          const total = Math.max(stage.total, 1);
          const bar = stages.get(id) ?? bars.create(total, 0, { label, text: '' });
          stages.set(id, bar);
          bar.setTotal(total);
          bar.update(stage.done, { label, text: stage.total === 0 ? 'starting' : describe(stage) });
        }
      }
      for (const [id, bar] of stages) {
        if (seen.has(id)) continue;
        bars.remove(bar);
        stages.delete(id);
      }
      bars.update();
    },
    event: (line) => bars.log(`${line}\n`),
    end: () => {
      bars.stop();
      output.line();
    },
  };
}
