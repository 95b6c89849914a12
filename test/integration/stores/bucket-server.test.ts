/** What a store in S3 and its server owe each other: how it is reached, what it is asked, and what is done when it fails. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { openStore } from '../../../artifacts/store/open-store.ts';
import { Bucket } from '../../../artifacts/store/s3/bucket.ts';
import { parseS3Uri } from '../../../artifacts/store/s3/location.ts';
import { type Mishap, startProxy } from '../../fixtures/unsteady-proxy.ts';
import { accessKey, hasS3Server, secretKey } from '../../fixtures/versitygw.ts';
import { bucketStores } from './buckets.ts';
import { artifactName, firstWeight, stepName, stepRecord, writeState } from './samples.ts';

const isThere = hasS3Server();
if (!isThere) test.skip('stores in S3 and their server');
const kind = isThere ? await bucketStores() : undefined!;
const folder = mkdtempSync(join(tmpdir(), 'epochal-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const cache = () => ({ folder: mkdtempSync(join(folder, 'cache-')), mostBytes: 1e9 });
const root = join(import.meta.dirname, '..', '..', '..');

describe.runIf(isThere)('a store in S3', () => {
  describe('through a connection that fails', () => {
    const mishaps: readonly Mishap[] = ['slow down', 'lost request', 'lost answer', 'half an answer'];
    test.each(mishaps)('at every third request (%s) does its work all the same', async (mishap) => {
      const { uri, raw } = await kind.place();
      let count = 0;
      const proxy = await startProxy(kind.server.endpoint, () => (++count % 3 === 0 ? mishap : undefined));
      onTestFinished(() => proxy.close());
      const store = await openStore(`${uri}?endpoint=${proxy.endpoint}`, { cache: cache() });
      const length = 1_500_000;
      const ref = await writeState(store, 5, { length });
      await store.writeStep(stepRecord('one', { state: ref }));
      for (let index = 0; index < 5; index++)
        await store.writeText(`studies/a/cells/x=${index}.json`, `{"x":${index}}`);
      await store.checkpoint('one').write('state', new Uint8Array(1e6));
      const other = await openStore(`${uri}?endpoint=${proxy.endpoint}`, { cache: cache() });
      expect(await firstWeight(other, ref)).toBe(5);
      expect(await other.readStep('one')).toEqual(stepRecord('one', { state: ref }));
      expect(await other.listTexts('studies')).toHaveLength(5);
      expect(await other.checkpoint('one').read('state')).toEqual(new Uint8Array(1e6));
      await other.checkpoint('one').clear();
      expect(await raw.list()).toEqual([
        ...[artifactName(ref.sha256), stepName('one')].sort(),
        ...Array.from({ length: 5 }, (_, index) => `studies/a/cells/x=${index}.json`),
      ]);
      expect(count).toBeGreaterThan(20);
    });
  });

  test('says what is wrong with its place, and what to do', async () => {
    const { uri } = await kind.place();
    const opening = (of: string) => openStore(of, { cache: cache() });
    const wrong = (message: RegExp, cure: RegExp, name = 'EnvironmentError') => ({
      name,
      message: expect.stringMatching(message),
      cure: expect.stringMatching(cure),
    });
    await expect(opening('s3://no-such-bucket/a')).rejects.toMatchObject(
      wrong(/no bucket for s3:\/\/no-such-bucket\/a/, /Make it, or correct --store/),
    );
    await expect(opening(`${uri}?endpoint=http://127.0.0.1:1`)).rejects.toMatchObject(
      wrong(
        /could not be reached at http:\/\/127.0.0.1:1.*ECONNREFUSED/,
        /server runs/,
        'StoreUnavailableError',
      ),
    );
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'another');
    onTestFinished(() => vi.stubEnv('AWS_SECRET_ACCESS_KEY', secretKey) && undefined);
    await expect(opening(uri)).rejects.toMatchObject(
      wrong(/refuses what was asked.*SignatureDoesNotMatch/, /AWS_SECRET_ACCESS_KEY/),
    );
    vi.stubEnv('AWS_ACCESS_KEY_ID', '');
    onTestFinished(() => vi.stubEnv('AWS_ACCESS_KEY_ID', accessKey) && undefined);
    await expect(opening(uri)).rejects.toMatchObject(
      wrong(/no credentials for s3:\/\//, /AWS_ACCESS_KEY_ID.*AWS_PROFILE/),
    );
  });

  test('asks for the encryption that its URI names, for artifacts in parts too, and no other', async () => {
    const { uri } = await kind.place();
    const proxy = await startProxy(kind.server.endpoint, () => undefined);
    onTestFinished(() => proxy.close());
    const at = `${uri}?endpoint=${proxy.endpoint}`;
    const work = async (of: string) => {
      proxy.requests.length = 0;
      const store = await openStore(of, { cache: cache() });
      await store.writeText('studies/a/plan.json', '{}');
      await store.writeStep(stepRecord(`step-${of.length}`));
      await store.checkpoint('one').write('state', new Uint8Array(10));
      await writeState(store, of.length, { length: 1_500_000 });
      const making = proxy.requests.filter(({ line }) =>
        /^PUT \S+\.(json|state)|state\?x-id|\?uploads/.test(line),
      );
      expect(making).toHaveLength(4);
      return making.map(({ headers }) => [
        headers['x-amz-server-side-encryption'],
        headers['x-amz-server-side-encryption-aws-kms-key-id'],
      ]);
    };
    expect(await work(at)).toEqual(Array(4).fill([undefined, undefined]));
    expect(await work(`${at}&sse=AES256`)).toEqual(Array(4).fill(['AES256', undefined]));
    expect(await work(`${at}&sse=aws:kms&sseKmsKeyId=the-key`)).toEqual(
      Array(4).fill(['aws:kms', 'the-key']),
    );
  });

  test('takes the bytes of an artifact from the server once for each cache, and asks each time whether it is as it was', async () => {
    const { uri, raw } = await kind.place();
    const proxy = await startProxy(kind.server.endpoint, () => undefined);
    onTestFinished(() => proxy.close());
    const [here, there] = [cache(), cache()];
    const open = (of: typeof here) => openStore(`${uri}?endpoint=${proxy.endpoint}`, { cache: of });
    const ref = await writeState(await open(here), 5);
    const asked = async (work: () => Promise<unknown>) => {
      proxy.requests.length = 0;
      await work();
      return proxy.requests.map(({ line }) => line.split(' ')[0]).join(' ');
    };
    // What it has written, it has; the other has to fetch it, and then has it too, also in another process.
    const [one, other] = [await open(here), await open(there)];
    expect(await asked(() => firstWeight(one, ref))).toBe('HEAD');
    expect(await asked(() => firstWeight(other, ref))).toBe('HEAD GET');
    expect(await asked(() => other.describe(ref))).toBe('HEAD');
    const again = await open(there);
    expect(await asked(() => Promise.all([again.open(ref), again.verify(ref)]))).toBe('HEAD HEAD');
    // A copy that a disk or a person has changed is fetched again; one that others have is no use where the artifact is gone.
    const [name] = readdirSync(there.folder).filter((entry) => entry !== 'incoming');
    cpSync(join(root, 'package.json'), join(there.folder, name!, 'artifact.arrow'));
    expect(await asked(() => firstWeight(again, ref))).toBe('HEAD GET');
    expect(await firstWeight(again, ref)).toBe(5);
    await raw.remove(artifactName(ref.sha256));
    for (const store of [one, other, again]) expect(await store.verify(ref)).toBe(false);
  });

  test('works with a cache that has room for nothing', async () => {
    const { uri } = await kind.place();
    const small = { ...cache(), mostBytes: 0 };
    const store = await openStore(uri, { cache: small });
    const refs = [await writeState(store, 1), await writeState(store, 2)];
    for (const [index, ref] of [...refs, ...refs].entries())
      expect(await firstWeight(store, ref)).toBe((index % 2) + 1);
    expect(readdirSync(small.folder).length).toBeLessThanOrEqual(2);
  });

  test('shares a cache with other processes that has not room for all that they read', async () => {
    const { uri } = await kind.place();
    const writer = await openStore(uri, { cache: cache() });
    const length = 10_000;
    const refs = await Promise.all(
      Array.from({ length: 12 }, (_, index) => writeState(writer, index, { length })),
    );
    const small = { ...cache(), mostBytes: 5 * (refs[0]!.bytes + 4096) };
    const stores = await Promise.all([openStore(uri, { cache: small }), openStore(uri, { cache: small })]);
    // Four readers each, each of which goes through all of them in an order of its own.
    const readers = Array.from({ length: 8 }, async (_, reader) => {
      for (let at = 0; at < 36; at++) {
        const index = (at * [1, 5, 7, 11][reader % 4]!) % refs.length;
        expect(await firstWeight(stores[reader % 2]!, refs[index]!)).toBe(index);
      }
    });
    await Promise.all(readers);
    expect(readdirSync(small.folder).length).toBeLessThanOrEqual(2 * 5);
  });

  test('has nothing of an artifact whose writer was killed while it went up', async () => {
    const { uri, raw } = await kind.place();
    let parts = 0;
    const proxy = await startProxy(kind.server.endpoint, (line) => {
      if (/partNumber=/.test(line) && ++parts === 2) writer.kill('SIGKILL');
      return undefined;
    });
    onTestFinished(() => proxy.close());
    const length = 10_000_000;
    const script = `
      import { openStore } from './artifacts/store/open-store.ts';
      import { writeState } from './test/integration/stores/samples.ts';
      const store = await openStore('${uri}?endpoint=${proxy.endpoint}', { cache: ${JSON.stringify(cache())} });
      await writeState(store, 1, { length: ${length} });`;
    const writer = spawn(process.execPath, ['--input-type=module', '-e', script], {
      cwd: root,
      env: { ...process.env, ...kind.environment },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    expect((await once(writer, 'exit'))[1]).toBe('SIGKILL');
    expect(await raw.list()).toEqual([]);
    const store = await openStore(uri, { cache: cache() });
    const ref = await writeState(store, 1, { length });
    expect(await raw.list()).toEqual([artifactName(ref.sha256)]);
    expect(await store.verify(ref)).toBe(true);
  });

  test('ends uploads that a killed process has left, once they are old', async () => {
    const { uri } = await kind.place();
    const location = parseS3Uri(uri);
    const client = new S3Client({ forcePathStyle: true });
    onTestFinished(() => client.destroy());
    const object = { Bucket: location.bucket, Key: `${location.prefix}/artifacts/aa/left.arrow` };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(object));
    await client.send(new UploadPartCommand({ ...object, UploadId, PartNumber: 1, Body: 'half' }));
    const left = async () =>
      (await client.send(new ListMultipartUploadsCommand({ Bucket: location.bucket }))).Uploads?.length ?? 0;
    const bucket = await Bucket.open(location);
    await bucket.removeUnfinished(60_000);
    expect(await left()).toBe(1);
    await bucket.removeUnfinished(-1000);
    expect(await left()).toBe(0);
  });
});

test('without the AWS SDK, a store in S3 says what to install, and a folder is as it was', async () => {
  const copy = join(folder, 'copy');
  cpSync(join(root, 'artifacts'), join(copy, 'artifacts'), { recursive: true });
  mkdirSync(join(copy, 'node_modules'));
  for (const name of readdirSync(join(root, 'node_modules')))
    if (name !== '@aws-sdk') symlinkSync(join(root, 'node_modules', name), join(copy, 'node_modules', name));
  const script = `
    const { openStore } = await import('./artifacts/store/open-store.ts');
    console.log((await openStore('folder')).uri);
    await openStore('s3://bucket/a').catch(({ name, message, cure }) => console.log(name, message, cure));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    cwd: copy,
  });
  expect(stdout).toMatch(
    /^file:\/\/\S+\/folder\nEnvironmentError .*needs the AWS SDK.*npm install @aws-sdk\/client-s3/,
  );
});
