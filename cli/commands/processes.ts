import type { Command } from 'commander';
import pc from 'picocolors';
import { EnvironmentError, InputError } from '../../artifacts/errors.ts';
import { openHome } from '../../runtime/home.ts';
import { type FrontDoor, makeFrontDoor, type OpenFrontDoor } from '../../runtime/server/front-door.ts';
import { type ServerHandle, startServer } from '../../runtime/server/server.ts';
import { defaultSlots } from '../../runtime/workers/slots.ts';
import { exitCode } from '../output/errors.ts';
import { createOutput } from '../output/output.ts';
import { onInterrupt } from '../run/interrupt.ts';
import { connectTo, findServer, placeOfServer } from './server-connection.ts';
import {
  addServerOptions,
  concurrencyHelp,
  duration,
  handled,
  portNumber,
  positiveInteger,
  queueNames,
  type ServerOptions,
} from './shared.ts';
import { addWatchOptions, type WatchOptions, withVoice } from './watch-options.ts';

interface WorkerCommandOptions extends ServerOptions, WatchOptions {
  readonly home?: string;
  readonly store?: readonly string[];
  readonly concurrency?: number;
  readonly queue?: readonly string[];
  /** Milliseconds. */
  readonly drain?: number;
  /** Milliseconds. */
  readonly untilIdle?: number;
}

interface ServerCommandOptions {
  readonly home?: string;
  readonly port?: number;
  readonly listen?: string;
  readonly tlsCertPath?: string;
  readonly tlsKeyPath?: string;
  readonly tlsClientCaPath?: string;
}

/** Undefined if the server is for this machine alone. Throws {@link InputError} if it is to be open to whoever comes. */
function doorOf(options: ServerCommandOptions): OpenFrontDoor | undefined {
  const { listen, tlsCertPath: certificate, tlsKeyPath: key, tlsClientCaPath: clientCa } = options;
  if (listen !== undefined && certificate !== undefined && key !== undefined && clientCa !== undefined)
    return makeFrontDoor({ listen, certificate, key, clientCa });
  if (listen !== undefined) {
    throw new InputError(
      '--listen needs --tls-cert-path, --tls-key-path and --tls-client-ca-path: whoever reaches a Temporal server can end its studies and read what they say.',
      'docs/operating.md has the commands that make the certificates. On one machine --listen is not needed.',
    );
  }
  if (certificate === undefined && key === undefined && clientCa === undefined) return undefined;
  throw new InputError(
    'The certificates are for --listen, which is not given.',
    'Give --listen HOST:PORT, such as --listen 0.0.0.0:7233.',
  );
}

async function openDoor(
  server: ServerHandle,
  open: OpenFrontDoor | undefined,
): Promise<FrontDoor | undefined> {
  try {
    return await open?.(Number(server.address.split(':').at(-1)));
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** `worker`, `server`, `doctor`: the processes behind the studies. What only one of them needs is loaded when it runs. */
export function addProcessCommands(program: Command): void {
  addWatchOptions(
    addServerOptions(
      program.command('worker').description('serve stages for a Temporal server, until stopped'),
    ),
  )
    .option('--home <dir>', 'where state is kept; default: EPOCHAL_HOME, else .epochal')
    .option(
      '--store <uri...>',
      'the only stores to serve; default: those of the studies that were run in the home',
    )
    .option('--concurrency <n>', concurrencyHelp, positiveInteger)
    .option(
      '--queue <name...>',
      'the only queues of stages to serve, such as a100; default: cpu, and gpu where there is one',
      queueNames,
    )
    .option(
      '--drain <duration>',
      'when told to stop, let running stages end for so long, such as 10m',
      duration,
    )
    .option('--until-idle <duration>', 'end when there was nothing to do for so long', duration)
    .action(
      withVoice(async (options: WorkerCommandOptions, voice) => {
        const home = openHome(options);
        const place = await placeOfServer(options);
        const server = place === undefined ? await findServer(home, {}) : await connectTo(home, place);
        if (server === undefined) {
          throw new EnvironmentError(
            `The Temporal server of ${home.folder} is not running.`,
            'Start it with `epochal server`, or name another with --address.',
          );
        }
        await server.connection.close();
        const { runWorker } = await import('../../runtime/workers/worker.ts');
        const watch = await voice.openWatch();
        const [stop, drain] = [new AbortController(), new AbortController()];
        const interruption = onInterrupt(() => {
          if (options.drain === undefined) stop.abort();
          else {
            voice.say('No more stages are taken; those that run may end first.');
            drain.abort();
            setTimeout(() => stop.abort(), options.drain).unref();
          }
        });
        await runWorker(
          {
            server: server.place,
            home,
            ...(options.store === undefined ? {} : { stores: options.store }),
            concurrency: options.concurrency ?? defaultSlots(),
            ...(options.queue === undefined ? {} : { queues: options.queue }),
            ...(options.untilIdle === undefined ? {} : { untilIdleMs: options.untilIdle }),
            standInForGpu: place === undefined,
            onReady: () => voice.say(`worker for ${server.place.address} is ready; Ctrl-C stops it`),
          },
          { stop: stop.signal, drain: drain.signal },
          watch,
        ).finally(watch.close);
        interruption.off();
        return interruption.happened ? exitCode.interrupted : exitCode.done;
      }),
    );

  program
    .command('server')
    .description('run the Temporal server of the home, with its web UI, until stopped')
    .option('--home <dir>', 'where state is kept; default: EPOCHAL_HOME, else .epochal')
    .option('--port <port>', 'port of the server', portNumber)
    .option('--listen <host:port>', 'let other machines in there too, over TLS and with certificates')
    .option('--tls-cert-path <file>', 'certificate of the server, for --listen')
    .option('--tls-key-path <file>', 'key of that certificate')
    .option('--tls-client-ca-path <file>', 'certificate of who has signed those of the clients')
    .action(
      handled(async (options: ServerCommandOptions) => {
        const output = createOutput(false);
        const opens = doorOf(options);
        const home = openHome(options);
        const server = await startServer({
          home,
          ...(options.port === undefined ? {} : { port: options.port }),
        });
        const door = await openDoor(server, opens);
        output.line(`server ${server.address}, web UI ${server.uiUrl}; Ctrl-C stops it`);
        if (door !== undefined)
          output.line(
            `  ${door.address} for other machines, with a certificate signed by ${options.tlsClientCaPath}`,
          );
        const interruption = onInterrupt();
        const ended = await Promise.race([
          interruption.requested.then(() => 'interrupted'),
          server.died.then(() => 'died'),
        ]);
        interruption.off();
        await door?.close();
        await server.stop();
        if (ended === 'died')
          throw new EnvironmentError('The Temporal server ended by itself.', `See the logs in ${home.logs}.`);
        return exitCode.interrupted;
      }),
    );

  program
    .command('setup')
    .description('install what is missing: libtensorflow and its binding, the Temporal server')
    .option('--gpu', 'TensorFlow for NVIDIA GPUs, with the CUDA libraries: 3.4 GB to fetch')
    .action(
      handled(async ({ gpu = false }: { gpu?: boolean }) => {
        const { startSetUp } = await import('../../runtime/setup/start.mjs');
        return startSetUp(gpu ? ['--gpu'] : []);
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
