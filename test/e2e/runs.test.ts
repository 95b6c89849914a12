/** Several runs in one home, and runs that are interrupted. */
import { readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openStore } from '../../artifacts/open-store.ts';
import type { CellResult } from '../../workflows/messages.ts';
import { descendants, epochal, eventually, type Finished, freshHome, startEpochal } from './epochal.ts';

/** Cells of two stages, each of which takes seconds; `epochs` decides how long. */
const pipeline = (name: string, seeds: string, epochs: number) => `version: 1
name: ${name}
params: { seed: 1 }
strategy: { matrix: { seed: [${seeds}] }, maxParallel: 4 }
stages:
  data: { uses: dataset, with: { name: gaussian-mixture, examples: 400 } }
  train:
    uses: train
    with:
      data: \${{ stages.data.train }}
      model: { name: mlp, hidden: [8] }
      epochs: ${epochs}
      optimizer: { name: sgd, learningRate: 0.05, momentum: 0.5 }
      batchSize: 4
      seed: \${{ params.seed }}
  record: { uses: record, with: { from: "\${{ stages.train.state }}", epochs: 10 } }
`;

/** So many that the study lasts several times as long as one of a single cell beside it. */
const seeds = Array.from({ length: 14 }, (_, index) => 11 + index);

const place = freshHome();
const files = {
  short: join(place.home, 'short.yaml'),
  long: join(place.home, 'long.yaml'),
  endless: join(place.home, 'endless.yaml'),
};
let home: string;
let homes = 0;

beforeAll(() => {
  writeFileSync(files.short, pipeline('short', '1', 2));
  writeFileSync(files.long, pipeline('long', seeds.join(', '), 40));
  writeFileSync(files.endless, pipeline('endless', '21', 1_000_000));
});
beforeEach(() => {
  home = join(place.home, `home-${homes++}`);
});
afterAll(() => place.remove());

const trains = /train: [1-9][\d,]*\/[\d,]+ steps/;

/** Digest of every output by its place, and the attempts that each step took. */
async function outcomeOf(finished: Finished, of: string): Promise<{ digests: string[]; attempts: number[] }> {
  const { studyId } = JSON.parse(finished.stdout) as { studyId: string };
  const store = await openStore(join(of, 'store'));
  const digests: string[] = [];
  const attempts: number[] = [];
  for (const seed of seeds) {
    const text = await store.readText(`studies/${studyId}/cells/seed=${seed}.json`);
    for (const [stage, { key, outputs }] of Object.entries((JSON.parse(text!) as CellResult).stages)) {
      attempts.push((await store.readStep(key))!.provenance.attempts);
      for (const [output, { sha256 }] of Object.entries(outputs))
        digests.push(`${seed} ${stage}.${output} ${sha256}`);
    }
  }
  return { digests, attempts };
}

test('two runs at once: the end of one costs the other nothing', async () => {
  const calm = await epochal(['run', files.long, '--json'], home);
  expect(calm.code, calm.stderr).toBe(0);
  const shared = join(place.home, 'shared');
  const longer = startEpochal(['run', files.long, '--json'], shared);
  await longer.until(/data: /);
  const shorter = await epochal(['run', files.short], shared);
  expect(shorter.code, shorter.stderr).toBe(0);
  expect(shorter.stdout).toMatch(/Also open in this home:\n {2}long-\w+: running, it goes on too/);
  expect(longer.child.exitCode).toBeNull();
  const finished = await longer.finished;
  expect(finished.code, finished.stderr).toBe(0);
  const disturbed = await outcomeOf(finished, shared);
  expect(disturbed.digests).toEqual((await outcomeOf(calm, home)).digests);
  expect(new Set(disturbed.attempts)).toEqual(new Set([1]));
  expect(finished.stderr).not.toMatch(/failed|died/);
}, 600_000);

test('a study that was stopped with Ctrl-C stays stopped during another run, which says so, until its own', async () => {
  const first = startEpochal(['run', files.long], home);
  await first.until(/train: done/);
  first.child.kill('SIGINT');
  const stopped = await first.finished;
  expect(stopped.code, stopped.stdout + stopped.stderr).toBe(130);
  expect(stopped.stdout).toMatch(
    /nothing goes on by itself[\s\S]*run it again: npx epochal run .*long\.yaml/,
  );

  const other = await epochal(['run', files.short], home);
  expect(other.code, other.stderr).toBe(0);
  const said = other.stdout.match(/^ {2}long-\w+: .*$/gm);
  expect(said).toHaveLength(2);
  expect(said![0]).toMatch(/stopped until `epochal retry long-\w+` or its own run \(\d+ of 14 cells ended\)/);
  // Nothing of it was done meanwhile.
  expect(said![1]).toBe(said![0]);
  expect(other.stdout).not.toMatch(/seed=[12]\d/);

  const again = await epochal(['run', files.long, '--json'], home);
  expect(again.code, again.stderr).toBe(0);
  expect(JSON.parse(again.stdout)).toMatchObject({ status: 'succeeded', counts: { succeeded: 14 } });
}, 600_000);

