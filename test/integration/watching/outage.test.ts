import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../fixtures/local-study.ts';
import { openWatchedWorkers, type WatchedWorkers } from '../../fixtures/watched-workers.ts';

let workers: WatchedWorkers;

beforeAll(async () => {
  workers = await openWatchedWorkers();
});
afterAll(() => workers?.close());

test('a worker is not ready while its server is away, and is again when it comes back; it is alive all the while', async () => {
  const { url } = await workers.worker();
  const ask = async (name: string) => {
    const response = await fetch(`${url}/${name}`);
    return { status: response.status, reason: ((await response.json()) as { reason?: string }).reason };
  };
  expect(await ask('ready')).toEqual({ status: 200 });
  workers.stopServer();
  const { reason } = await until(async () => {
    const answer = await ask('ready');
    return answer.status === 503 && answer;
  });
  expect(reason).toMatch(/^The Temporal server does not answer/);
  expect((await ask('health')).status).toBe(200);
  workers.continueServer();
  await until(async () => (await ask('ready')).status === 200);
});
