/**
 * Runs a study on a real Temporal server with PostgreSQL and on a real S3 server, by four workers on hosts of their own, while workers, compute processes and servers are killed and
 * stopped at random, the database ends, a disk is full and a host loses its network; and compares every artifact with those of an undisturbed run in a folder, and of one on
 * S3 with one worker. Not part of the tests:
 *
 *     npm run setup -- --tests
 *     node test/cluster/chaos.ts [--kills 50] [--seed 1] [--cells 12] [--json FILE] [--write]
 *
 * `--json` writes what was found to a file, `--write` to `docs/reliability/chaos.json`, whose table stands in `docs/reliability.md`. Needs what `run.ts` needs; root, also for a small disk.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { epochal, startEpochal } from '../e2e/epochal.ts';
import { processesWith } from '../fixtures/processes.ts';
import { mountSmallDisk } from '../fixtures/small-disk.ts';
import { drawEvents, thresholds } from './events.ts';
import { type Host, type Hosts, makeHosts } from './hosts.ts';
import {
  attemptsIn,
  countWorkflows,
  makeOld,
  stepsIn,
  strayProcesses,
  temporaryFiles,
  unfinishedSteps,
  unfinishedUploads,
} from './left-over.ts';
import { Misfortune } from './misfortune.ts';
import { type ChaosFigures, countEvents, formatChaos, writeChaos } from './report.ts';
import { ownPlaces, type Servers, startServers } from './servers.ts';
import { keepRunning, type Service } from './services.ts';
import { digestsIn, mustEndWell, say, seconds } from './studies.ts';

const hostsAtOnce = 4;
const bucket = 'studies';
/** Of the host whose disk is filled: room for its caches, and not much to fill. */
const diskSize = '600m';
const pipeline = path.join(import.meta.dirname, 'chaos.yaml');
/** Of a worker where there are four. */
const oneAtOnce = ['--concurrency', '1'];
/** Of each cell; that of its data is shared by all. */
const stepsOfCell = 6;

