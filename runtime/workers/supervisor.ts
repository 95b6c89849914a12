import { fork } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { compileCache } from '../../activities/processes/compile-cache.ts';
import { nodeFlags } from '../../activities/processes/node-flags.ts';
import { EnvironmentError } from '../../artifacts/errors.ts';
import { moduleFile } from '../../artifacts/module-file.mjs';
import type { Home } from '../home.ts';
import { keepAlive, type Mortal } from '../server/keep-alive.ts';
import type { ServerPlace } from '../server/place.ts';
import { type ServerHandle, startServer } from '../server/server.ts';
import { usualQueues } from './queues.ts';
import { defaultSlots } from './slots.ts';
import type { WorkerOptions } from './worker.ts';
import type { WorkerWord } from './worker-process.ts';

/** A worker registers itself as a user of the server before it drains. */
const drainAnswerMs = 10_000;
/** Stages have five seconds to stop, the worker a little longer. */
const workerStopMs = 12_000;

export interface RuntimeOptions {
  readonly home: Home;
  /** A Temporal server of your own; without it, the embedded one is started. */
  readonly place?: ServerPlace | undefined;
  /** Port of the embedded server. */
  readonly port?: number;
  /** Start a worker; default: only for the embedded server. */
  readonly worker?: boolean;
  /** Stages of one thread that compute at the same time; default: {@link defaultSlots}. */
  readonly concurrency?: number;
  /** Queues of the user's own that the worker serves too. */
  readonly queues?: readonly string[];
  /** A line for the user: something died and was started again. */
  readonly onEvent: (line: string) => void;
}

/** The processes behind a study on this machine, kept alive. */
export interface LocalRuntime {
  /** Where its server is. */
  readonly place: ServerPlace;
  /** Web UI of the embedded server. */
  readonly uiUrl: string | undefined;
  /** Process ids, as they are now. */
  readonly processes: { readonly server: number | undefined; readonly worker: number | undefined };
  /** Rejects with {@link EnvironmentError} when a process keeps dying; never resolves. */
  readonly failed: Promise<never>;
  /** Whether another process uses the embedded server too. */
  isShared(): Promise<boolean>;
  /**
   * Stops everything; stages that run keep their checkpoints. While others use the embedded server, it stays, and the worker takes no more
   * stages but lets those of the others end.
   */
  stop(): Promise<void>;
}

/** Starts the server and the worker as child processes and starts them again when they die. */
export async function startRuntime(options: RuntimeOptions): Promise<LocalRuntime> {
  const { home, onEvent } = options;
  let giveUp: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  failed.catch(() => undefined);

  const startingServer =
    options.place === undefined
      ? keepAlive<ServerHandle>({
          name: 'Temporal server',
          start: (previous) => startEmbeddedServer(home, options.port, previous),
          onEvent,
          onGivenUp: giveUp,
        })
      : undefined;
  const isShared = async (): Promise<boolean> =>
    (await (await startingServer)?.current().isShared()) ?? false;
  // The worker loads its code while the server starts.
  const startingWorker =
    (options.worker ?? options.place === undefined)
      ? keepAlive<WorkerHandle>({
          name: 'worker',
          start: () =>
            startWorkerProcess(
              home,
              {
                home,
                concurrency: options.concurrency ?? defaultSlots(),
                queues: [...usualQueues, ...(options.queues ?? [])],
                standInForGpu: true,
              },
              async () => options.place ?? placeOf((await startingServer)!.current()),
              isShared,
            ),
          onEvent,
          onGivenUp: giveUp,
        })
      : undefined;
  const [serverStart, workerStart] = await Promise.allSettled([startingServer, startingWorker]);
  if (serverStart.status === 'rejected' || workerStart.status === 'rejected') {
    if (workerStart.status === 'fulfilled') await workerStart.value?.stop();
    if (serverStart.status === 'fulfilled') await serverStart.value?.stop();
    // Without a server there is no worker either.
    throw serverStart.status === 'rejected'
      ? serverStart.reason
      : (workerStart as PromiseRejectedResult).reason;
  }
  const [server, worker] = [serverStart.value, workerStart.value];
  return {
    place: options.place ?? placeOf(server!.current()),
    uiUrl: server?.current().uiUrl,
    get processes() {
      return { server: server?.current().pid, worker: worker?.current().pid };
    },
    failed,
    isShared,
    async stop() {
      await worker?.stop();
      await server?.stop();
    },
  };
}

function placeOf({ address }: ServerHandle): ServerPlace {
  return { address, namespace: 'default' };
}

/** After a death, the server comes back at its old port: clients and workers have connected to it. */
async function startEmbeddedServer(
  home: Home,
  port: number | undefined,
  previous?: ServerHandle,
): Promise<ServerHandle> {
  const server = await startServer({
    home,
    ...(previous === undefined && port !== undefined ? { port } : {}),
  });
  await previous?.stop();
  if (previous !== undefined && previous.address !== server.address) {
    await server.stop();
    throw new EnvironmentError(
      `The Temporal server could not come back at ${previous.address}: another program took its port.`,
      'Run the pipeline again: the study goes on at another port.',
    );
  }
  return server;
}

interface WorkerHandle extends Mortal {
  readonly pid: number | undefined;
}

async function startWorkerProcess(
  home: Home,
  options: Omit<WorkerOptions, 'server'>,
  place: () => Promise<ServerPlace>,
  isShared: () => Promise<boolean>,
): Promise<WorkerHandle> {
  mkdirSync(home.logs, { recursive: true, mode: 0o700 });
  const log = path.join(home.logs, 'worker.log');
  const output = openSync(log, 'a', 0o600);
  const child = fork(moduleFile(import.meta.dirname, 'worker-process'), [JSON.stringify(options)], {
    execArgv: [...nodeFlags],
    env: { ...process.env, ...compileCache() },
    stdio: ['ignore', output, output, 'ipc'],
  });
  closeSync(output);
  const { promise: died, resolve: gone } = Promise.withResolvers<void>();
  child.once('close', () => gone());
  const hears = (word: WorkerWord): Promise<boolean> =>
    new Promise((resolve) => {
      child.on('message', (said) => {
        if (said === word) resolve(true);
      });
      void died.then(() => resolve(false));
    });
  const ready = hears('ready');
  try {
    child.send({ server: await place() } satisfies WorkerWord, () => undefined);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  if (!(await ready)) {
    const end = readFileSync(log, 'utf8').trim().split('\n').slice(-8).join('\n');
    throw new EnvironmentError(`The worker did not start. The end of its log:\n${end}`, `See ${log}.`);
  }
  return {
    pid: child.pid,
    died,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null || !child.connected) return;
      if (await isShared()) {
        const drains = hears('draining');
        child.send('drain' satisfies WorkerWord);
        if (await Promise.race([drains, setTimeout(drainAnswerMs, false, { ref: false })])) {
          // It is no longer this process's, and ends by itself.
          child.disconnect();
          child.unref();
          gone();
          return;
        }
      }
      child.send('stop' satisfies WorkerWord);
      const late = new AbortController();
      const inTime = await Promise.race([
        died.then(() => true),
        setTimeout(workerStopMs, false, { signal: late.signal }).catch(() => false),
      ]);
      late.abort();
      if (!inTime) child.kill('SIGKILL');
      await died;
    },
  };
}
