import { CommanderError } from 'commander';
import pc from 'picocolors';
import {
  DamagedArtifactError,
  DamagedRecordError,
  EnvironmentError,
  InputError,
} from '../../artifacts/errors.ts';
import {
  type Diagnostic,
  formatDiagnostics,
  harmless,
  PipelineError,
} from '../../compiler/diagnostics/diagnostic.ts';
import { plural } from '../../report/numbers.ts';
import { standardError } from './streams.ts';

/** Exit codes of every command. */
export const exitCode = { done: 0, failed: 1, wrongInput: 2, interrupted: 130 } as const;

/** An error for machines: `schemas/output/error.schema.json`. */
export interface ErrorReport {
  /** The command line, the pipeline, other input, the machine, the Temporal server, a file of the store, Ctrl-C, or a fault of the program itself. */
  readonly code:
    | 'usage'
    | 'pipeline'
    | 'input'
    | 'environment'
    | 'server'
    | 'damaged'
    | 'interrupted'
    | 'internal';
  readonly message: string;
  readonly cure?: string;
  /** What is wrong with the pipeline, and where. */
  readonly diagnostics?: readonly DiagnosticReport[];
}

/** A diagnostic for machines: without the drawing of its place. */
export type DiagnosticReport = Omit<Diagnostic, 'frame'>;

export function reportDiagnostic({ frame: _, ...rest }: Diagnostic): DiagnosticReport {
  return rest;
}

/** What an error is, without a traceback. */
export function reportError(error: unknown): ErrorReport {
  if (error instanceof PipelineError) {
    const { diagnostics } = error;
    const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
    const message = `${plural(errors, 'error')} in ${diagnostics[0]!.file}; nothing was run.`;
    return { code: 'pipeline', message, diagnostics: diagnostics.map(reportDiagnostic) };
  }
  if (error instanceof CommanderError) {
    // `error: unknown option '--stor'`, and on the next line `(Did you mean --store?)`.
    const [message, cure] = error.message.replace(/^error: /, '').split('\n');
    return withCure('usage', message!, cure?.replace(/^\((.*)\)$/, '$1'));
  }
  if (error instanceof InputError) return withCure('input', error.message, error.cure);
  if (error instanceof EnvironmentError) return withCure('environment', error.message, error.cure);
  const { message } = innermost(error);
  // By its name: the client, which takes a tenth of a second to load, may not be there.
  if (error instanceof Error && error.name === 'ServiceError') {
    return {
      code: 'server',
      message: `The Temporal server does not answer: ${message}`,
      cure: 'What was done is kept. When the server is back, run the pipeline again: it goes on.',
    };
  }
  const { cure, syscall } = error as { cure?: unknown; syscall?: unknown };
  // What the operating system refuses has the name of its call.
  const outside = syscall === undefined ? 'internal' : 'environment';
  const isDamage = error instanceof DamagedArtifactError || error instanceof DamagedRecordError;
  const code = isDamage ? 'damaged' : outside;
  return withCure(code, message, typeof cure === 'string' ? cure : undefined);
}

/** Tells a person of an error, once and without a traceback, and gives the exit code. `EPOCHAL_DEBUG=1` adds the traceback. */
export function tellError(error: unknown): number {
  if (process.env.EPOCHAL_DEBUG === '1' && error instanceof Error)
    standardError.write(`${error.stack ?? error}\n`);
  const report = reportError(error);
  if (error instanceof PipelineError) {
    const color = process.stderr.isTTY === true && !process.env.NO_COLOR;
    standardError.write(`${formatDiagnostics(error.diagnostics, { color })}\n${report.message}\n`);
  } else if (!(error instanceof CommanderError)) {
    // Of a wrong command line, the parser has told already.
    standardError.write(`${pc.red('error:')} ${harmlessLines(report.message)}\n`);
    if (report.cure !== undefined) standardError.write(`  ${harmlessLines(report.cure)}\n`);
  }
  return error instanceof InputError || error instanceof CommanderError
    ? exitCode.wrongInput
    : exitCode.failed;
}

/** Messages may have several lines, and names of files and of cells in them, which may have anything. */
function harmlessLines(text: string): string {
  return text.split('\n').map(harmless).join('\n');
}

function withCure(code: ErrorReport['code'], message: string, cure: string | undefined): ErrorReport {
  return { code, message, ...(cure === undefined ? {} : { cure }) };
}

function innermost(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  return error.cause instanceof Error ? innermost(error.cause) : error;
}
