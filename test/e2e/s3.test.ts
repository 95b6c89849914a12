/** Studies with a store in S3: on one machine, on several with caches of their own, and what they leave of the credentials. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ArtifactRef } from '../../artifacts/reference.ts';
import { copyBundledHome } from '../bundled-home.ts';
import { accessKey, hasS3Server, type S3Server, secretKey, startS3Server } from '../fixtures/versitygw.ts';
import { epochal, type Finished, freshHome, startEpochal } from './epochal.ts';
import { trainings } from './trainings.ts';

const isThere = hasS3Server();
if (!isThere) test.skip('studies with a store in S3');

describe.runIf(isThere)('a study with a store in S3', () => {
  const place = freshHome();
  const file = join(place.home, 'small.yaml');
  const uri = 's3://studies/of/mine';
  let server: S3Server;
  let folderHome: string;
  let home: string;
  let ran: Finished;
  /** Of a machine with a cache of its own. */
  const machine = () => ({
    ...server.environment,
    EPOCHAL_STORE_CACHE: mkdtempSync(join(place.home, 'cache-')),
  });
  let environment: ReturnType<typeof machine>;
  const said: string[] = [];
  const command = async (...args: string[]): Promise<Finished> => {
    const finished = await epochal([...args, '--store', uri], home, environment);
    said.push(finished.stdout, finished.stderr);
    return finished;
  };

  beforeAll(async () => {
    writeFileSync(
      file,
      trainings({
        ...{ name: 'small', matrix: 'seed: [1, 2]', epochs: 2, optimizer: 'learningRate: 0.05' },
        more: `  record: { uses: record, with: { from: "\${{ stages.train.state }}", epochs: 2 } }
  hessian: { uses: hessian, with: { at: "\${{ stages.train.state }}", top: 2 } }
collect:
  losses: { uses: collect, with: { table: "\${{ cells.train.history }}", by: [seed] } }
`,
      }),
    );
    server = await startS3Server();
    server.makeBucket('studies');
    [folderHome, home] = ['folder', 's3'].map((name) => copyBundledHome(join(place.home, name))) as [
      string,
      string,
    ];
    environment = machine();
    ran = await command('run', file, '--json');
  });
  afterAll(async () => {
    await server?.stop();
    place.remove();
  });

  async function digestsIn(of: string, ...more: string[]): Promise<string[]> {
    const { stdout } = await epochal(['artifacts', '--json', ...more], of, environment);
    const { artifacts } = JSON.parse(stdout) as {
      artifacts: (ArtifactRef & { cell: string; stage: string; output: string })[];
    };
    return artifacts.map(({ cell, stage, output, sha256 }) => `${cell} ${stage}.${output} ${sha256}`).sort();
  }

  test('ends with the artifacts that it has with a store in a folder', async () => {
    expect(ran.code, ran.stderr).toBe(0);
    const inFolder = await epochal(['run', file], folderHome);
    expect(inFolder.code, inFolder.stderr).toBe(0);
    const digests = await digestsIn(home, '--store', uri);
    expect(digests.length).toBeGreaterThan(10);
    expect(digests).toEqual(await digestsIn(folderHome));
    // Nothing went to the store that a home has of its own.
    expect(readdirSync(home)).not.toContain('store');
  });

  test('is planned, listed, explained, reported and verified from there', async () => {
    const plan = await command('plan', file);
    expect(plan.stdout).toMatch(/reuse/);
    expect(plan.stdout).not.toMatch(/no result with these settings/);
    expect((await command('list')).stdout).toMatch(/small-/);
    const listed = await command('artifacts');
    expect(listed.stdout).toContain(`${uri}/artifacts/`);
    const [artifact] = /s3:\/\/\S+\.arrow/.exec(listed.stdout)!;
    expect((await command('explain', artifact!)).stdout).toMatch(/output train of dataset/);
    const report = await command('report');
    expect(report.code, report.stderr).toBe(0);
    const verified = await command('verify');
    expect(verified.stdout).toMatch(/checks, 0 bad/);
    const again = await command('run', file);
    expect(again.stdout).toMatch(/all \d+ stages reused/);
    expect((await command('status')).code).toBe(0);
  });

  test('finds what was damaged there, past its cache, and makes it anew', async () => {
    const digests = await digestsIn(home, '--store', uri);
    const sha256 = digests.find((line) => line.includes('train.state'))!.slice(-64);
    const object = join(server.folder, 'studies/of/mine/artifacts', sha256.slice(0, 2), `${sha256}.arrow`);
    const good = readFileSync(object);
    writeFileSync(object, good.subarray(0, -7));
    const verified = await command('verify');
    expect(verified.code).toBe(1);
    expect(verified.stdout).toMatch(new RegExp(`BAD .*train.*${sha256.slice(0, 12)}`));
    const again = await command('run', file);
    expect(again.code, again.stderr).toBe(0);
    expect(readFileSync(object).equals(good)).toBe(true);
    expect((await command('verify')).code).toBe(0);
  });

  test('is done by workers with caches and homes of their own, with the same artifacts', async () => {
    const [shared, other] = ['shared', 'other'].map((name) => copyBundledHome(join(place.home, name))) as [
      string,
      string,
    ];
    const at = 's3://studies/of/others';
    const temporal = startEpochal(['server'], shared);
    await temporal.until(/server \S+, web UI/);
    const address = /server (\S+),/.exec(temporal.output())![1]!;
    const options = ['--address', address, '--store', at, '--concurrency', '1'];
    const worker = startEpochal(['worker', ...options, '--key-file', join(shared, 'key')], other, machine());
    await worker.until(/is ready/);
    const second = startEpochal(['worker', ...options], shared, machine());
    await second.until(/is ready/);
    const run = await epochal(['run', file, '--address', address, '--store', at], shared, machine());
    for (const each of [worker, second, temporal]) {
      each.child.kill('SIGINT');
      await each.finished;
    }
    said.push(run.stdout, run.stderr, worker.output(), second.output());
    expect(run.code, run.stdout + run.stderr + worker.output() + second.output()).toBe(0);
    expect(await digestsIn(shared, '--store', at)).toEqual(await digestsIn(home, '--store', uri));
  });

  test('without credentials says what is missing, before anything starts', async () => {
    const { code, stderr } = await epochal(['run', file, '--store', uri], home, {
      ...environment,
      AWS_ACCESS_KEY_ID: '',
      AWS_SECRET_ACCESS_KEY: '',
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/no credentials for s3:\/\/studies\/of\/mine[\s\S]*AWS_PROFILE/);
    const refused = await epochal(['run', file, '--store', 's3://me:hidden@studies/of'], home, environment);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/must have no credentials/);
    expect(refused.stderr).not.toContain('hidden');
  });

  test('is sized, exported, deleted and swept there', async () => {
    const folder = join(server.folder, 'studies/of/mine');
    const sizes = () =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => statSync(join(entry.parentPath, entry.name)).size)
        .reduce((sum, bytes) => sum + bytes, 0);
    const total = async () =>
      (JSON.parse((await command('du', '--json')).stdout) as { total: { bytes: number } }).total.bytes;
    expect(await total()).toBe(sizes());
    const { studyId } = JSON.parse(ran.stdout) as { studyId: string };
    const out = join(place.home, 'exported');
    const exported = await command('export', studyId, out, '--with-tensors');
    expect(exported.code, exported.stderr).toBe(0);
    const kept = await epochal(['verify', '--store', join(out, 'store')], home);
    expect(kept.stdout).toMatch(/checks, 0 bad/);
    expect((await command('gc', '--json')).code).toBe(0);
    expect((await command('verify')).stdout).toMatch(/checks, 0 bad/);
    const deleted = await command('delete', studyId, '--gc');
    expect(deleted.code, deleted.stderr).toBe(0);
    expect(await total()).toBe(0);
    // The server removes a folder with its last object.
    expect(existsSync(folder)).toBe(false);
  });

  test('leaves the credentials nowhere: not in homes, logs and histories, nor in the store, nor in what was said', () => {
    const files = readdirSync(place.home, { recursive: true, withFileTypes: true })
      .concat(readdirSync(server.folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    // The database of the server, and logs, are among them.
    expect(files.some((name) => /\.db/.test(name))).toBe(true);
    expect(files.some((name) => name.endsWith('worker.log'))).toBe(true);
    for (const secret of [accessKey, secretKey]) {
      expect(files.filter((name) => readFileSync(name).includes(secret))).toEqual([]);
      expect(said.join('\n')).not.toContain(secret);
    }
  });
});
