import { ServiceError } from '@temporalio/client';
import { CommanderError } from 'commander';
import pc from 'picocolors';
import { EnvironmentError, InputError } from '../artifacts/errors.ts';
import { formatDiagnostic, PipelineError } from '../compiler/index.ts';

/** Exit codes of every command. */
export const exitCode = { done: 0, failed: 1, wrongInput: 2, interrupted: 130 } as const;

/** Tells the user of an error, once and without a traceback, and gives the exit code. `EPOCHAL_DEBUG=1` adds the traceback. */
export function tellError(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.done : exitCode.wrongInput;
  if (process.env.EPOCHAL_DEBUG === '1') console.error(error);
  if (error instanceof PipelineError) {
    const color = process.stderr.isTTY === true && !process.env.NO_COLOR;
    for (const diagnostic of error.diagnostics) write(formatDiagnostic(diagnostic, { color }));
    const { length } = error.diagnostics;
    write(`${length} error${length === 1 ? '' : 's'}; nothing was run.`);
    return exitCode.wrongInput;
  }
  const { message, cure } = describe(error);
  write(`${pc.red('error:')} ${message}`);
  if (cure !== undefined) write(`  ${cure}`);
  return error instanceof InputError ? exitCode.wrongInput : exitCode.failed;
}

function describe(error: unknown): { message: string; cure?: string | undefined } {
  if (error instanceof InputError || error instanceof EnvironmentError) return error;
  if (error instanceof ServiceError) {
    return {
      message: `The Temporal server does not answer: ${innermost(error).message}`,
      cure: 'What was done is kept. When the server is back, run the pipeline again: it goes on.',
    };
  }
  const { cure } = error as { cure?: unknown };
  return { message: innermost(error).message, cure: typeof cure === 'string' ? cure : undefined };
}

function innermost(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  return error.cause instanceof Error ? innermost(error.cause) : error;
}

function write(text: string): void {
  process.stderr.write(`${text}\n`);
}
