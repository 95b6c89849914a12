/**
 * Runs a study on a real Temporal server with PostgreSQL, both ends under mTLS, and on a real S3 server, by workers on hosts of their own (network namespaces with homes and
 * caches of their own, which share nothing but these two), while everything is killed once and a host loses its network; and compares every artifact with those of an undisturbed
 * run on the server and the folder of a home. Not part of the tests:
 *
 *     npm run setup -- --tests
 *     node test/cluster/run.ts
 *
 * Needs PostgreSQL (Debian's package), Go (to build the servers, once) and openssl; for hosts of their own, root and iproute2.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { epochal, gateIn, type Running, startEpochal } from '../e2e/epochal.ts';
import { descendants } from '../fixtures/processes.ts';
import { type Host, type Hosts, makeHosts } from './hosts.ts';
import { ownPlaces, type Servers, startServers } from './servers.ts';
import { digestsIn, mustEndWell, say } from './studies.ts';

const hostsAtOnce = 4;
const cells = 4;
/** More than a heartbeat may fail to come, so that the stages of the host are taken over. */
const outageMs = 60_000;
const small = path.join(import.meta.dirname, '../e2e/fixtures/small.yaml');

const folder = mkdtempSync(path.join(tmpdir(), 'epochal-cluster-'));
let servers: Servers | undefined;

function writePipeline(): string {
  const file = path.join(folder, 'cluster.yaml');
  const matrix = `strategy:\n  matrix: { seed: { range: [1, ${cells}] } }\n  maxParallel: ${cells}\n`;
  const text = readFileSync(small, 'utf8').replace('\nname: small\n', '\nname: cluster\n');
  writeFileSync(file, text.replace('\nstages:\n', `\n${matrix}stages:\n`));
  return file;
}

async function runEverything(hosts: Hosts): Promise<boolean> {
  const pipeline = writePipeline();
  const calm = path.join(folder, 'calm');

  say('an undisturbed run on the server and in the folder of a home');
  mustEndWell(await epochal(['run', pipeline], calm));
  const expected = await digestsIn(path.join(calm, 'store'), calm);

  say('PostgreSQL, a Temporal server and an S3 server start');
  servers = await startServers(folder, hosts.address, 'studies');
  const { database, temporal, s3, environment } = servers;
  const { gate, environment: held } = gateIn(folder);
  const shared = { ...environment, ...held };

  let same = true;
  const compare = async (store: string, home: string, what: string): Promise<void> => {
    const found = await digestsIn(store, home, shared);
    const isSame = found.length > 0 && JSON.stringify(found) === JSON.stringify(expected);
    same &&= isSame;
    say(
      `${what}: ${found.length} artifacts, ${isSame ? 'all equal' : 'NOT all equal'} to the undisturbed ones`,
    );
  };
  const launch = (words: readonly string[], host: Host, store: string): Running => {
    const { home, environment: own } = ownPlaces(path.join(folder, `${host.name}-${path.basename(store)}`));
    const named = [...words, '--profile', 'cluster', '--store', store];
    return startEpochal(named, home, { ...shared, ...own }, { within: host.within });
  };
  const startWorkers = async (count: number, store: string): Promise<{ host: Host; worker: Running }[]> => {
    const workers = hosts.all
      .slice(0, count)
      .map((host) => ({ host, worker: launch(['worker'], host, store) }));
    for (const { worker } of workers) await worker.until(/is ready/);
    return workers;
  };
  const stopAll = async (workers: readonly { worker: Running }[]): Promise<void> => {
    for (const { worker } of workers) worker.child.kill('SIGTERM');
    await Promise.all(workers.map(({ worker }) => worker.finished));
  };
  const launcher = { name: 'launcher', within: [], connect: () => undefined };

  const one = 's3://studies/one';
  const single = await startWorkers(1, one);
  mustEndWell(await launch(['run', pipeline], launcher, one).finished);
  await stopAll(single);
  await compare(one, calm, 'one worker');

  const four = 's3://studies/four';
  const workers = await startWorkers(hostsAtOnce, four);
  say(`${hostsAtOnce} workers are ready`);
  for (const stage of ['train', 'record', 'hessian']) gate.hold(stage);
  const run = launch(['run', pipeline], launcher, four);
  await run.meets(() => gate.met('train'));
  await database.restart();
  say('the database was killed and started again in the middle of `train`');
  const pid = gate.met('train')!;
  const away = workers.find(({ worker }) => descendants(worker.child.pid!, /compute-process/).includes(pid));
  away?.host.connect(false);
  gate.release('train');
  const back = setTimeout(outageMs).then(() => {
    away?.host.connect(true);
    say(`${away?.host.name ?? 'no host'} was without network for ${outageMs / 1000} s`);
  });
  await run.meets(() => gate.met('record'));
  await s3.restart();
  say('the S3 server was killed and started again in the middle of `record`');
  gate.release('record');
  await run.meets(() => gate.met('hessian'));
  await temporal.restart();
  say('the Temporal server was killed and started again in the middle of `hessian`');
  const victim = workers.find((one) => one !== away)!;
  victim.worker.child.kill('SIGKILL');
  say('a worker was killed');
  gate.release('hessian');
  await back;
  mustEndWell(await run.finished);
  await compare(four, calm, `${hostsAtOnce} workers, disturbed`);
  await stopAll(workers);
  return same;
}

const hosts = makeHosts(hostsAtOnce);
try {
  process.exitCode = (await runEverything(hosts)) ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
} finally {
  await servers?.stop();
  hosts.remove();
  rmSync(folder, { recursive: true, force: true });
}
