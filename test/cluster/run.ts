/**
 * Runs a study on a real Temporal server with PostgreSQL, both under mTLS, by workers with homes of their own, while the database and the server are killed, and compares
 * every artifact with those of an undisturbed run on the home's own server. Not part of the tests:
 *
 *     node test/cluster/run.ts
 *
 * Needs PostgreSQL (Debian's package), Go (to build the server, once) and openssl.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { epochal, type Finished, gateIn, type Running, startEpochal } from '../e2e/epochal.ts';
import { makeCertificates } from '../fixtures/certificates.ts';
import {
  buildServer,
  createSchemas,
  findPostgres,
  type Part,
  ports,
  startPostgres,
  startTemporal,
} from './parts.ts';

const workersAtOnce = 2;
const pipeline = path.join(import.meta.dirname, '../e2e/fixtures/small.yaml');
const settings = ['--set', 'recordEpochs=6'];

const folder = mkdtempSync(path.join(tmpdir(), 'epochal-cluster-'));
const parts: Part[] = [];
const startedAt = performance.now();

function say(line: string): void {
  console.log(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${line}`);
}

function mustEndWell({ code, stdout, stderr }: Finished): void {
  if (code !== 0) throw new Error(`exit code ${code}\n${stdout}\n${stderr}`);
}

/** Digest of each artifact of the last study in a store, by cell, stage and output. */
async function digestsIn(store: string, home: string): Promise<string[]> {
  const listed = await epochal(['artifacts', '--json', '--store', store], home);
  mustEndWell(listed);
  const { artifacts } = JSON.parse(listed.stdout) as {
    artifacts: readonly { cell: string; stage: string; output: string; sha256: string }[];
  };
  return artifacts.map(({ cell, stage, output, sha256 }) => `${cell} ${stage}.${output} ${sha256}`).sort();
}

async function runEverything(): Promise<boolean> {
  const programs = buildServer();
  const postgres = findPostgres();
  const [calm, launcher] = [path.join(folder, 'calm'), path.join(folder, 'launcher')];
  const store = path.join(folder, 'store');

  say('an undisturbed run on the server of a home');
  mustEndWell(await epochal(['run', pipeline, ...settings], calm));
  const expected = await digestsIn(path.join(calm, 'store'), calm);

  say('PostgreSQL and a Temporal server start');
  const certificates = makeCertificates(folder);
  const database = await startPostgres(postgres, folder);
  parts.unshift(database);
  createSchemas(programs.sql);
  const server = await startTemporal(programs.server, folder, certificates);
  parts.unshift(server);

  const profiles = path.join(folder, 'temporal.toml');
  writeFileSync(
    profiles,
    [
      '[profile.cluster]',
      `address = "127.0.0.1:${ports.frontend}"`,
      '[profile.cluster.tls]',
      `server_ca_cert_path = "${certificates.ca}"`,
      `client_cert_path = "${certificates.client.certificate}"`,
      `client_key_path = "${certificates.client.key}"`,
      'server_name = "server.example"',
    ].join('\n'),
  );
  const keyFile = path.join(folder, 'key');
  writeFileSync(keyFile, '4'.repeat(64), { mode: 0o600 });
  const { gate, environment } = gateIn(folder);
  const there = { ...environment, TEMPORAL_CONFIG_FILE: profiles, EPOCHAL_KEY_FILE: keyFile };
  const named = ['--profile', 'cluster', '--store', store];
  const workers: Running[] = [];
  for (let n = 1; n <= workersAtOnce; n++) {
    const worker = startEpochal(['worker', ...named], path.join(folder, `worker-${n}`), there);
    await worker.until(/is ready/);
    workers.push(worker);
  }
  say(`${workersAtOnce} workers are ready, under mTLS, named by a profile`);

  for (const stage of ['train', 'record']) gate.hold(stage);
  const run = startEpochal(['run', pipeline, ...settings, ...named], launcher, there);
  await run.meets(() => gate.met('train'));
  await database.restart();
  say('the database was killed and started again in the middle of `train`');
  gate.release('train');
  await run.meets(() => gate.met('record'));
  await server.restart();
  say('the Temporal server was killed and started again in the middle of `record`');
  gate.release('record');
  mustEndWell(await run.finished);
  const found = await digestsIn(store, launcher);
  const same = found.length > 0 && JSON.stringify(found) === JSON.stringify(expected);
  say(
    `the study has ended; ${found.length} artifacts, ${same ? 'all equal' : 'NOT all equal'} to the undisturbed ones`,
  );
  for (const worker of workers) worker.child.kill('SIGTERM');
  await Promise.all(workers.map(({ finished }) => finished));
  return same;
}

mkdirSync(folder, { recursive: true });
try {
  process.exitCode = (await runEverything()) ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
} finally {
  for (const part of parts) await part.stop().catch((error: unknown) => console.error(error));
  rmSync(folder, { recursive: true, force: true });
}
