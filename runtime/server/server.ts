import { execFile } from 'node:child_process';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { EnvironmentError } from '../../artifacts/errors.ts';
import { closeHome, type Home } from '../home.ts';
import { connect } from './connection.ts';
import { withFileLock } from './file-lock.ts';
import { leaseOf, refuseOtherHosts } from './host.ts';
import { findFreePort, isFree } from './ports.ts';
import { type Registration, registerUser, runsIn, startGuarded } from './server-process.ts';
import { findTemporal } from './temporal-binary.ts';

const host = '127.0.0.1';
/** SQLite file of the server, in the home. */
const database = 'temporal.db';
const startTimeoutMs = 180_000;
const startsTried = 3;
const stopTimeoutMs = 10_000;

/** The embedded Temporal server of a home: the real dev server over an SQLite file. */
export interface ServerHandle {
  readonly address: string;
  /** Address of the web UI. */
  readonly uiUrl: string;
  readonly pid: number;
  /** True if it ran before. */
  readonly reused: boolean;
  /** Resolves when the server's process is gone, whoever ended it, or this handle was stopped. */
  readonly died: Promise<void>;
  /** Whether another process uses it too. */
  isShared(): Promise<boolean>;
  /** Ends the server (SIGTERM, then SIGKILL) unless another process uses it. */
  stop(): Promise<void>;
}

/** Kept in `home/server.json`: where the server of this home is, and which ports it had when it is started again. */
interface ServerRecord {
  readonly pid: number;
  readonly port: number;
  readonly uiPort: number;
}

export interface ServerOptions {
  readonly home: Home;
  /** Default: the port of last time if it is free, else any. */
  readonly port?: number;
}

/**
 * Finds the server of this home, or starts it. All studies that it knew go on where they were.
 *
 * Throws {@link EnvironmentError} if there is no Temporal binary, the asked port is in use, or the server does not come up.
 */
export async function startServer({ home, port }: ServerOptions): Promise<ServerHandle> {
  closeHome(home);
  await refuseOtherHosts(home);
  await mkdir(home.logs, { recursive: true, mode: 0o700 });
  const registration = await registerUser(home.serverUsers);
  try {
    return await withFileLock(serverLock(home), async () => {
      await refuseOtherHosts(home);
      const last = await readRecord(home);
      if (last !== undefined && runs(home, last.pid)) {
        if (port !== undefined && port !== last.port) {
          throw new EnvironmentError(
            `The Temporal server of ${home.folder} already runs, on port ${last.port}.`,
            `Leave out the port to use it, or stop it first (process ${last.pid}).`,
          );
        }
        await waitUntilServing(last, home);
        return handle(home, last, true, registration);
      }
      return handle(home, await launchServing(home, last, port), false, registration);
    });
  } catch (error) {
    await registration.leave();
    throw error;
  }
}

async function choosePorts(
  last: ServerRecord | undefined,
  asked: number | undefined,
): Promise<Omit<ServerRecord, 'pid'>> {
  if (asked !== undefined && !(await isFree(asked))) {
    throw new EnvironmentError(
      `Port ${asked} is in use by another program.`,
      'Leave out the port to take a free one, or, if it is a Temporal server that you want to use, pass --address.',
    );
  }
  const port = asked ?? (await findFreePort(last?.port));
  return { port, uiPort: await findFreePort(last?.uiPort) };
}

const dynamicConfig = [
  'history.transferProcessorMaxPollRPS=1000',
  'history.timerProcessorMaxPollRPS=1000',
  'history.visibilityProcessorMaxPollRPS=1000',
  // A worker that stops gives back its polls first: a task that is handed out at that moment would else be lost until its timeout.
  'frontend.enableCancelWorkerPollsOnShutdown=true',
  // Studies at the same time share the workers evenly, however many stages each has in a queue. That holds within a part of the queue, so it has one.
  'matching.enableFairness=true',
  'matching.numTaskqueueReadPartitions=1',
  'matching.numTaskqueueWritePartitions=1',
  // The HTTP API takes orders from any web page that the user has open. Nothing here uses it: no host is its own.
  'frontend.httpAllowedHosts=["no host"]',
];