test('a study whose program was killed goes on during another run, which says so', async () => {
  const first = startEpochal(['run', files.endless], home);
  await first.until(trains);
  for (const pid of [first.child.pid!, ...descendants(first.child.pid!, /./)]) process.kill(pid, 'SIGKILL');
  await first.finished;
  const other = await epochal(['run', files.short], home);
  expect(other.code, other.stderr).toBe(0);
  const [atStart, atEnd] = other.stdout.match(/^ {2}endless-\w+: .*$/gm)!;
  expect(atStart).toMatch(/running, it goes on too/);
  expect(atEnd).toMatch(/not finished, its own run goes on with it/);
}, 600_000);

/** Whether a process handles a signal itself. */
function catches(pid: number, signal: NodeJS.Signals): boolean {
  const mask = /^SigCgt:\s+([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]!;
  return ((BigInt(`0x${mask}`) >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n;
}

describe.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const)('%s', (signal) => {
  test('to `run`, then to all of its processes, stops it; checkpoints are kept, nothing fails', async () => {
    for (const target of ['program', 'group']) {
      const study = startEpochal(['run', files.endless], home, {}, { detached: true });
      await study.until(trains);
      process.kill(target === 'group' ? -study.child.pid! : study.child.pid!, signal);
      const { code, stdout, stderr } = await study.finished;
      expect(code, stdout + stderr).toBe(130);
      expect(stdout + stderr).not.toMatch(/failed|died|shut down|Debugger listening/);
      expect(stdout).toMatch(/nothing goes on by itself/);
    }
    const log = readFileSync(join(home, 'logs', 'worker.log'), 'utf8');
    expect(log).not.toMatch(/Debugger listening|StageCancelledError/);
  }, 300_000);

  test('to `worker` hands its stages back', async () => {
    const server = startEpochal(['server'], home);
    await server.until(/web UI/);
    const address = /server (\S+),/.exec(server.output())![1]!;
    const study = startEpochal(['run', files.endless, '--address', address], home);
    for (const end of [signal, 'SIGTERM'] as const) {
      const worker = startEpochal(['worker'], home);
      await worker.until(/is ready/);
      await eventually(
        () => descendants(worker.child.pid!, /compute-process/).length > 0,
        120_000,
        'a stage',
      );
      worker.child.kill(end);
      const { code, stdout, stderr } = await worker.finished;
      expect(code, stdout + stderr).toBe(130);
      expect(stdout + stderr).not.toMatch(/Debugger listening/);
    }
    expect(study.output()).not.toMatch(/failed/);
    study.child.kill('SIGINT');
    expect((await study.finished).code).toBe(130);
    server.child.kill('SIGINT');
    await server.finished;
  }, 300_000);
});

test('a compute process that alone is told to stop is started again', async () => {
  const study = startEpochal(['run', files.endless], home);
  await study.until(trains);
  const [pid] = descendants(study.child.pid!, /compute-process/);
  process.kill(pid!, 'SIGTERM');
  await study.until(/attempt 2/);
  expect(study.output()).not.toMatch(/failed/);
  study.child.kill('SIGINT');
  expect((await study.finished).code).toBe(130);
}, 300_000);

test('an interruption at any moment ends as one', async () => {
  for (let round = 0; round < 8; round++) {
    const signal = round % 2 === 0 ? 'SIGTERM' : 'SIGINT';
    const study = startEpochal(['run', files.endless], home);
    // Node itself catches some of the others.
    await eventually(() => catches(study.child.pid!, 'SIGUSR2'), 60_000, 'that the program listens');
    // The moment itself is what is tried, from the start of the server to the middle of a stage.
    const moment = Math.random() * 8000;
    await setTimeout(moment);
    study.child.kill(signal);
    const { code, stdout, stderr } = await study.finished;
    expect(code, `${signal} after ${moment} ms\n${stdout}${stderr}`).toBe(130);
    expect(stdout + stderr).not.toMatch(/shut down|\bat .*:\d+:\d+/);
  }
}, 600_000);
