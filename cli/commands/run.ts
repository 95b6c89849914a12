import path from 'node:path';
import type { Command } from 'commander';
import { InputError } from '../../artifacts/errors.ts';
import { openHome } from '../../runtime/home.ts';
import { createOutput } from '../output/output.ts';
import { launch } from '../run/launch.ts';
import { collectOverride, compileFile } from '../run/pipeline-file.ts';
import { placeOfServer } from './server-connection.ts';
import {
  addPlaceOptions,
  addServerOptions,
  concurrencyHelp,
  handled,
  type PlaceOptions,
  placeOfStore,
  positiveInteger,
  priorityLevel,
  type ServerOptions,
  serverFlags,
} from './shared.ts';

interface RunOptions extends PlaceOptions, ServerOptions {
  readonly set?: Record<string, string>;
  readonly worker?: boolean;
  readonly concurrency?: number;
  readonly priority?: number;
  readonly detach?: boolean;
  readonly reportDir?: string;
  readonly json?: boolean;
}

/** `run`, and `submit`, which is a run that is detached. */
export function addRun(program: Command): void {
  const run = addLaunch(
    program,
    'run',
    'run a pipeline to its report; stages that are done already are reused',
  )
    .option('--worker', 'start a worker here too, with --address')
    .option('--concurrency <n>', concurrencyHelp, positiveInteger)
    .option('--detach', 'return at once, with --address')
    .option('--report-dir <dir>', 'where the report goes');
  run.action(handled((file: string, options: RunOptions) => launchFile(file, options, '--detach')));
  addLaunch(
    program,
    'submit',
    'launch a pipeline on a server, for its workers, and return at once: run --detach',
  ).action(
    handled((file: string, options: RunOptions) => launchFile(file, { ...options, detach: true }, 'submit')),
  );
}

/** A command that launches a pipeline, with the options of both. */
function addLaunch(program: Command, name: string, description: string): Command {
  const command = program
    .command(name)
    .argument('<file>', 'pipeline')
    .description(description)
    .option('--set <name=value>', 'change a parameter, may be repeated', collectOverride)
    .option('--priority <1-5>', 'whose stages workers take first, 1 before 5; default: 3', priorityLevel)
    .option('--json', 'the result as JSON on standard output');
  return addServerOptions(addPlaceOptions(command));
}

/** @param detaches What asks for it to be detached. */
async function launchFile(file: string, options: RunOptions, detaches: string): Promise<number> {
  const output = createOutput(options.json === true);
  const { plan } = await compileFile(file, options.set ?? {}, output);
  const place = await placeOfServer(options);
  if (options.detach && place === undefined) {
    throw new InputError(
      `${detaches} needs --address: the server that \`run\` starts by itself ends with it.`,
      'Start `epochal server` and `epochal worker`, and give the address of the server.',
    );
  }
  const home = openHome(options);
  const { worker, concurrency, priority, detach, reportDir } = options;
  return launch({
    plan,
    baseDirectory: path.dirname(path.resolve(file)),
    home,
    storeUri: placeOfStore(options, home),
    ...(place === undefined ? {} : { place, placeFlags: serverFlags(options) }),
    ...(worker === undefined ? {} : { worker }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(priority === undefined ? {} : { priority }),
    ...(detach === undefined ? {} : { detach }),
    ...(reportDir === undefined ? {} : { reportDirectory: path.resolve(reportDir) }),
    again: `npx epochal run ${file}${Object.entries(options.set ?? {})
      .map(([name, value]) => ` --set ${name}=${value}`)
      .join('')}`,
    output,
  });
}
