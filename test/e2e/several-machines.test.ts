import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Running, startEpochal } from './epochal.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'epochal-test-'));
const [here, there, store, file] = ['here', 'there', 'store', 'one.yaml'].map((name) =>
  path.join(folder, name),
) as [string, string, string, string];
let server: Running;
let address: string;

beforeAll(async () => {
  writeFileSync(
    file,
    'version: 1\nname: one\nstages:\n  data: { uses: dataset, with: { name: mnist-digits, examples: 20, testExamples: 10 } }\n',
  );
  server = startEpochal(['server'], here);
  await server.until(/server \S+, web UI/);
  address = /server (\S+),/.exec(server.output())![1]!;
});
afterAll(async () => {
  await stop(server);
  rmSync(folder, { recursive: true, force: true });
});

async function stop(process: Running): Promise<void> {
  process.child.kill('SIGINT');
  await process.finished;
}

/** A run from the home of the server, while another home's worker serves it. */
async function runWithWorker(...options: string[]) {
  const worker = startEpochal(['worker', '--address', address, ...options], there);
  await worker.until(/is ready/);
  const run = startEpochal(['run', file, '--address', address, '--store', store], here);
  const finished = await run.finished;
  await stop(worker);
  return finished;
}

describe('a worker on another machine', () => {
  test('without the key of the studies is told from one with it, at once', async () => {
    const { code, stderr } = await runWithWorker('--store', store);
    expect(code).toBe(1);
    expect(stderr).toMatch(/not sealed with this home's key[\s\S]*--key-file/);
  });

  test('serves no store that was not named to it', async () => {
    const { code, stderr } = await runWithWorker('--key-file', path.join(here, 'key'));
    expect(code).toBe(1);
    expect(stderr).toMatch(/was not started for the store[\s\S]*--store/);
  });

  test('serves the studies with their key and their store', async () => {
    const { code, stdout } = await runWithWorker('--key-file', path.join(here, 'key'), '--store', store);
    expect(stdout).toMatch(/succeeded/);
    expect(code).toBe(0);
  });

  test('ends when it is told to although the server is gone', async () => {
    const worker = startEpochal(['worker', '--address', address, '--store', store], there);
    await worker.until(/is ready/);
    await stop(server);
    worker.child.kill('SIGTERM');
    expect((await worker.finished).code).toBe(130);
  });
});
