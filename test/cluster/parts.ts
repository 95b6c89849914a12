/** The parts of a cluster that the script starts on this machine: PostgreSQL, and a real Temporal server with TLS on it. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import { homedir, userInfo } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { stringify } from 'yaml';
import { findTemporal } from '../../runtime/server/temporal-binary.ts';
import type { Certificates } from '../fixtures/certificates.ts';

const serverVersion = '1.29.1';
const goModules = ['go.temporal.io/server/cmd/server', 'go.temporal.io/server/cmd/tools/sql'];
const password = 'only-on-this-machine';

export const ports = { database: 25_432, frontend: 27_233 } as const;

/** Something that was started, and is ended by the script. */
export interface Part {
  stop(): Promise<void>;
}

/** A server, which is started again when it ends, as a service manager would. */
export interface ServerPart extends Part {
  readonly pid: number;
  /** Kills it, and starts it again. */
  restart(): Promise<void>;
}

/** How long a service manager waits before it starts again what has ended. */
export const restartMs = 1000;

/** The programs of the server, built from the Go proxy into the cache if they are not there. Throws what is missing. */
export function buildServer(): { readonly server: string; readonly sql: string } {
  const cache = process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache');
  const folder = path.join(cache, 'epochal', `temporal-cluster-${serverVersion}`);
  mkdirSync(folder, { recursive: true });
  for (const module of goModules) {
    if (existsSync(path.join(folder, path.basename(module)))) continue;
    console.log(`building ${module}: some minutes, once`);
    const env = { ...process.env, GOBIN: folder, PATH: `${process.env.PATH}:/usr/local/go/bin` };
    const { status, error } = spawnSync('go', ['install', `${module}@v${serverVersion}`], {
      env,
      stdio: 'inherit',
    });
    if (status !== 0)
      throw new Error(`go cannot build ${module}: ${error?.message ?? `exit code ${status}`}`);
  }
  return { server: path.join(folder, 'server'), sql: path.join(folder, 'sql') };
}

/** Folder of the programs of PostgreSQL, as Debian installs them. */
export function findPostgres(): string {
  const root = '/usr/lib/postgresql';
  const version = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a))[0] : undefined;
  if (version === undefined) throw new Error('PostgreSQL is missing: apt-get install postgresql');
  return path.join(root, version, 'bin');
}

