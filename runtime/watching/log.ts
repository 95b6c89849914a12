import { hostname } from 'node:os';
import { DefaultLogger, type LogEntry, type LogLevel } from '@temporalio/worker';
import { placeOfActivity } from '../../workflows/messages.ts';
import type { LogSettings } from './log-settings.ts';

/** What a line may have besides its time, level and message. */
export type LogFields = Readonly<
  Record<string, string | number | boolean | undefined | { readonly kind: string; readonly message: string }>
>;

/** Of a worker, as the Temporal server names it. */
const worker = `${process.pid}@${hostname()}`;

/** What the SDK's own lines may keep of what they come with: the rest is settings and objects of the program. */
const keptFields = ['workflowId', 'runId', 'activityId', 'activityType', 'taskQueue', 'attempt'];

/** The log of a worker: text as the SDK writes it, or one JSON object a line. */
export class WorkerLog {
  readonly format: LogSettings['format'];
  readonly level: LogLevel;
  /** Takes what the SDK has to say, too. */
  readonly logger: DefaultLogger;
  readonly #tellsStages: boolean;

  /** @param write Takes a line of JSON with its end. */
  constructor(
    { format, level }: LogSettings,
    write = (line: string): void => void process.stderr.write(line),
  ) {
    this.format = format;
    this.level = (level ?? (format === 'json' ? 'info' : 'warn')).toUpperCase() as LogLevel;
    this.#tellsStages = format === 'json' || level !== undefined;
    this.logger =
      format === 'json'
        ? new DefaultLogger(this.level, (entry) => write(`${lineOf(entry)}\n`))
        : new DefaultLogger(this.level);
  }

  /** A line of a stage; none where nobody has asked for a log. */
  stage(level: LogLevel, message: string, fields: LogFields): void {
    if (this.#tellsStages) this.say(level, message, fields);
  }

  say(level: LogLevel, message: string, fields: LogFields = {}): void {
    const known = Object.entries(fields).filter(([, value]) => value !== undefined);
    this.logger.log(level, message, Object.fromEntries(known));
  }

  /** What ends the worker. */
  fault(error: unknown): void {
    const { kind, message } = errorOf(error);
    const { cure } = (error ?? {}) as { cure?: unknown };
    const words = typeof cure === 'string' ? `${message} ${cure}` : message;
    this.say('ERROR', 'The worker ends.', { error: { kind, message: words } });
  }

  /** Has what Node would write to standard error by itself be lines of JSON too. */
  takeWarnings(): void {
    if (this.format === 'text') return;
    process.removeAllListeners('warning');
    process.on('warning', ({ name, message }) => this.say('WARN', `${name}: ${message}`));
    process.on('uncaughtException', (error) => {
      this.fault(error);
      process.exit(1);
    });
  }
}

function lineOf({ level, timestampNanos, message, meta = {} }: LogEntry): string {
  const { error, ...fields } = meta as Record<string, unknown>;
  const own = Object.entries(fields).filter(
    ([name, value]) => isOwn(name) || (keptFields.includes(name) && isPlain(value)),
  );
  return JSON.stringify({
    time: new Date(Number(timestampNanos / 1_000_000n)).toISOString(),
    level: level.toLowerCase(),
    message,
    worker,
    ...placeOf(fields),
    ...Object.fromEntries(own),
    ...(error === undefined ? {} : { error: errorOf(error) }),
  });
}

/** Those of {@link WorkerLog.stage}. */
function isOwn(name: string): boolean {
  return ['study', 'cell', 'stage', 'kind', 'attempt', 'outcome', 'seconds', 'again', 'address'].includes(
    name,
  );
}

function isPlain(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

/** Study, cell and stage of what the SDK says of a workflow or an activity. */
function placeOf({ workflowId, activityId }: Record<string, unknown>): Record<string, string> {
  const [, study, workflowCell] = /^epochal-([^/]+)(?:\/(.*))?$/s.exec(String(workflowId)) ?? [];
  if (study === undefined) return {};
  const place = typeof activityId === 'string' ? placeOfActivity(activityId) : undefined;
  const cell = place?.cellId ?? workflowCell;
  // Ids of other activities are numbers, or tell of a row of cells.
  const stage = place?.cellId === undefined ? undefined : place.stage;
  return {
    study,
    ...(cell === undefined ? {} : { cell }),
    ...(stage === undefined ? {} : { stage }),
  };
}

function errorOf(error: unknown): { readonly kind: string; readonly message: string } {
  const { name, message, kind } = (error ?? {}) as { name?: unknown; message?: unknown; kind?: unknown };
  return { kind: String(kind ?? name ?? 'Error'), message: String(message ?? error) };
}
