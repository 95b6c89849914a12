import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStore } from '../../artifacts/store/open-store.ts';
import type { CellResult } from '../../workflows/messages.ts';
import { epochal, gateIn, type Running, root, startEpochal } from './epochal.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'epochal-test-'));
const [here, there, store, file] = ['here', 'there', 'store', 'one.yaml'].map((name) =>
  path.join(folder, name),
) as [string, string, string, string];
const small = path.join(root, 'test', 'e2e', 'fixtures', 'small.yaml');
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

  test('ends by itself once there was nothing to do for a while', async () => {
    const key = path.join(here, 'key');
    const words = ['--key-file', key, '--store', store, '--until-idle', '3s'];
    const worker = startEpochal(['worker', '--address', address, ...words], there);
    await worker.until(/is ready/);
    const run = await epochal(['run', file, '--address', address, '--store', store], here);
    expect(run.code).toBe(0);
    expect(await worker.finished).toMatchObject({ code: 0 });
    const wrong = await epochal(['worker', '--until-idle', 'soon'], there);
    expect(wrong.stderr).toMatch(/It must be a duration, such as 30s/);
  });

  test.each([
    ['has its stages end first, if they do in time', '600s', 1],
    ['hands its stages back after a while', '1s', 2],
  ])('that is told to stop %s', async (_, drain, attempts) => {
    const { gate, environment } = gateIn(mkdtempSync(path.join(folder, 'gate-')));
    const key = path.join(here, 'key');
    const words = ['--address', address, '--key-file', key, '--store', store];
    const first = startEpochal(['worker', ...words, '--drain', drain], there, environment);
    await first.until(/is ready/);
    gate.hold('train');
    const seed = ['--set', `seed=${attempts}`];
    const run = startEpochal(['run', small, ...seed, '--address', address, '--store', store], here);
    await run.meets(() => gate.met('train'));
    first.child.kill('SIGTERM');
    await first.until(/No more stages are taken/);
    if (attempts > 1) await first.finished;
    gate.release('train');
    expect((await first.finished).code).toBe(130);
    const next = startEpochal(['worker', ...words], path.join(folder, 'next'), environment);
    const finished = await run.finished;
    await stop(next);
    expect(finished.code).toBe(0);
    const { studyId } = /(?<studyId>small-\w+)/.exec(finished.stdout)!.groups!;
    const opened = await openStore(store);
    const { stages } = JSON.parse(
      (await opened.readText(`studies/${studyId}/cells/main.json`))!,
    ) as CellResult;
    expect((await opened.readStep(stages.train!.key))!.provenance.attempts).toBe(attempts);
  });

  test('ends when it is told to although the server is gone', async () => {
    const worker = startEpochal(['worker', '--address', address, '--store', store], there);
    await worker.until(/is ready/);
    await stop(server);
    worker.child.kill('SIGTERM');
    expect((await worker.finished).code).toBe(130);
  });
});
