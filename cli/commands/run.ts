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

export function addRun(program: Command): void {
  const command = program
    .command('run')
    .argument('<file>', 'pipeline')
    .description('run a pipeline to its report; stages that are done already are reused')
    .option('--set <name=value>', 'change a parameter, may be repeated', collectOverride)
    .option('--worker', 'start a worker here too, with --address')
    .option('--concurrency <n>', concurrencyHelp, positiveInteger)
    .option('--priority <1-5>', 'whose stages workers take first, 1 before 5; default: 3', priorityLevel)
    .option('--detach', 'return at once, with --address')
    .option('--report-dir <dir>', 'where the report goes')
    .option('--json', 'the result as JSON on standard output');
  addServerOptions(addPlaceOptions(command)).action(
    handled(async (file: string, options: RunOptions) => {
      const output = createOutput(options.json === true);
      const { plan } = await compileFile(file, options.set ?? {}, output);
      const place = await placeOfServer(options);
      if (options.detach && place === undefined) {
        throw new InputError(
          '--detach needs --address: the server that `run` starts by itself ends with it.',
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
    }),
  );
}
