import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Command, CommanderError } from 'commander';
import { type ErrorReport, exitCode, reportError, tellError } from './output/errors.ts';
import { createOutput } from './output/output.ts';
import { standardError, standardOutput } from './output/streams.ts';

/** The commands, by the file that has them: only that of the wanted one is loaded, since all of them take half a second. */
const groups = [
  {
    names: ['validate', 'plan', 'schema'],
    load: async () => (await import('./commands/pipeline.ts')).addPipelineCommands,
  },
  { names: ['run', 'submit'], load: async () => (await import('./commands/run.ts')).addRun },
  {
    names: ['status', 'list', 'pause', 'resume', 'cancel', 'retry', 'report'],
    load: async () => (await import('./commands/studies.ts')).addStudyCommands,
  },
  {
    names: ['artifacts', 'explain', 'verify'],
    load: async () => (await import('./commands/artifacts.ts')).addArtifactCommands,
  },
  {
    names: ['du', 'gc', 'delete', 'pin', 'unpin', 'export'],
    load: async () => (await import('./commands/storage.ts')).addStorageCommands,
  },
  {
    names: ['worker', 'server', 'setup', 'doctor'],
    load: async () => (await import('./commands/processes.ts')).addProcessCommands,
  },
] as const;

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
    await (await createProgram(argv[0])).parseAsync([...argv], { from: 'user' });
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

/** The program with the wanted command and those beside it in its file; with all commands if none has that name. */
export async function createProgram(wanted?: string): Promise<Command> {
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
  const named = groups.filter(({ names }) => names.some((name) => name === wanted));
  for (const { load } of named.length > 0 ? named : groups) (await load())(program);
  for (const command of program.commands) command.exitOverride().showSuggestionAfterError();
  return program;
}

async function isAllWritten(): Promise<boolean> {
  const failure = await standardOutput.drain();
  if (failure !== undefined)
    standardError.write(`error: What the command says cannot be written: ${failure.message}\n`);
  return (await standardError.drain()) === undefined && failure === undefined;
}
