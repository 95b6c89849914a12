/** Several runs in one home, and runs that are interrupted. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openStore } from '../../artifacts/store/open-store.ts';
import type { CellResult } from '../../workflows/messages.ts';
import { copyBundledHome } from '../bundled-home.ts';
import { descendants } from '../fixtures/processes.ts';
import {
  epochal,
  type Finished,
  freshHome,
  gateIn,
  lastCheckpoint,
  type Running,
  startEpochal,
} from './epochal.ts';
import { trainings } from './trainings.ts';

/** A study that only a signal ends has a million `epochs`; where one must not end yet, its last cell is held. */
const pipeline = (name: string, seeds: string, epochs: number) =>
  trainings({
    ...{ name, matrix: `seed: [${seeds}]`, epochs, optimizer: 'learningRate: 0.05, momentum: 0.5' },
    more: '  record: { uses: record, with: { from: "${{ stages.train.state }}", epochs: 10 } }\n',
  });

/** More than are in flight at once. */
const seeds = [11, 12, 13, 14, 15, 16];
const lastTraining = 'train-16';

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
  writeFileSync(files.long, pipeline('long', seeds.join(', '), 4));
  writeFileSync(files.endless, pipeline('endless', '21', 1_000_000));
});
beforeEach(() => {
  home = copyBundledHome(join(place.home, `home-${homes++}`));
});
afterAll(() => place.remove());

/** Resolves when the run has left a checkpoint of its own: from then on it is in the middle of its training. */
function trains(study: Running, of: string): Promise<unknown> {
  const before = lastCheckpoint(of);
  return study.meets(() => lastCheckpoint(of) > before);
}

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
  const shared = copyBundledHome(join(place.home, 'shared'));
  const { gate, environment } = gateIn(place.home);
  gate.hold(lastTraining);
  const longer = startEpochal(['run', files.long, '--json'], shared, environment);
  await longer.until(/data: /);
  const shorter = await epochal(['run', files.short], shared, environment);
  expect(shorter.code, shorter.stderr).toBe(0);
  expect(shorter.stdout).toMatch(/Also open in this home:\n {2}long-\w+: running, it goes on too/);
  expect(longer.child.exitCode).toBeNull();
  gate.release();
  const finished = await longer.finished;
  expect(finished.code, finished.stderr).toBe(0);
  const disturbed = await outcomeOf(finished, shared);
  expect(disturbed.digests).toEqual((await outcomeOf(calm, home)).digests);
  expect(new Set(disturbed.attempts)).toEqual(new Set([1]));
  expect(finished.stderr).not.toMatch(/failed|died/);
});

test('a study that was stopped with Ctrl-C stays stopped during another run, which says so, until its own', async () => {
  const { gate, environment } = gateIn(place.home);
  gate.hold(lastTraining);
  const first = startEpochal(['run', files.long], home, environment);
  await first.until(/train: done/);
  first.child.kill('SIGINT');
  const stopped = await first.finished;
  gate.release();
  expect(stopped.code, stopped.stdout + stopped.stderr).toBe(130);
  expect(stopped.stdout).toMatch(
    /nothing goes on by itself[\s\S]*run it again: npx epochal run .*long\.yaml/,
  );

  const other = await epochal(['run', files.short], home);
  expect(other.code, other.stderr).toBe(0);
  const said = other.stdout.match(/^ {2}long-\w+: .*$/gm);
  expect(said).toHaveLength(2);
  expect(said![0]).toMatch(/stopped until `epochal retry long-\w+` or its own run \(\d+ of 6 cells ended\)/);
  // Nothing of it was done meanwhile.
  expect(said![1]).toBe(said![0]);
  expect(other.stdout).not.toMatch(/seed=[12]\d/);

  const again = await epochal(['run', files.long, '--json'], home);
  expect(again.code, again.stderr).toBe(0);
  expect(JSON.parse(again.stdout)).toMatchObject({ status: 'succeeded', counts: { succeeded: 6 } });
});

