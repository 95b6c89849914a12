import { expect, test } from 'vitest';
import { compute } from '../../activities/processes/compute-client.ts';
import type { ComputeRequest } from '../../activities/processes/compute-protocol.ts';
import { countGpus } from '../../activities/processes/gpus.ts';
import { type ComputeProcess, ProcessPool } from '../../activities/processes/process-pool.ts';
import { isAlive } from '../../runtime/server/server-process.ts';
import { smallPlans } from '../fixtures/digests/small-plans.ts';
import { storeOfThisFile } from '../fixtures/store-of-this-file.ts';

const store = await storeOfThisFile();
const none = new Set<ComputeProcess>();
const [data, train] = smallPlans.find(({ name }) => name === 'mlp-hessian')!.cells[0]!.stages;
const options = () => ({
  ...{ signal: new AbortController().signal, timeoutMs: 600_000, onProgress: () => undefined },
});
const request = (key: string, uses: string, withs: object): ComputeRequest => ({
  ...{ uses, key, with: withs as ComputeRequest['with'], inputs: {}, storeUri: store.uri, threads: 1 },
  baseDirectory: import.meta.dirname,
});

test('a stage tells what it was computed on, and one that was given a GPU is not computed on the CPU', async () => {
  const pool = new ProcessPool({ idleMs: 600_000 });
  const taken: ComputeProcess[] = [];
  const take = pool.take.bind(pool);
  pool.take = (...args) => {
    const process = take(...args);
    taken.push(process);
    return process;
  };
  const { outputs, backend } = await compute(request('data', 'dataset', data!.with), options(), pool);
  expect(backend).toEqual({ backend: 'none', library: 'none' });
  const training = request('train', 'train', { ...train!.with, data: outputs.train });
  expect((await compute(training, options(), pool)).backend).toMatchObject({
    backend: 'tensorflow',
    device: 'cpu',
  });
  const onGpu = compute({ ...training, key: 'train-on-gpu' }, { ...options(), gpu: '0' }, pool);
  if (countGpus() > 0) {
    expect((await onGpu).backend).toMatchObject({ device: 'gpu' });
    return;
  }
  await expect(onGpu).rejects.toMatchObject({
    name: 'MissingGpuError',
    message: 'TensorFlow computes on the CPU, although this process has GPU 0.',
    cure: expect.stringContaining('epochal doctor'),
  });
  // Another process may find it.
  const { pid } = taken.at(-1)!.child;
  await expect.poll(() => isAlive(pid!)).toBe(false);
  const again = pool.take({ threads: 1, gpu: '0' }, 'train', none);
  expect(taken.slice(0, -1)).not.toContain(again);
  again.child.kill('SIGKILL');
});

test('a process that rests with a GPU makes room for another with the same', async () => {
  const pool = new ProcessPool({ idleMs: 600_000 });
  const state = { memory: 1e8, resources: 0, spent: false };
  const [first, other] = ['0', '1'].map((gpu) => pool.take({ threads: 1, gpu }, 'train', none));
  pool.giveBack(first!, state);
  pool.giveBack(other!, state);
  const second = pool.take({ threads: 2, gpu: '0' }, 'train', none);
  await expect.poll(() => isAlive(first!.child.pid!)).toBe(false);
  expect([second, other!].map(({ child }) => isAlive(child.pid!))).toEqual([true, true]);
  for (const { child } of [second, other!]) child.kill('SIGKILL');
});
