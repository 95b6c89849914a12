import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import { addArtifactCommands } from './commands/artifacts.ts';
import { addPipelineCommands } from './commands/pipeline.ts';
import { addProcessCommands } from './commands/processes.ts';
import { addRun } from './commands/run.ts';
import { addStudyCommands } from './commands/studies.ts';
import { tellError } from './errors.ts';

/** Runs one command, given its arguments without the program's name, and gives the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const program = createProgram();
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    return tellError(error);
  }
  return Number(process.exitCode ?? 0);
}

/** All commands. */
export function createProgram(): Command {
  const { version, description } = JSON.parse(
    readFileSync(path.join(import.meta.dirname, '..', 'package.json'), 'utf8'),
  ) as { version: string; description: string };
  const program = new Command('epochal').description(description).version(version);
  program.showSuggestionAfterError().exitOverride();
  program.configureHelp({ sortOptions: false, showGlobalOptions: false });
  addPipelineCommands(program);
  addRun(program);
  addStudyCommands(program);
  addArtifactCommands(program);
  addProcessCommands(program);
  for (const command of program.commands) command.exitOverride().showSuggestionAfterError();
  return program;
}