/** A database server in `folder`, on this machine alone. It does not run as root: then it is the user `postgres`. */
export async function startPostgres(
  bin: string,
  folder: string,
): Promise<Part & { restart(): Promise<void> }> {
  const data = path.join(folder, 'database');
  mkdirSync(data);
  const isRoot = userInfo().uid === 0;
  const id = (what: '-u' | '-g'): number =>
    Number(execFileSync('id', [what, 'postgres'], { encoding: 'utf8' }).trim());
  const user = isRoot ? { uid: id('-u'), gid: id('-g') } : {};
  if (isRoot) {
    chmodSync(folder, 0o711);
    chownSync(data, user.uid!, user.gid!);
  }
  const passwordFile = path.join(data, '..', 'database-password');
  writeFileSync(passwordFile, password);
  chmodSync(passwordFile, 0o644);
  const run = (program: string, ...args: string[]): void =>
    void execFileSync(path.join(bin, program), args, {
      ...user,
      cwd: '/',
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  run('initdb', '-D', data, '-U', 'temporal', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`);
  const options = `-p ${ports.database} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${data}`;
  const start = (): void =>
    run('pg_ctl', '-D', data, '-w', '-l', path.join(data, 'log'), '-o', options, 'start');
  start();
  return {
    async restart() {
      run('pg_ctl', '-D', data, '-w', '-m', 'immediate', 'stop');
      start();
    },
    async stop() {
      run('pg_ctl', '-D', data, '-w', '-m', 'fast', 'stop');
    },
  };
}

/** The tables that the server needs. */
export function createSchemas(sql: string): void {
  const env = {
    ...process.env,
    ...{ SQL_PLUGIN: 'postgres12', SQL_HOST: '127.0.0.1', SQL_PORT: String(ports.database) },
    ...{ SQL_USER: 'temporal', SQL_PASSWORD: password },
  };
  const schemas = { temporal: 'temporal', temporal_visibility: 'visibility' };
  for (const [database, schema] of Object.entries(schemas)) {
    const run = (...args: string[]) => execFileSync(sql, ['--db', database, ...args], { env, stdio: 'pipe' });
    run('create');
    run('setup-schema', '-v', '0.0');
    run('update-schema', '--schema-name', `postgresql/v12/${schema}`);
  }
}

/** The server, which believes only clients with a certificate, with its own between its services. */
export async function startTemporal(
  program: string,
  folder: string,
  address: string,
  { ca, server, client }: Certificates,
): Promise<ServerPart & { readonly flags: readonly string[] }> {
  const config = path.join(folder, 'config');
  mkdirSync(config);
  writeFileSync(
    path.join(config, 'development.yaml'),
    stringify(configuration(address, { ca, server, client })),
  );
  const log = path.join(folder, 'temporal.log');
  let stopping = false;
  const launch = () => {
    const output = openSync(log, 'a');
    const words = ['-r', folder, '-c', 'config', '-e', 'development', '--allow-no-auth', 'start'];
    const child = spawn(program, words, { stdio: ['ignore', output, output] });
    closeSync(output);
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    const launched = { child, ended };
    void ended
      .then(() => setTimeout(restartMs))
      .then(() => {
        if (!stopping && running === launched) running = launch();
      });
    return launched;
  };
  const flags = [
    ...['--address', `${address}:${ports.frontend}`, '--tls-ca-path', ca],
    ...[
      '--tls-cert-path',
      client.certificate,
      '--tls-key-path',
      client.key,
      '--tls-server-name',
      'server.example',
    ],
  ];
  const serves = async (...command: string[]): Promise<void> => {
    for (let tries = 0; ; tries++) {
      const { status, stderr } = spawnSync(findTemporal(), [...command, ...flags], { encoding: 'utf8' });
      if (status === 0 || stderr.includes('already exists')) return;
      if (tries === 60) throw new Error(`The server does not come up: ${stderr}\nSee ${log}.`);
      await setTimeout(1000);
    }
  };
  let running = launch();
  await serves('operator', 'namespace', 'create', '--namespace', 'default');
  await serves('workflow', 'count');
  return {
    flags,
    get pid() {
      return running.child.pid!;
    },
    async restart() {
      running.child.kill('SIGKILL');
      await running.ended;
      running = launch();
    },
    async stop() {
      stopping = true;
      running.child.kill('SIGTERM');
      await running.ended;
    },
  };
}

function configuration(address: string, { ca, server, client }: Certificates) {
  const store = (databaseName: string) => ({
    sql: {
      ...{ pluginName: 'postgres12', databaseName, user: 'temporal', password },
      ...{
        connectAddr: `127.0.0.1:${ports.database}`,
        connectProtocol: 'tcp',
        maxConns: 20,
        maxIdleConns: 20,
      },
    },
  });
  // Those of membership must be below 32768: they are kept as a small integer.
  const service = (n: number) => ({
    rpc: { grpcPort: ports.frontend + n, membershipPort: ports.frontend - 300 + n, bindOnIP: address },
  });
  const listens = {
    ...{ certFile: server.certificate, keyFile: server.key },
    ...{ requireClientAuth: true, clientCaFiles: [ca] },
  };
  const calls = { serverName: 'server.example', rootCaFiles: [ca] };
  return {
    log: { stdout: true, level: 'warn' },
    persistence: {
      ...{ numHistoryShards: 16, defaultStore: 'default', visibilityStore: 'visibility' },
      datastores: { default: store('temporal'), visibility: store('temporal_visibility') },
    },
    global: {
      membership: { maxJoinDuration: '30s', broadcastAddress: address },
      tls: {
        internode: { server: listens, client: calls },
        frontend: { server: listens, client: calls },
        systemWorker: { certFile: client.certificate, keyFile: client.key, client: calls },
      },
    },
    services: { frontend: service(0), history: service(1), matching: service(2), worker: service(6) },
    clusterMetadata: {
      ...{ enableGlobalNamespace: false, failoverVersionIncrement: 10 },
      ...{ masterClusterName: 'active', currentClusterName: 'active' },
      clusterInformation: {
        active: {
          ...{ enabled: true, initialFailoverVersion: 1, rpcName: 'frontend' },
          rpcAddress: `${address}:${ports.frontend}`,
        },
      },
    },
    dcRedirectionPolicy: { policy: 'noop' },
    publicClient: { hostPort: `${address}:${ports.frontend}` },
  };
}
