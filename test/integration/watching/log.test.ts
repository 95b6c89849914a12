import { afterAll, beforeAll, expect, test } from 'vitest';
import { findFreePort } from '../../../runtime/server/ports.ts';
import { until } from '../../fixtures/local-study.ts';
import { plannedCell, plannedStage, planOf } from '../../fixtures/plans.ts';
import {
  openWatchedWorkers,
  type WatchedWorker,
  type WatchedWorkers,
} from '../../fixtures/watched-workers.ts';

let workers: WatchedWorkers;

beforeAll(async () => {
  workers = await openWatchedWorkers();
});
afterAll(() => workers?.close());

const faulty = (how: string, times: number) =>
  plannedStage('work', 'faulty', { how, times, log: `${how}.log` }, { retry: { attempts: 1 } });

/** The lines of the stages of a study, without what differs from run to run. */
function told(worker: WatchedWorker, study: string): unknown[] {
  return worker
    .lines()
    .filter((line) => line.study === study && String(line.message).startsWith('stage '))
    .map(({ time, seconds, study, ...line }) => ({
      ...line,
      isTimed: !Number.isNaN(Date.parse(String(time))),
    }));
}

test('is one JSON object a line: stages begun, done, reused, failed, retried, each with study, cell, stage and attempt', async () => {
  const worker = await workers.worker(['--log-format', 'json']);
  const counter = plannedStage('count', 'counter', { steps: 1, seed: 1 });
  const plan = planOf('told', [plannedCell('seed=1', { seed: 1 }, [counter])]);
  const { studyId } = await workers.start(plan);
  await (await workers.start(plan)).result();
  await (await workers.start(plan)).result();
  const place = {
    worker: expect.stringMatching(/^\d+@/),
    cell: 'seed=1',
    stage: 'count',
    kind: 'counter',
    isTimed: true,
  };
  const first = { ...place, attempt: 1, level: 'info' };
  expect(told(worker, studyId)).toEqual([
    { ...first, message: 'stage begun' },
    { ...first, message: 'stage done', outcome: 'done' },
    { ...first, message: 'stage begun' },
    { ...first, message: 'stage reused', outcome: 'reused' },
  ]);

  const failing = await workers.start(planOf('failing', [plannedCell('a', {}, [faulty('input', 1)])]));
  await failing.result();
  expect(told(worker, failing.studyId)).toContainEqual(
    expect.objectContaining({
      ...{
        level: 'warn',
        message: 'stage failed',
        cell: 'a',
        stage: 'work',
        outcome: 'failed',
        again: false,
      },
      error: { kind: 'InputError', message: 'The data are not there.' },
    }),
  );

  const crashing = await workers.start(planOf('crashing', [plannedCell('a', {}, [faulty('crash', 1)])]));
  await crashing.result();
  expect(told(worker, crashing.studyId)).toEqual([
    expect.objectContaining({ message: 'stage begun', attempt: 1 }),
    expect.objectContaining({
      ...{ message: 'stage failed', attempt: 1, again: true },
      error: { kind: 'ComputeProcessError', message: expect.stringContaining('killed by SIGKILL') },
    }),
    expect.objectContaining({ message: 'stage retried', attempt: 2 }),
    expect.objectContaining({ message: 'stage done', attempt: 2 }),
  ]);

  workers.gate.hold('5-1');
  const held = plannedStage('held', 'counter', { steps: 1, seed: 5 });
  const { studyId: handed } = await workers.start(planOf('handed', [plannedCell('a', {}, [held])]));
  await until(async () => workers.gate.met('5-1'));
  worker.child.kill('SIGTERM');
  expect((await worker.finished).code).toBe(130);
  expect(told(worker, handed).at(-1)).toMatchObject({
    level: 'info',
    message: 'stage handed back',
    stage: 'held',
  });
  expect(worker.lines().every(({ time, level, message }) => time && level && message)).toBe(true);
  // What the SDK says of an activity has its place, too.
  expect(worker.lines()).toContainEqual(
    expect.objectContaining({ study: failing.studyId, cell: 'a', stage: 'work', activityType: 'runStage' }),
  );
});

test('text stays as it was, unless a level asks for more', async () => {
  workers.gate.release();
  const quiet = await workers.worker();
  const plan = (seed: number) =>
    planOf('quiet', [plannedCell('a', {}, [plannedStage('count', 'counter', { steps: 1, seed })])]);
  await (await workers.start(plan(21))).result();
  const lines = quiet.output().split('\n').slice(0, -1);
  // What the SDK warns of when a queue has stages alone.
  expect(lines.filter((line) => !line.includes('[WARN] No workflows registered'))).toEqual([
    `worker for ${workers.place.address} is ready; Ctrl-C stops it`,
  ]);
  quiet.child.kill('SIGTERM');
  await quiet.finished;
  const port = await findFreePort();
  const louder = await workers.worker(['--metrics', `0.0.0.0:${port}`], { EPOCHAL_LOG: 'info' });
  expect(louder.output()).toMatch(/^Metrics are served at 0\.0\.0\.0: whoever reaches this machine/m);
  await (await workers.start(plan(22))).result();
  expect(louder.output()).toMatch(/\[INFO\] stage done/);
});

test('why a worker cannot begin is a line of JSON, too', async () => {
  const broken = workers.worker(['--log-format', 'json', '--address', '127.0.0.1:1']);
  await expect(broken).rejects.toThrow(
    /^ended before .*\n\{"time":"[^"]+","level":"error","message":"The worker ends\.","worker":"[^"]+","error":\{"kind":"EnvironmentError","message":"No Temporal server answers at 127\.0\.0\.1:1 .*\}\}\n$/,
  );
});
