import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore } from '../../../artifacts/store/open-store.ts';
import type { CellResult } from '../../../workflows/messages.ts';
import { until } from '../../fixtures/local-study.ts';
import { plannedCell, plannedCollect, plannedStage, planOf, resultOf } from '../../fixtures/plans.ts';
import {
  openWatchedWorkers,
  type WatchedWorker,
  type WatchedWorkers,
} from '../../fixtures/watched-workers.ts';

let workers: WatchedWorkers;
let worker: WatchedWorker;

beforeAll(async () => {
  workers = await openWatchedWorkers();
  worker = await workers.worker(['--drain', '10m']);
});
afterAll(() => workers?.close());

async function page(
  name: string,
  { url } = worker,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${url}/${name}`);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** The values of a metric, by its labels but for those that all have. */
async function values(name: string): Promise<Record<string, number>> {
  const text = await (await fetch(`${worker.url}/metrics`)).text();
  const samples = text.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)$`, 'gm'));
  return Object.fromEntries([...samples].map(([, labels = '', value]) => [labels, Number(value)]));
}

function counters(seed: number): ReturnType<typeof plannedCell> {
  return plannedCell(`seed=${seed}`, { seed }, [
    plannedStage('first', 'counter', { steps: 2, seed }),
    plannedStage('second', 'counter', { steps: 2, seed, from: resultOf('first') }, { needs: ['first'] }),
  ]);
}

test('counts what a study did, again what it reused and what failed, with the metrics of the SDK', async () => {
  const plan = planOf('counted', [counters(1), counters(2)], {
    collect: [plannedCollect('sweep', 'second', ['seed'])],
  });
  const { studyId } = await workers.start(plan);
  await (await workers.start(plan)).result();
  expect(await values('epochal_stages_begun_total')).toEqual({ 'kind="counter"': 4, 'kind="collect"': 1 });
  expect(await values('epochal_stages_ended_total')).toEqual({
    'kind="counter",outcome="done"': 4,
    'kind="collect",outcome="done"': 1,
  });
  const read = await values('epochal_store_read_bytes_total');
  const written = await values('epochal_store_written_bytes_total');
  const store = await openStore(workers.storeUri);
  const cells = await Promise.all(
    [1, 2].map((seed) => store.readText(`studies/${studyId}/cells/seed=${seed}.json`)),
  );
  const bytesOf = (stage: string) =>
    cells
      .map((text) => (JSON.parse(text!) as CellResult).stages[stage]!.outputs.result!.bytes)
      .reduce((sum, bytes) => sum + bytes);
  expect(read).toEqual({ 'kind="counter"': bytesOf('first') });
  expect(written).toEqual({ 'kind="counter"': bytesOf('first') + bytesOf('second') });
  await (await workers.start(plan)).result();
  expect(await values('epochal_stages_ended_total')).toMatchObject({
    'kind="counter",outcome="done"': 4,
    'kind="counter",outcome="reused"': 4,
  });
  expect(await values('epochal_store_written_bytes_total')).toEqual(written);

  const log = 'fails.log';
  const faulty = plannedStage('work', 'faulty', { how: 'input', times: 1, log });
  await expect(
    (await workers.start(planOf('fails', [plannedCell('a', {}, [faulty])]))).result(),
  ).resolves.toMatchObject({
    status: 'failed',
  });
  expect(await values('epochal_stages_ended_total')).toMatchObject({ 'kind="faulty",outcome="failed"': 1 });
  const took = await values('epochal_stage_seconds_count');
  expect(took).toMatchObject({ 'kind="counter",outcome="done"': 4, 'kind="faulty",outcome="failed"': 1 });
  const long = 'kind="counter",outcome="done",le="172800"';
  expect((await values('epochal_stage_seconds_bucket'))[long]).toBe(4);

  const polls = await values('temporal_num_pollers');
  expect(Object.keys(polls).some((labels) => labels.includes('task_queue="epochal-cpu"'))).toBe(true);
});

test('slots and compute processes are those of the moment', async () => {
  workers.gate.hold('7-1');
  const stage = plannedStage('held', 'counter', { steps: 1, seed: 7 }, { resources: { threads: 2, gpu: 0 } });
  const study = await workers.start(planOf('held', [plannedCell('a', {}, [stage])]));
  await until(async () => workers.gate.met('7-1'));
  expect(await values('epochal_slots')).toEqual({ '': 4 });
  expect(await values('epochal_slots_in_use')).toEqual({ '': 2 });
  expect((await values('epochal_compute_processes'))['state="busy"']).toBe(1);
  workers.gate.release('7-1');
  await study.result();
  await until(async () => (await values('epochal_slots_in_use'))[''] === 0);
  await until(async () => (await values('epochal_compute_processes'))['state="busy"'] === 0);
});

test('the table of the documentation names what is served, and all of it', async () => {
  const text = await (await fetch(`${worker.url}/metrics`)).text();
  const served = [...text.matchAll(/^# TYPE (epochal_\S+) (\S+)$/gm)].map(
    ([, name, kind]) => `${name} ${kind}`,
  );
  const docs = readFileSync(path.join(import.meta.dirname, '../../../docs/observing.md'), 'utf8');
  const told = [...docs.matchAll(/^\| `(epochal_\w+)` \| (\w+) \|/gm)].map(
    ([, name, kind]) => `${name} ${kind}`,
  );
  expect(told.sort()).toEqual(served.sort());
});

test('no label says what is computed', async () => {
  const text = await (await fetch(`${worker.url}/metrics`)).text();
  expect(text).toContain('epochal_ready 1');
  for (const word of ['counted', 'seed=1', workers.home]) expect(text).not.toContain(word);
});

test('a worker that takes another port than its own, or is asked for another page, says so', async () => {
  expect(await page('nothing')).toMatchObject({ status: 404 });
  await expect(workers.worker(['--metrics', new URL(worker.url).port])).rejects.toThrow(
    /EADDRINUSE.*\n.*another port/s,
  );
  await expect(workers.worker(['--metrics', 'here'])).rejects.toThrow(
    /here is nowhere to tell of metrics at/,
  );
});

test('is ready while it polls a server that answers, and no more once it drains; alive to its end', async () => {
  expect(await page('health')).toEqual({ status: 200, body: { status: 'ok' } });
  expect(await page('ready')).toEqual({ status: 200, body: { status: 'ok' } });
  workers.gate.hold('9-1');
  const stage = plannedStage('held', 'counter', { steps: 1, seed: 9 });
  const study = await workers.start(planOf('drained', [plannedCell('a', {}, [stage])]));
  await until(async () => workers.gate.met('9-1'));
  worker.child.kill('SIGTERM');
  await worker.until(/No more stages are taken/);
  expect(await page('ready')).toEqual({
    status: 503,
    body: { status: 'unavailable', reason: 'The worker takes no more stages: it drains, or was stopped.' },
  });
  expect(await values('epochal_ready')).toEqual({ '': 0 });
  expect((await page('health')).status).toBe(200);
  workers.gate.release('9-1');
  expect((await worker.finished).code).toBe(130);
  const next = await workers.worker();
  await expect(study.result()).resolves.toMatchObject({ status: 'succeeded' });
  expect((await page('ready', next)).status).toBe(200);
});
