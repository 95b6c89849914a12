import path from 'node:path';
import type { DiagnosticReport, ErrorReport } from './errors.ts';

/** What `validate` says of one file. */
export interface ValidateOutcome {
  readonly file: string;
  readonly valid: boolean;
  readonly cells?: number;
  readonly diagnostics: readonly DiagnosticReport[];
  readonly error?: Omit<ErrorReport, 'diagnostics'>;
}

/**
 * The outcome as GitHub Actions' workflow commands, one a line, which mark the places in a pull request. Paths are relative to
 * `GITHUB_WORKSPACE`, where a job has that.
 */
export function githubCommands({ file, diagnostics, error }: ValidateOutcome): string {
  if (error !== undefined && diagnostics.length === 0)
    return command('error', { file: placed(file), title: 'Epochal' }, error);
  return diagnostics
    .map(({ severity, code, line, column: col, endLine, endColumn, message, cure }) => {
      const title = `Epochal: ${code}`;
      return command(
        severity,
        { file: placed(file), line, col, endLine, endColumn, title },
        { message, cure },
      );
    })
    .join('');
}

function command(
  name: string,
  properties: Readonly<Record<string, string | number | undefined>>,
  { message, cure }: { readonly message: string; readonly cure?: string | undefined },
): string {
  const list = Object.entries(properties)
    .filter(([, value]) => value !== undefined)
    .map(
      ([key, value]) => `${key}=${escapeText(String(value)).replaceAll(':', '%3A').replaceAll(',', '%2C')}`,
    );
  const text = cure === undefined ? message : `${message}\n${cure}`;
  return `::${name} ${list.join(',')}::${escapeText(text)}\n`;
}

function escapeText(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function placed(file: string): string {
  const workspace = process.env.GITHUB_WORKSPACE;
  return workspace ? path.relative(workspace, path.resolve(file)) : file;
}
