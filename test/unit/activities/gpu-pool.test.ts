import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { GpuPool } from '../../../activities/processes/gpus.ts';
import type { Gpu } from '../../../compute/gpus.ts';

/** GPUs that no machine has, and no other run of this file. */
const gpu = (slot: number): Gpu => ({ name: String(slot), address: `test-${process.pid}-${slot}` });
const two = { gpus: [gpu(0), gpu(1)] };
const never = new AbortController().signal;
const root = path.join(import.meta.dirname, '..', '..', '..');
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** Another worker process, which has been lent one of these GPUs, until it is killed. */
async function borrower(gpus: readonly Gpu[]): Promise<{ child: ChildProcess; name: string }> {
  const script = `
    import { GpuPool } from './activities/processes/gpus.ts';
    const pool = new GpuPool({ gpus: ${JSON.stringify(gpus)} });
    await pool.lend(1, new AbortController().signal, async ([{ name }]) => {
      console.log(name);
      await new Promise((resolve) => setTimeout(resolve, 600_000));
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [name] = (await once(child.stdout!, 'data')) as [Buffer];
  return { child, name: name.toString().trim() };
}

test('a GPU is lent to one stage at a time', async () => {
  const pool = new GpuPool(two);
  const busy = new Set<string>();
  const lent: number[] = [];
  const stage = async (gpus: readonly Gpu[]) => {
    lent.push(gpus.length);
    for (const { name } of gpus) {
      expect(busy.has(name)).toBe(false);
      busy.add(name);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
    for (const { name } of gpus) busy.delete(name);
  };
  await Promise.all([1, 1, 2, 1, 8].map((count) => pool.lend(count, never, stage)));
  expect(lent.sort()).toEqual([1, 1, 1, 2, 2]);
});

test('two workers on one machine are never lent the same GPU, and the GPU of a killed one is free again', async () => {
  const first = await borrower(two.gpus);
  const pool = new GpuPool(two);
  const names: string[] = [];
  const note = async ([lent]: readonly Gpu[]) => void names.push(lent!.name);
  for (let round = 0; round < 3; round++) await pool.lend(1, never, note);
  const other = first.name === '0' ? '1' : '0';
  expect(names).toEqual([other, other, other]);
  // Both at once only when the other has ended.
  const both = pool.lend(2, never, async (lent) => lent.map(({ name }) => name).sort());
  const third = await borrower(two.gpus.filter(({ name }) => name !== first.name));
  expect(third.name).toBe(other);
  first.child.kill('SIGKILL');
  third.child.kill('SIGKILL');
  expect(await both).toEqual(['0', '1']);
});

test('who waits for a GPU can be stopped', async () => {
  const { child, name } = await borrower([gpu(2)]);
  const abort = new AbortController();
  const waiting = new GpuPool({ gpus: [gpu(2)] }).lend(1, abort.signal, async () => 'lent');
  abort.abort(new Error('cancelled'));
  await expect(waiting).rejects.toThrow('cancelled');
  expect([name, child.exitCode]).toEqual(['2', null]);
});