const { values: options } = parseArgs({
  options: {
    kills: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
    cells: { type: 'string', default: '12' },
    json: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const [kills, seed, cells] = [options.kills, options.seed, options.cells].map(Number) as [
  number,
  number,
  number,
];
const study = [pipeline, '--set', `cells=${cells}`];

const folder = mkdtempSync(path.join(tmpdir(), 'epochal-chaos-'));
const hostsFolder = path.join(folder, 'hosts');
const diskFolder = path.join(hostsFolder, 'disk');
const disk = mountSmallDisk(diskFolder, diskSize);
let servers: Servers | undefined;
const services: Service[] = [];

/** Where a host has its folders for a store: those of the first on a small disk. */
function placesOf(host: Host, store: string): ReturnType<typeof ownPlaces> {
  return ownPlaces(
    path.join(host.name.endsWith('1') ? diskFolder : hostsFolder, `${host.name}-${path.basename(store)}`),
  );
}

function start(words: readonly string[], host: Host, store: string) {
  const { home, environment } = placesOf(host, store);
  const named = [...words, '--profile', 'cluster', '--store', store];
  return startEpochal(named, home, { ...servers!.environment, ...environment }, { within: host.within });
}

function serve(words: readonly string[], host: Host, store: string): Service {
  const service = keepRunning(host.name, host, () => start(words, host, store));
  services.push(service);
  return service;
}

async function stopServices(): Promise<void> {
  await Promise.all(services.splice(0).map((service) => service.stop()));
}

async function timed(what: string, work: () => Promise<void>): Promise<number> {
  const from = seconds();
  say(`${what} ...`);
  await work();
  const took = seconds() - from;
  say(`${what}: ${took.toFixed(0)} s`);
  return took;
}

/** Has everything happen while the study runs. Gives what did, and the services that were struck. */
async function disturb(hosts: Hosts, store: string): Promise<ChaosFigures['events']> {
  const { environment: _, ...parts } = servers!;
  const launcher = hosts.all.at(-1)!;
  mustEndWell(await start(['run', ...study, '--detach'], launcher, store).finished);
  const workers = hosts.all.slice(0, -1).map((host) => serve(['worker', ...oneAtOnce], host, store));
  const supervised = serve(['run', ...study, '--worker', ...oneAtOnce], launcher, store);
  const ended = new AbortController();
  const done = supervised.done.finally(() =>
    ended.abort(new Error('The study ended before all had happened: give it more --cells.')),
  );
  const misfortune = new Misfortune(
    {
      servers: { ...parts, environment: {} },
      workers,
      supervised,
      onSmallDisk: { service: workers[0]!, disk: disk! },
      ended: ended.signal,
    },
    seed,
  );
  const storeFolder = path.join(servers!.s3.folder, store.slice('s3://'.length));
  const events = drawEvents(seed, kills);
  const at = thresholds(events.length, cells * stepsOfCell);
  const over: Promise<void>[] = [];
  for (const [index, event] of events.entries()) {
    while (stepsIn(storeFolder).length < at[index]!) {
      ended.signal.throwIfAborted();
      const failed = supervised.ends.find(({ stdout }) => /^failed in/m.test(stdout));
      if (failed !== undefined) mustEndWell(failed);
      await setTimeout(100);
    }
    const happened = await misfortune.happen(event);
    say(`${String(index + 1).padStart(2)}. ${event.deed}: ${happened.what}`);
    over.push(happened.over);
  }
  await Promise.all(over);
  say('all has happened');
  mustEndWell(await done);
  return countEvents(events);
}

/** Sentences about what is left, or is not as it should be. */
async function inspect(hosts: Hosts, store: string): Promise<string[]> {
  const { s3, temporal, environment } = servers!;
  const inBucket = path.join(s3.folder, bucket);
  const inStore = path.join(s3.folder, store.slice('s3://'.length));
  const left = await strayProcesses(hostsFolder);
  const home = placesOf(hosts.all[1]!, store).home;
  const ask = (words: readonly string[], host: Host) =>
    epochal([...words, '--store', store], placesOf(host, store).home, {
      ...environment,
      ...placesOf(host, store).environment,
    });
  const gc = await epochal(['gc', '--dry-run', '--json', '--store', store], home, environment);
  mustEndWell(gc);
  const { removed } = JSON.parse(gc.stdout) as { removed: readonly { name: string }[] };
  left.push(...removed.map(({ name }) => `gc would remove ${name}`));
  left.push(...unfinishedSteps(inStore).map((name) => `for an unfinished step: ${name}`));
  const open = countWorkflows("ExecutionStatus='Running'", temporal.flags);
  if (open > 0) left.push(`${open} open workflows`);
  const launches = countWorkflows("WorkflowType='study'", temporal.flags);
  if (launches !== 2) left.push(`${launches} launches instead of two`);

  const temporary = (): string[] => [
    ...unfinishedUploads(inBucket),
    ...temporaryFiles(hostsFolder),
    ...temporaryFiles(inBucket),
  ];
  const before = temporary();
  for (const file of before) say(`left for a day: ${path.relative(folder, file)}`);
  makeOld(before);
  for (const host of hosts.all) {
    mustEndWell(await ask(['verify'], host));
    const { home, environment: own } = placesOf(host, store);
    // What a compute process has left, the next one removes.
    if (before.some((file) => file.startsWith(`${own.TMPDIR}/`)))
      mustEndWell(await epochal(['run', pipeline, '--set', 'cells=1', '--set', 'epochs=1'], home, own));
  }
  left.push(...temporary().map((file) => `after two days: ${path.relative(folder, file)}`));
  return left;
}

async function runEverything(hosts: Hosts): Promise<ChaosFigures> {
  if (disk === undefined) throw new Error('A small disk cannot be mounted: that needs root.');
  const calm = path.join(folder, 'calm');
  servers = await startServers(folder, hosts.address, bucket);
  const [one, four] = [`s3://${bucket}/one`, `s3://${bucket}/four`];
  serve(['worker'], hosts.all[1]!, one);
  const [inFolder, withOne] = await Promise.all([
    timed('undisturbed, in a folder', async () => {
      mustEndWell(await epochal(['run', ...study], calm));
    }),
    timed('undisturbed, on S3 with one worker', async () => {
      mustEndWell(await start(['run', ...study], hosts.all.at(-1)!, one).finished);
    }),
  ]);
  await stopServices();
  const expected = await digestsIn(path.join(calm, 'store'), calm);
  let events: ChaosFigures['events'] = [];
  const withFour = await timed('disturbed, on S3 with four workers', async () => {
    events = await disturb(hosts, four);
    await stopServices();
  });
  const digests = [one, four].map((store) => digestsIn(store, calm, servers!.environment));
  const [ofOne, ofFour] = (await Promise.all(digests)) as [string[], string[]];
  const isSame = (found: readonly string[]) => JSON.stringify(found) === JSON.stringify(expected);
  const leftOver = await inspect(hosts, four);
  return {
    ...{ seed, kills, cells, hosts: hostsAtOnce, artifacts: expected.length },
    equal: { one: isSame(ofOne), four: isSame(ofFour) },
    seconds: { folder: Math.round(inFolder), one: Math.round(withOne), four: Math.round(withFour) },
    attempts: attemptsIn(path.join(servers.s3.folder, bucket, 'four')),
    events,
    leftOver,
  };
}

const hosts = makeHosts(hostsAtOnce);

async function cleanUp(): Promise<void> {
  await stopServices();
  await servers?.stop();
  for (const { pid } of processesWith(folder)) process.kill(pid, 'SIGKILL');
  hosts.remove();
  disk?.remove();
  rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
}

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void cleanUp().finally(() => process.exit(130)));
try {
  const figures = await runEverything(hosts);
  console.log(`\n${formatChaos(figures)}`);
  for (const what of figures.leftOver) say(`LEFT: ${what}`);
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(figures, undefined, 2)}\n`);
  if (options.write) writeChaos(figures);
  process.exitCode = figures.equal.one && figures.equal.four && figures.leftOver.length === 0 ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
} finally {
  await cleanUp();
}