test('a study whose program was killed goes on during another run, which says so', async () => {
  const first = startEpochal(['run', files.endless], home);
  await trains(first, home);
  for (const pid of [first.child.pid!, ...descendants(first.child.pid!, /./)]) process.kill(pid, 'SIGKILL');
  await first.finished;
  const other = await epochal(['run', files.short], home);
  expect(other.code, other.stderr).toBe(0);
  const [atStart, atEnd] = other.stdout.match(/^ {2}endless-\w+: .*$/gm)!;
  expect(atStart).toMatch(/running, it goes on too/);
  expect(atEnd).toMatch(/not finished, its own run goes on with it/);
});

/** Whether a process handles a signal itself. */
function catches(pid: number, signal: NodeJS.Signals): boolean {
  const mask = /^SigCgt:\s+([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]!;
  return ((BigInt(`0x${mask}`) >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n;
}

describe.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const)('%s', (signal) => {
  test('to `run`, then to all of its processes, stops it; checkpoints are kept, nothing fails', async () => {
    for (const target of ['program', 'group']) {
      const study = startEpochal(['run', files.endless], home, {}, { detached: true });
      await trains(study, home);
      process.kill(target === 'group' ? -study.child.pid! : study.child.pid!, signal);
      const { code, stdout, stderr } = await study.finished;
      expect(code, stdout + stderr).toBe(130);
      expect(stdout + stderr).not.toMatch(/failed|died|shut down|Debugger listening/);
      expect(stdout).toMatch(/Everything done so far is kept[\s\S]*nothing goes on by itself/);
    }
    const planned = await epochal(['plan', files.endless, '--json'], home);
    expect(JSON.parse(planned.stdout)).toMatchObject({
      foresight: expect.arrayContaining([expect.objectContaining({ stage: 'data', action: 'reuse' })]),
    });
    const log = readFileSync(join(home, 'logs', 'worker.log'), 'utf8');
    expect(log).not.toMatch(/Debugger listening|StageCancelledError/);
  });

  test('to `worker` hands its stages back', async () => {
    const server = startEpochal(['server'], home);
    await server.until(/web UI/);
    const address = /server (\S+),/.exec(server.output())![1]!;
    const study = startEpochal(['run', files.endless, '--address', address], home);
    for (const end of [signal, 'SIGTERM'] as const) {
      const worker = startEpochal(['worker'], home);
      await worker.until(/is ready/);
      await worker.meets(() => descendants(worker.child.pid!, /compute-process/).length > 0);
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
  });
});

test('a compute process that alone is told to stop is started again', async () => {
  const study = startEpochal(['run', files.endless], home);
  await trains(study, home);
  const [pid] = descendants(study.child.pid!, /compute-process/);
  process.kill(pid!, 'SIGTERM');
  await study.meets(() => descendants(study.child.pid!, /compute-process/).some((other) => other !== pid));
  expect(study.output()).not.toMatch(/failed/);
  study.child.kill('SIGINT');
  expect((await study.finished).code).toBe(130);
});

const moments: Record<string, (study: Running, home: string) => boolean> = {
  // Node itself catches some of the other signals.
  'as soon as it listens': ({ child }) => catches(child.pid!, 'SIGUSR2'),
  'while its server starts': (_, of) => existsSync(join(of, 'server.json')),
  'while its worker starts': ({ child }) => descendants(child.pid!, /worker-process/).length > 0,
  'as it is launched': (_, of) => existsSync(join(of, 'store', 'studies')),
  'while its first stage runs': ({ child }) => descendants(child.pid!, /compute-process/).length > 0,
  'after its first stage': (_, of) => existsSync(join(of, 'store', 'steps')),
  'in the middle of its second': (_, of) => lastCheckpoint(of) > 0,
};

test.each(Object.entries(moments))('an interruption %s ends as one', async (moment, isThere) => {
  const signal = Object.keys(moments).indexOf(moment) % 2 === 0 ? 'SIGTERM' : 'SIGINT';
  const study = startEpochal(['run', files.endless], home);
  await study.meets(() => isThere(study, home));
  study.child.kill(signal);
  const { code, stdout, stderr } = await study.finished;
  expect(code, `${signal}\n${stdout}${stderr}`).toBe(130);
  expect(stdout + stderr).not.toMatch(/shut down|\bat .*:\d+:\d+/);
});
