import type { Command } from 'commander';
import pc from 'picocolors';
import { EnvironmentError } from '../../artifacts/errors.ts';
import { openHome } from '../../runtime/home.ts';
import { startServer } from '../../runtime/server/server.ts';
import { defaultSlots } from '../../runtime/workers/slots.ts';
import { exitCode } from '../output/errors.ts';
import { createOutput } from '../output/output.ts';
import { onInterrupt } from '../run/interrupt.ts';
import { findServer } from './server-connection.ts';
import {
  addServerOptions,
  concurrencyHelp,
  handled,
  portNumber,
  positiveInteger,
  type ServerOptions,
} from './shared.ts';

interface WorkerCommandOptions extends ServerOptions {
  readonly home?: string;
  readonly store?: readonly string[];
  readonly concurrency?: number;
}

/** `worker`, `server`, `doctor`: the processes behind the studies. What only one of them needs is loaded when it runs. */
export function addProcessCommands(program: Command): void {
  addServerOptions(program.command('worker').description('serve stages for a Temporal server, until stopped'))
    .option('--home <dir>', 'where state is kept; default: EPOCHAL_HOME, else .epochal')
    .option(
      '--store <uri...>',
      'the only stores to serve; default: those of the studies that were run in the home',
    )
    .option('--concurrency <n>', concurrencyHelp, positiveInteger)
    .action(
      handled(async (options: WorkerCommandOptions) => {
        const output = createOutput(false);
        const home = openHome(options);
        const server = await findServer(home, options);
        if (server === undefined) {
          throw new EnvironmentError(
            `The Temporal server of ${home.folder} is not running.`,
            'Start it with `epochal server`, or name another with --address.',
          );
        }
        await server.connection.close();
        const { installWorkerRuntime, runWorker } = await import('../../runtime/workers/worker.ts');
        installWorkerRuntime();
        const interruption = onInterrupt();
        const stop = new AbortController();
        void interruption.requested.then(() => stop.abort());
        await runWorker(
          {
            address: server.address,
            namespace: options.namespace ?? 'default',
            home,
            ...(options.store === undefined ? {} : { stores: options.store }),
            concurrency: options.concurrency ?? defaultSlots(),
            standInForGpu: options.address === undefined,
            onReady: () => output.line(`worker for ${server.address} is ready; Ctrl-C stops it`),
          },
          { stop: stop.signal },
        );
        interruption.off();
        return exitCode.interrupted;
      }),
    );

  program
    .command('server')
    .description('run the Temporal server of the home, with its web UI, until stopped')
    .option('--home <dir>', 'where state is kept; default: EPOCHAL_HOME, else .epochal')
    .option('--port <port>', 'port of the server', portNumber)
    .action(
      handled(async (options: { home?: string; port?: number }) => {
        const output = createOutput(false);
        const home = openHome(options);
        const server = await startServer({
          home,
          ...(options.port === undefined ? {} : { port: options.port }),
        });
        output.line(`server ${server.address}, web UI ${server.uiUrl}; Ctrl-C stops it`);
        const interruption = onInterrupt();
        const ended = await Promise.race([
          interruption.requested.then(() => 'interrupted'),
          server.died.then(() => 'died'),
        ]);
        interruption.off();
        await server.stop();
        if (ended === 'died')
          throw new EnvironmentError('The Temporal server ended by itself.', `See the logs in ${home.logs}.`);
        return exitCode.interrupted;
      }),
    );

  program
    .command('setup')
    .description('install what is missing: libtensorflow and its binding, the Temporal server')
    .action(
      handled(async () => {
        const { startSetUp } = await import('../../runtime/setup/start.mjs');
        return startSetUp([]);
      }),
    );

  program
    .command('doctor')
    .description('every part that Epochal needs: version, place, what is missing and what mends it')
    .option('--json', 'as JSON on standard output')
    .action(
      handled(async ({ json = false }: { json?: boolean }) => {
        const output = createOutput(json);
        const { examine, formatParts } = await import('../../runtime/doctor.mjs');
        const parts = await examine();
        if (json) output.result(parts);
        else output.line(formatParts(parts, pc.isColorSupported));
        return parts.some(({ status }) => status === 'missing') ? exitCode.failed : exitCode.done;
      }),
    );
}
