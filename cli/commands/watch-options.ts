import { type Command, Option } from 'commander';
import { InputError } from '../../artifacts/errors.ts';
import type { WorkerLog } from '../../runtime/watching/log.ts';
import { type LogSettings, logFormats, logLevels, logSettings } from '../../runtime/watching/log-settings.ts';
import type { WorkerWatch } from '../../runtime/watching/open-watch.ts';
import { exitCode } from '../output/errors.ts';
import { createOutput } from '../output/output.ts';
import { handled } from './shared.ts';

export interface WatchOptions {
  readonly metrics?: string;
  readonly logFormat?: LogSettings['format'];
  readonly logLevel?: NonNullable<LogSettings['level']>;
}

const help = `
Traces: OTEL_EXPORTER_OTLP_ENDPOINT=http://HOST:4318, here and for \`run\`. docs/observing.md says what is in metrics, logs and traces.`;

/** Adds `--metrics`, `--log-format` and `--log-level`. */
export function addWatchOptions(command: Command): Command {
  return command
    .option(
      '--metrics <[host:]port>',
      'serve /metrics for Prometheus, /health and /ready there; default: EPOCHAL_METRICS, else nowhere',
    )
    .addOption(
      new Option(
        '--log-format <format>',
        'what is logged to standard error; default: EPOCHAL_LOG, else text',
      ).choices(logFormats),
    )
    .addOption(
      new Option(
        '--log-level <level>',
        'the least that is logged; default: EPOCHAL_LOG, else info in JSON',
      ).choices(logLevels),
    )
    .addHelpText('after', help);
}

/** How a worker command speaks. */
export interface WorkerVoice {
  /** A line for people, or a line of the log where that is JSON. */
  say(text: string): void;
  openWatch(): Promise<WorkerWatch>;
}

/**
 * Turns the action of a command that serves as a worker into one that gives the program its exit code. Where the log is JSON, what it throws is a
 * line of the log too.
 */
export function withVoice<Options extends WatchOptions>(
  action: (options: Options, voice: WorkerVoice) => Promise<number>,
): (options: Options) => Promise<void> {
  return handled(async (options) => {
    const { logFormat, logLevel } = options;
    const settings = logSettings({
      ...(logFormat === undefined ? {} : { format: logFormat }),
      ...(logLevel === undefined ? {} : { level: logLevel }),
    });
    const { WorkerLog } = await import('../../runtime/watching/log.ts');
    const log = new WorkerLog(settings);
    try {
      return await action(options, await voiceOf(options, log));
    } catch (error) {
      if (settings.format === 'text') throw error;
      log.fault(error);
      return error instanceof InputError ? exitCode.wrongInput : exitCode.failed;
    }
  });
}

async function voiceOf({ metrics }: WatchOptions, log: WorkerLog): Promise<WorkerVoice> {
  const output = createOutput(false);
  const [{ statusPlace }, { isLoopback }] = await Promise.all([
    import('../../runtime/watching/status-server.ts'),
    import('../../runtime/server/ports.ts'),
  ]);
  const where = metrics ?? process.env.EPOCHAL_METRICS;
  const status = where ? statusPlace(where) : undefined;
  if (status !== undefined && !isLoopback(status.host)) {
    const warning = `Metrics are served at ${status.host}: whoever reaches this machine there can read them, since nobody is asked for a password.`;
    if (log.format === 'json') log.say('WARN', warning);
    else output.warn(warning);
  }
  return {
    say: (text) => (log.format === 'json' ? log.say('INFO', text) : output.line(text)),
    openWatch: async () => (await import('../../runtime/watching/open-watch.ts')).openWatch(log, status),
  };
}
