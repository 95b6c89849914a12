import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Command, CommanderError } from 'commander';
import { addArtifactCommands } from './commands/artifacts.ts';
import { addPipelineCommands } from './commands/pipeline.ts';
import { addProcessCommands } from './commands/processes.ts';
import { addRun } from './commands/run.ts';
import { addStudyCommands } from './commands/studies.ts';
import { type ErrorReport, exitCode, reportError, tellError } from './output/errors.ts';
import { createOutput } from './output/output.ts';
import { standardError, standardOutput } from './output/streams.ts';

/**
 * Runs one command, given its arguments without the program's name, and gives the exit code once all that it said is written. With `--json`,
 * standard output gets one JSON value in any case: what was asked for, or the error.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const answer = (error: ErrorReport): void => {
    if (argv.includes('--json') && !standardOutput.used) createOutput(true).result({ error });
  };
  let code: number;
  try {
    await createProgram().parseAsync([...argv], { from: 'user' });
    code = Number(process.exitCode ?? exitCode.done);
    if (code === exitCode.interrupted)
      answer({ code: 'interrupted', message: 'Interrupted; what was done is kept.' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) code = exitCode.done;
    else {
      code = tellError(error);
      answer(reportError(error));
    }
  }
  return (await isAllWritten()) ? code : code || exitCode.failed;
}

/** All commands. */
export function createProgram(): Command {
  const { version, description } = JSON.parse(
    readFileSync(path.join(import.meta.dirname, '..', 'package.json'), 'utf8'),
  ) as { version: string; description: string };
  const program = new Command('epochal').description(description).version(version);
  program.showSuggestionAfterError().exitOverride();
  program.configureOutput({
    writeOut: (text) => standardOutput.write(text),
    writeErr: (text) => standardError.write(text),
  });
  program.configureHelp({ sortOptions: false, showGlobalOptions: false });
  addPipelineCommands(program);
  addRun(program);
  addStudyCommands(program);
  addArtifactCommands(program);
  addProcessCommands(program);
  for (const command of program.commands) command.exitOverride().showSuggestionAfterError();
  return program;
}

async function isAllWritten(): Promise<boolean> {
  const failure = await standardOutput.drain();
  if (failure !== undefined)
    standardError.write(`error: What the command says cannot be written: ${failure.message}\n`);
  return (await standardError.drain()) === undefined && failure === undefined;
}
