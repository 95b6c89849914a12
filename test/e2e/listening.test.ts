/** A home's server that other machines reach: over TLS, with certificates, and from one host at a time. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Certificates, canMakeCertificates, makeCertificates } from '../fixtures/certificates.ts';
import { epochal, type Running, startEpochal } from './epochal.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'epochal-test-'));
const [here, there, store, file] = ['here', 'there', 'store', 'one.yaml'].map((name) =>
  path.join(folder, name),
) as [string, string, string, string];
let certificates: Certificates;
let server: Running | undefined;
let address: string;

const failingPipeline = `version: 1
name: failing
stages:
  data: { uses: dataset, with: { name: gaussian-mixture, examples: 40, testExamples: 0 } }
  train:
    uses: train
    with:
      data: \${{ stages.data.train }}
      model: { name: mlp, hidden: [4] }
      epochs: 2
      optimizer: { name: sgd, learningRate: 1e30, momentum: 0.9 }
      batchSize: 10
`;

beforeAll(async () => {
  if (!canMakeCertificates) return;
  certificates = makeCertificates(folder);
  const stage = '{ uses: dataset, with: { name: mnist-digits, examples: 20, testExamples: 10 } }';
  writeFileSync(file, `version: 1\nname: one\nstages:\n  data: ${stage}\n`);
  const { certificate, key } = certificates.server;
  server = startEpochal(
    [
      ...['server', '--listen', '127.0.0.1:0', '--tls-client-ca-path', certificates.ca],
      ...['--tls-cert-path', certificate, '--tls-key-path', key],
    ],
    here,
  );
  await server.until(/for other machines/);
  address = /(\S+) for other machines/.exec(server.output())![1]!;
});
afterAll(async () => {
  server?.child.kill('SIGINT');
  await server?.finished;
  rmSync(folder, { recursive: true, force: true });
});

function options({ certificate, key }: Certificates['client'] = certificates.client): string[] {
  return ['--tls-ca-path', certificates.ca, '--tls-cert-path', certificate, '--tls-key-path', key];
}

describe.runIf(canMakeCertificates)('a server that listens for other machines', () => {
  test('lets in who has a certificate, by options and by the environment', async () => {
    const keyFile = path.join(folder, 'key');
    writeFileSync(keyFile, '7'.repeat(64), { mode: 0o600 });
    const worker = startEpochal(
      ['worker', '--address', address, ...options(), '--key-file', keyFile, '--store', store],
      there,
    );
    await worker.until(/is ready/);
    const environment = {
      TEMPORAL_ADDRESS: address,
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: certificates.ca,
      TEMPORAL_TLS_CLIENT_CERT_PATH: certificates.client.certificate,
      TEMPORAL_TLS_CLIENT_KEY_PATH: certificates.client.key,
      EPOCHAL_KEY_FILE: keyFile,
    };
    const away = path.join(folder, 'away');
    const run = await epochal(['run', file, '--store', store], away, environment);
    expect(run.stdout).toMatch(/succeeded/);
    expect(run).toMatchObject({ code: 0, stderr: '' });
    const status = await epochal(['status', '--store', store], away, environment);
    expect(status.stdout).toMatch(/succeeded/);
    // The server knows that there was a study, but nothing of what was said about it.
    const known = (words: string): boolean =>
      readdirSync(here).some(
        (name) => name.startsWith('temporal.db') && readFileSync(path.join(here, name)).includes(words),
      );
    expect([known('epochal-one-'), known(store)]).toEqual([true, false]);
    const failing = path.join(folder, 'failing.yaml');
    writeFileSync(failing, failingPipeline);
    const failed = await epochal(['run', failing, '--store', store], away, environment);
    expect(failed.stdout + failed.stderr).toMatch(/Training diverged/);
    expect([failed.code, known('DivergedError'), known('Training diverged')]).toEqual([1, true, false]);
    const readable = { ...environment, EPOCHAL_PAYLOADS: 'readable' };
    expect((await epochal(['run', file, '--store', store], away, readable)).code).toBe(0);
    expect(known(store)).toBe(true);
    worker.child.kill('SIGINT');
    await worker.finished;
  });

  test('lets in nobody else', async () => {
    const other = mkdtempSync(path.join(folder, 'other-'));
    const strange = makeCertificates(other);
    const refused = [
      ['--address', address],
      ['--address', address, '--tls-ca-path', certificates.ca],
      ['--address', address, ...options(strange.client)],
      // The server is not the one that it should be.
      ['--address', address, ...options(), '--tls-ca-path', strange.ca],
      ['--address', address, ...options(), '--tls-server-name', 'elsewhere.example'],
    ];
    const ends = refused.map((words) => epochal(['run', file, '--store', store, ...words], here));
    for (const { code, stderr } of await Promise.all(ends)) {
      expect(stderr).toMatch(/No Temporal server answers at .*\n.*TLS/);
      expect(code).toBe(1);
    }
  });

  test.each([
    [['--listen', '0.0.0.0:7233'], /--listen needs --tls-cert-path, --tls-key-path and --tls-client-ca-path/],
    [['--tls-cert-path', 'server.pem'], /The certificates are for --listen/],
  ])('is not opened to whoever comes: %j', async (words, message) => {
    const { code, stderr } = await epochal(['server', ...words], path.join(folder, 'closed'));
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });

  test('has its files checked', async () => {
    const { certificate } = certificates.server;
    const words = [
      '--listen',
      '127.0.0.1:0',
      '--tls-cert-path',
      certificate,
      '--tls-client-ca-path',
      certificates.ca,
    ];
    const home = path.join(folder, 'wrong');
    const wrong = await epochal(['server', ...words, '--tls-key-path', certificates.client.key], home);
    expect(wrong.stderr).toMatch(/certificate and its key cannot be used/);
    const none = await epochal(['server', ...words, '--tls-key-path', path.join(folder, 'none')], home);
    expect(none.stderr).toMatch(/none cannot be read \(ENOENT\)/);
    expect([wrong.code, none.code]).toEqual([2, 2]);
  });

  /** A container has process ids of its own. */
  const contained = ['--pid', '--fork', '--mount-proc', process.execPath];
  test.skipIf(spawnSync('unshare', [...contained, '--version']).status !== 0)(
    'cannot be started from another container with the same home',
    () => {
      const program = path.join(import.meta.dirname, '../../cli/epochal.mjs');
      const { status, stderr } = spawnSync('unshare', [...contained, program, 'run', file], {
        env: { ...process.env, EPOCHAL_HOME: here },
        encoding: 'utf8',
      });
      expect(stderr).toMatch(/is in use on another machine or in another container/);
      expect(status).toBe(1);
    },
  );
});
