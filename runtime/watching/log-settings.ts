import { InputError } from '../../artifacts/errors.ts';

export const logFormats = ['text', 'json'] as const;
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error'] as const;

/** How a worker speaks of what it does, on standard error. */
export interface LogSettings {
  readonly format: (typeof logFormats)[number];
  /** What is less than this is left out; undefined: warnings in text, and without the stages; all that is no debugging in JSON. */
  readonly level?: (typeof logLevels)[number];
}

/**
 * How the options ask the log to be, or else `EPOCHAL_LOG`: a format, a level, or both with a colon between them, as in `json:debug`.
 *
 * Throws {@link InputError} if the variable is none of these.
 */
export function logSettings(
  { format, level }: Partial<LogSettings>,
  environment = process.env.EPOCHAL_LOG,
): LogSettings {
  const words = (environment ?? '').split(':').filter(Boolean);
  const [formats, levels] = [logFormats, logLevels].map((known: readonly string[]) =>
    words.filter((word) => known.includes(word)),
  ) as [LogSettings['format'][], (typeof logLevels)[number][]];
  if (formats.length > 1 || levels.length > 1 || formats.length + levels.length < words.length) {
    throw new InputError(
      `EPOCHAL_LOG is ${JSON.stringify(environment)}.`,
      `It must be a format (${logFormats.join(', ')}), a level (${logLevels.join(', ')}), or both, such as json:debug.`,
    );
  }
  const least = level ?? levels[0];
  return { format: format ?? formats[0] ?? 'text', ...(least === undefined ? {} : { level: least }) };
}
