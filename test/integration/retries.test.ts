/** What becomes of a stage by the kind of its failure: memory that is really exhausted, processes that really crash, a worker that is really lost. */
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compute } from '../../activities/processes/compute-client.ts';
import { ProcessPool } from '../../activities/processes/process-pool.ts';
import type { Json, PlannedCell } from '../../compiler/plan.ts';
import { type LocalStudies, openLocalStudies, until } from '../fixtures/local-study.ts';
import { plannedCell, plannedStage, planOf } from '../fixtures/plans.ts';

let studies: LocalStudies;

beforeAll(async () => {
  // V8's own limit, so that a heap is soon full.
  process.env.NODE_OPTIONS = '--max-old-space-size=300';
  studies = await openLocalStudies();
});
afterAll(() => studies?.close());

function faulty(id: string, how: string, times: number, more: Record<string, Json> = {}): PlannedCell {
  const withs = { how, times, log: `${id}.log`, ...more };
  return plannedCell(id, { id }, [plannedStage('work', 'faulty', withs, { retry: { attempts: 1 } })]);
}

function counter(seed: number): PlannedCell {
  return plannedCell(`seed=${seed}`, { seed }, [
    plannedStage('work', 'counter', { steps: 3, seed }, { retry: { attempts: 1 } }),
  ]);
}

async function attemptsOf(id: string): Promise<number> {
  return (await readFile(path.join(studies.home, `${id}.log`), 'utf8')).trim().split('\n').length;
}

test('a stage whose heap is full beside others is tried again when it is alone', async () => {
  studies.gate.hold('71-1');
  const study = await studies.start(planOf('beside', [counter(71), faulty('heap', 'heap', 1)]));
  const said = await until(async () => {
    const cell = (await study.cells()).find(({ cellId }) => cellId === 'heap');
    return cell?.live.find(({ message }) => message !== undefined)?.message;
  });
  expect(said).toBe('waits until it is alone on its worker');
  expect(await attemptsOf('heap')).toBe(1);
  // A stage that comes then waits for its turn too.
  const other = await studies.start(planOf('later', [counter(72)]));
  studies.gate.release();
  expect(await study.result()).toMatchObject({ status: 'succeeded' });
  expect(await attemptsOf('heap')).toBe(2);
  expect(await other.result()).toMatchObject({ status: 'succeeded' });
});

test('a stage that gets no memory alone either fails with what to do', async () => {
  const cells = [
    faulty('always', 'heap', 9, { memory: '4GB' }),
    faulty('arrays', 'array', 9),
    faulty('tensors', 'tensor', 9),
  ];
  const { failures } = await (await studies.start(planOf('never', cells))).result();
  const failureOf = (id: string) => failures.find(({ cellId }) => cellId === id);
  expect(failureOf('always')).toMatchObject({
    type: 'OutOfMemoryError',
    message: expect.stringMatching(/heap out of memory.* to itself the last time\.$/s),
    cure: expect.stringMatching(/^Lower its setting `memory` \(now "4GB"\), or have it run on a machine/),
  });
  expect(failureOf('arrays')).toMatchObject({
    type: 'OutOfMemoryError',
    message: expect.stringMatching(/^Array buffer allocation failed/),
    cure: expect.stringMatching(/^Have it run on a machine with more memory/),
  });
  expect(failureOf('tensors')).toMatchObject({
    type: 'OutOfMemoryError',
    message: expect.stringMatching(/OOM when allocating tensor/),
  });
  for (const id of ['always', 'arrays', 'tensors']) expect(await attemptsOf(id)).toBe(2);
});

test('a compute process that crashes costs none of the attempts of its stage', async () => {
  const result = await (await studies.start(planOf('fault', [faulty('fault', 'fault', 2)]))).result();
  expect(result.status).toBe('succeeded');
  expect(await attemptsOf('fault')).toBe(3);
});

test('nor does a worker that is lost', async () => {
  studies.gate.hold('73-1');
  const study = await studies.start(planOf('lost', [counter(73)]));
  await until(async () => studies.gate.met('73-1') !== undefined);
  process.kill(studies.runtime.processes.worker!, 'SIGKILL');
  studies.gate.release();
  expect(await study.result()).toMatchObject({ status: 'succeeded' });
});

const options = () => ({
  signal: new AbortController().signal,
  timeoutMs: 600_000,
  onProgress: () => undefined,
});

const request = (withs: Record<string, Json>) => ({
  ...{ uses: 'faulty', key: 'f'.repeat(64), with: { times: 9, log: 'direct.log', ...withs }, inputs: {} },
  ...{ storeUri: studies.storeUri(), threads: 1, baseDirectory: studies.home },
});

test('a process that is killed while the kernel kills for want of memory has run out of it; any other was killed by somebody', async () => {
  let kills = 3;
  const counted = (grows: boolean) => () => (grows ? kills++ : kills);
  const killed = (grows: boolean) =>
    compute(request({ how: 'crash' }), options(), new ProcessPool(), counted(grows));
  await expect(killed(true)).rejects.toMatchObject({
    name: 'OutOfMemoryError',
    message: expect.stringMatching(/^The kernel killed .* for want of memory.*these are my last words/s),
  });
  await expect(killed(false)).rejects.toMatchObject({ name: 'ComputeProcessError' });
});

/** A control group with a limit of 300 MB, where this user may make one. */
function makeGroup(): string | undefined {
  for (const [root, limit] of [
    ['/sys/fs/cgroup/memory', 'memory.limit_in_bytes'],
    ['/sys/fs/cgroup', 'memory.max'],
  ] as const) {
    const group = path.join(root, `epochal-test-${process.pid}`);
    try {
      mkdirSync(group);
      writeFileSync(path.join(group, limit), '300000000');
      return group;
    } catch {
      // The other version, or not allowed.
    }
  }
  return undefined;
}

test('the kernel itself kills it, where a control group can be made', async (context) => {
  const group = makeGroup();
  if (group === undefined) return context.skip('no control group of memory can be made here');
  context.onTestFinished(() => rmdirSync(group));
  await expect(compute(request({ how: 'hoard', group }), options(), new ProcessPool())).rejects.toMatchObject(
    {
      name: 'OutOfMemoryError',
      message: expect.stringMatching(/^The kernel killed/),
    },
  );
});