async function launch(home: Home, ports: Omit<ServerRecord, 'pid'>): Promise<ServerRecord> {
  const temporal = findTemporal();
  const command = [
    temporal,
    ...['server', 'start-dev', '--ip', host, '--port', String(ports.port), '--ui-port', String(ports.uiPort)],
    ...[
      '--db-filename',
      // In the folder where the server runs: the path is taken for a URI, in which a `?`, a `#` or a `%` of a folder's name would mean something.
      database,
      '--sqlite-pragma',
      'journal_mode=wal',
      '--sqlite-pragma',
      'synchronous=normal',
    ],
    ...dynamicConfig.flatMap((setting) => ['--dynamic-config-value', setting]),
    ...['--log-level', 'warn'],
    ...((await takesFlag(temporal, '--ui-disable-news-fetch')) ? ['--ui-disable-news-fetch'] : []),
  ];
  const { folder, serverUsers: users } = home;
  const { pid } = await startGuarded({ folder, command, users, log: serverLog(home), lease: leaseOf(home) });
  return { pid, ...ports };
}

/** The dev server has been seen to crash while it starts, by a race of its own, where the machine is busy: then it is started again. */
async function launchServing(
  home: Home,
  last: ServerRecord | undefined,
  port: number | undefined,
): Promise<ServerRecord> {
  for (let tries = 1; ; tries++) {
    const record = await launch(home, await choosePorts(last, port));
    await writeRecord(home, record);
    try {
      await waitUntilServing(record, home);
      return record;
    } catch (error) {
      if (tries === startsTried) throw error;
    }
  }
}

async function takesFlag(temporal: string, flag: string): Promise<boolean> {
  const { stdout } = await promisify(execFile)(temporal, ['server', 'start-dev', '--help']);
  return stdout.includes(flag);
}

async function waitUntilServing({ pid, port }: ServerRecord, home: Home): Promise<void> {
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    try {
      const connection = await connect({ address: `${host}:${port}` }, { connectTimeoutMs: 1000 });
      await connection.workflowService.describeNamespace({ namespace: 'default' });
      await connection.close();
      return;
    } catch {
      if (!runs(home, pid) || Date.now() > deadline) {
        if (runs(home, pid)) process.kill(pid, 'SIGKILL');
        const log = await readFile(serverLog(home), 'utf8').catch(() => '');
        throw new EnvironmentError(
          `The Temporal server did not come up on port ${port}. The end of its log:\n${log.trim().split('\n').slice(-6).join('\n')}`,
          `See ${serverLog(home)}; \`epochal doctor\` checks the binary.`,
        );
      }
      await setTimeout(50);
    }
  }
}

function handle(home: Home, record: ServerRecord, reused: boolean, registration: Registration): ServerHandle {
  const isUp = (): boolean => runs(home, record.pid);
  let released = false;
  const died = (async () => {
    while (isUp() && !released) await setTimeout(300);
  })();
  return {
    address: `${host}:${record.port}`,
    uiUrl: `http://${host}:${record.uiPort}`,
    pid: record.pid,
    reused,
    died,
    isShared: registration.isShared,
    async stop() {
      released = true;
      await registration.leave();
      if (await registration.isShared()) return;
      // Who comes in this moment waits, and starts another.
      await withFileLock(serverLock(home), async () => {
        if ((await registration.isShared()) || !isUp()) return;
        process.kill(record.pid, 'SIGTERM');
        const deadline = Date.now() + stopTimeoutMs;
        while (isUp() && Date.now() < deadline) await setTimeout(50);
        if (isUp()) process.kill(record.pid, 'SIGKILL');
        while (isUp()) await setTimeout(50);
      });
    },
  };
}

function runs(home: Home, pid: number): boolean {
  return runsIn(home.folder, pid, database);
}

/** Held while the server is started or ended. */
function serverLock(home: Home): string {
  return `${home.serverRecord}.lock`;
}

function serverLog(home: Home): string {
  return path.join(home.logs, 'server.log');
}

async function readRecord(home: Home): Promise<ServerRecord | undefined> {
  try {
    return JSON.parse(await readFile(home.serverRecord, 'utf8')) as ServerRecord;
  } catch {
    // Absent or torn: only the ports of last time are lost.
    return undefined;
  }
}

async function writeRecord(home: Home, record: ServerRecord): Promise<void> {
  const temporary = `${home.serverRecord}.${process.pid}`;
  await writeFile(temporary, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  await rename(temporary, home.serverRecord);
}
