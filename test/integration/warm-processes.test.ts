import path from 'node:path';
import { expect, test } from 'vitest';
import type { Progress } from '../../activities/kinds/stage.ts';
import { compute } from '../../activities/processes/compute-client.ts';
import type { ComputeRequest } from '../../activities/processes/compute-protocol.ts';
import {
  type ComputeProcess,
  type PoolOptions,
  ProcessPool,
} from '../../activities/processes/process-pool.ts';
import { openLocalStore } from '../../artifacts/store/local-store.ts';
import type { Store } from '../../artifacts/store/store.ts';
import { isAlive } from '../../runtime/server/server-process.ts';
import { type MadeArtifact, makeArtifacts } from '../fixtures/digests/artifact-digests.ts';
import { smallPlans } from '../fixtures/digests/small-plans.ts';
import { until } from '../fixtures/local-study.ts';
import { storeOfThisFile } from '../fixtures/store-of-this-file.ts';

const store = await storeOfThisFile();
const none = new Set<ComputeProcess>();

/** A machine may be so busy that a stage takes longer than a process waits for the next. */
const patiently = 600_000;

/** A pool that tells which processes it has handed out. */
class WatchedPool extends ProcessPool {
  constructor(options: PoolOptions = {}) {
    super({ idleMs: patiently, ...options });
  }
  readonly taken: ComputeProcess[] = [];
  override take(...args: Parameters<ProcessPool['take']>): ComputeProcess {
    const process = super.take(...args);
    this.taken.push(process);
    return process;
  }
}

/** Those whose networks compute: each stage kind that does is in one of them, and a network trained after a Hessian. */
const plans = smallPlans.filter(({ name }) =>
  [
    'custom-components',
    'lenet-digits',
    'linear-regression',
    'mlp-hessian',
    'resnet-curvature',
    'transformer-noise',
  ].includes(name),
);

test('a stage has the same bits in a process of its own, after all others in one, again with the graphs that it has left, and after failures', async () => {
  const cold = new Map<string, string>();
  const computing = new Set<string>();
  const nameOf = (plan: string, name: string) => `${plan} ${name}`;
  for (const plan of plans)
    for await (const { name, ref, stage } of makeArtifacts(plan, store, true, () => new ProcessPool())) {
      cold.set(nameOf(plan.name, name), ref.sha256);
      computing.add(stage.uses);
    }
  expect([...computing]).toEqual(
    expect.arrayContaining(['train', 'record', 'hessian', 'project', 'noise', 'pca', 'evaluate']),
  );
  const pool = new WatchedPool();
  const processes = () => new Set(pool.taken.map(({ child }) => child.pid));
  for (const round of ['first', 'second', 'third']) {
    // Other stores: in the first one each stage would go on from where it has ended.
    const other = await openLocalStore(path.join(new URL(store.uri).pathname, round));
    for (const plan of plans) {
      const made: MadeArtifact[] = [];
      for await (const artifact of makeArtifacts(plan, other, true, () => pool)) {
        made.push(artifact);
        const { name, ref } = artifact;
        expect([round, plan.name, name, ref.sha256]).toEqual([
          ...[round, plan.name, name],
          cold.get(nameOf(plan.name, name)),
        ]);
      }
      if (round === 'second' && plan.name === 'mlp-hessian') await failInTheMiddle(made, other, pool);
    }
  }
  // One for each number of threads, and way to share them.
  expect(processes().size).toBeLessThanOrEqual(3);
  expect(pool.taken.length).toBeGreaterThan(60);
});

/** Has stages fail in the processes that have made these artifacts: one whose graph has run and whose weights are infinite, one between two products with a Hessian. */
async function failInTheMiddle(
  made: readonly MadeArtifact[],
  { uri }: Store,
  pool: WatchedPool,
): Promise<void> {
  const failing = async (output: string, uses: string, more: object, name: string) => {
    const { stage } = made.find((artifact) => artifact.stage.uses === uses)!;
    const ref = made.find((artifact) => artifact.name.endsWith(` ${output}`))!.ref;
    const withs = { ...stage.with, [uses === 'train' ? 'data' : 'at']: ref, ...more };
    const asked = { ...request(stage.resources.threads, `${'f'.repeat(63)}${uses.length}`, withs, uses) };
    await expect(compute({ ...asked, storeUri: uri }, options(), pool)).rejects.toMatchObject({ name });
    const { child, state } = pool.taken.at(-1)!;
    expect(isAlive(child.pid!)).toBe(true);
    expect(state).toMatchObject({ spent: false, holds: { tensors: 0 } });
    expect(state.holds!.graphs).toBe(state.holds!.kept);
  };
  const optimizer = { name: 'sgd', learningRate: 1e30, momentum: 0.5, decay: 1 };
  await failing('data.train', 'train', { optimizer }, 'DivergedError');
  await failing('record.mean', 'hessian', { top: 9, maxIterations: 9 }, 'UnconvergedError');
}

const request = (threads: number, key: string, withs: object, uses = 'dataset'): ComputeRequest => ({
  ...{ uses, key, with: withs as ComputeRequest['with'], inputs: {}, storeUri: store.uri, threads },
  baseDirectory: import.meta.dirname,
});
const mixture = (seed: number) => ({
  ...{
    name: 'gaussian-mixture',
    classes: 2,
    dimension: 3,
    separation: 1,
    seed,
    examples: 20,
    testExamples: 2,
  },
});
const options = () => ({
  ...{ signal: new AbortController().signal, timeoutMs: 600_000, onProgress: () => undefined },
});

test('a process in which a stage failed as nobody foresaw is not used again; one that dies while it rests is forgotten', async () => {
  const pool = new WatchedPool();
  const { outputs } = await compute(request(1, 'a', mixture(1)), options(), pool);
  await compute(request(1, 'b', mixture(2)), options(), pool);
  const [first, second] = pool.taken;
  expect(second!.child.pid).toBe(first!.child.pid);

  const gone = { ...outputs.train!, sha256: 'f'.repeat(64) };
  await expect(
    compute(request(1, 'c', { data: gone, state: gone }, 'evaluate'), options(), pool),
  ).rejects.toMatchObject({ name: 'DamagedArtifactError' });
  expect(pool.taken[2]!.child.pid).toBe(first!.child.pid);
  expect(isAlive(first!.child.pid!)).toBe(false);
  await compute(request(1, 'd', mixture(3)), options(), pool);
  expect(pool.taken[3]!.child.pid).not.toBe(first!.child.pid);

  const resting = pool.taken[3]!;
  process.kill(resting.child.pid!, 'SIGKILL');
  await resting.ended;
  await compute(request(1, 'e', mixture(4)), options(), pool);
  expect(pool.taken[4]!.child.pid).not.toBe(resting.child.pid);

  const stopped = AbortSignal.abort(new Error('Stop.'));
  await expect(compute(request(1, 'f', mixture(5)), { ...options(), signal: stopped }, pool)).rejects.toThrow(
    'Stop.',
  );
  expect(pool.taken).toHaveLength(5);
});

test('a stage that is stopped leaves its process warm, to others and to itself, and goes on from its checkpoint', async () => {
  const pool = new WatchedPool();
  const [data, train] = plans.find(({ name }) => name === 'mlp-hessian')!.cells[0]!.stages;
  const [other, calm] = ['stopped', 'calm'].map((name) => path.join(new URL(store.uri).pathname, name));
  const dataIn = async (storeUri: string, own: ProcessPool) => {
    const asked = { ...request(1, 'stop-data', data!.with), storeUri };
    return (await compute(asked, options(), own)).outputs;
  };
  // Long enough to be stopped in its middle.
  const trainingIn = (storeUri: string, { train: examples }: Awaited<ReturnType<typeof dataIn>>) => ({
    ...request(1, 'stop-train', { ...train!.with, data: examples, epochs: 600 }, 'train'),
    storeUri,
  });
  const cold = new ProcessPool();
  const whole = await compute(trainingIn(calm!, await dataIn(calm!, cold)), options(), cold);

  const stop = new AbortController();
  let reached = 0;
  const onProgress = ({ done, total }: Progress): void => {
    reached = done / total;
    stop.abort(new Error('Stop.'));
  };
  const outputs = await dataIn(other!, pool);
  const stopped = trainingIn(other!, outputs);
  await expect(compute(stopped, { ...options(), onProgress, signal: stop.signal }, pool)).rejects.toThrow(
    'Stop.',
  );
  expect(reached).toBeLessThan(1);
  const { child, state } = pool.taken.at(-1)!;
  expect(state).toMatchObject({ spent: false, holds: { tensors: 0 } });
  expect((await (await openLocalStore(other!)).checkpoint('stop-train').list()).length).toBeGreaterThan(0);

  expect(await dataIn(other!, pool)).toEqual(outputs);
  const again = await compute(stopped, options(), pool);
  expect(pool.taken.slice(-2).map((process) => process.child.pid)).toEqual([child.pid, child.pid]);
  const digests = (result: typeof again) => Object.values(result.outputs).map(({ sha256 }) => sha256);
  expect(digests(again)).toEqual(digests(whole));
});

test('other threads are another process, and so is another GPU', () => {
  const pool = new ProcessPool();
  const one = pool.take({ threads: 1, gpu: undefined }, 'train', none);
  pool.giveBack(one, { memory: 1e8, resources: 0, spent: false, sharing: 'operations' }, 'train');
  const others = [
    pool.take({ threads: 2, gpu: undefined }, 'train', none),
    pool.take({ threads: 1, gpu: '0' }, 'train', none),
    pool.take({ threads: 1, gpu: undefined }, 'train', new Set([one])),
  ];
  expect(others.map(({ child }) => child.pid)).not.toContain(one.child.pid);
  expect(pool.take({ threads: 1, gpu: undefined }, 'train', none).child.pid).toBe(one.child.pid);
  for (const { child } of [one, ...others]) child.kill('SIGKILL');
});

test('what cannot be done in a process, since its threads are shared otherwise, is done in another, and next time at once', async () => {
  const plan = smallPlans.find(({ name }) => name === 'custom-components')!;
  const cell = {
    ...plan.cells[0]!,
    stages: plan.cells[0]!.stages.map((stage) => ({ ...stage, resources: { threads: 2, gpu: 0 } })),
  };
  const pool = new WatchedPool();
  const taken: number[] = [];
  for (let round = 0; round < 2; round++) {
    for await (const _ of makeArtifacts({ ...plan, cells: [cell] }, store, true, () => pool));
    taken.push(pool.taken.length);
  }
  const sharings = new Set(pool.taken.map(({ state }) => state.sharing));
  expect(sharings).toEqual(new Set(['graphs', 'operations']));
  expect(new Set(pool.taken.map(({ child }) => child.pid)).size).toBe(2);
  // Three stages compute with TensorFlow, and one does without: the first round has tried some in vain, the second none.
  expect(taken[0]).toBeGreaterThan(cell.stages.length);
  expect(taken[1]! - taken[0]!).toBe(cell.stages.length);
});

test('a stage that asks for threads of two kinds fails: a new process is as good as any other', async () => {
  process.env.EPOCHAL_STAGE_MODULES = path.join(import.meta.dirname, '..', 'fixtures', 'stages');
  const pool = new WatchedPool();
  const withs = {
    how: 'threads',
    times: 9,
    log: path.relative(import.meta.dirname, path.join(new URL(store.uri).pathname, 'threads.log')),
  };
  await expect(compute(request(1, 'h', withs, 'faulty'), options(), pool)).rejects.toMatchObject({
    name: 'RangeError',
    message: expect.stringMatching(/runs with 1 threads in this process .*; 2 were asked for/),
  });
  expect(pool.taken).toHaveLength(1);
  delete process.env.EPOCHAL_STAGE_MODULES;
});

test('a worker of two stages at once has a process ready for the second, with TensorFlow loaded, when the first is taken', async () => {
  const pool = new WatchedPool({ atOnce: 2 });
  const settings = { threads: 1, gpu: undefined };
  const first = pool.take(settings, 'dataset', none);
  const second = pool.take(settings, 'train', none);
  expect(second.child.pid).not.toBe(first.child.pid);
  expect(second.stages).toBe(0);
  await until(async () => second.state.sharing !== undefined);
  expect(second.state).toMatchObject({ sharing: 'operations', holds: { tensors: 0, graphs: 0 } });
  // There are two, and no third one.
  pool.giveBack(first, { memory: 1e8, resources: 0, spent: false });
  pool.giveBack(second, second.state);
  const pids = [pool.take(settings, 'train', none), pool.take(settings, 'train', none)].map(
    ({ child }) => child.pid,
  );
  expect(new Set(pids)).toEqual(new Set([first, second].map(({ child }) => child.pid)));
  for (const { child } of [first, second]) child.kill('SIGKILL');
});

test('one that waits for a first stage does it as it would have done unprepared, and goes if none comes', async () => {
  const pool = new WatchedPool({ atOnce: 2, idleMs: 2000 });
  // Both are taken at once: the second while it loads TensorFlow.
  const both = await Promise.all(
    [1, 2].map((seed) => compute(request(1, `spare-${seed}`, mixture(seed)), options(), pool)),
  );
  expect(both.map(({ backend }) => backend.backend)).toEqual(['none', 'none']);
  const [first, second] = pool.taken.map(({ child }) => child.pid);
  expect(first).not.toBe(second);
  await until(async () => !isAlive(first!) && !isAlive(second!));
});

test('a process that does one stage after another grows by little, until it is replaced', async () => {
  const pool = new WatchedPool();
  const { outputs } = await compute(request(1, 'data', mixture(0)), options(), pool);
  const train = (seed: number) => ({
    ...{
      data: outputs.train,
      model: { name: 'mlp', hidden: [3], activation: 'tanh', initialization: 'he-normal' },
    },
    ...{ epochs: 2, batchSize: 5, optimizer: { name: 'sgd', learningRate: 0.1, momentum: 0, decay: 1 } },
    ...{ l2: 0, loss: 'cross-entropy', sampling: 'without-replacement', standardize: 'per-image', seed },
  });
  const memory: number[] = [];
  for (let stage = 0; stage < 90; stage++) {
    await compute(request(1, `mixture-${stage}`, mixture(stage)), options(), pool);
    await compute(request(1, `train-${stage}`, train(stage), 'train'), options(), pool);
    if (stage % 30 === 29) memory.push(pool.taken[0]!.state.memory);
  }
  expect(new Set(pool.taken.map(({ child }) => child.pid)).size).toBe(1);
  // A graph of each training that stayed would be 60 MB.
  expect(memory.at(-1)! - memory[0]!).toBeLessThan(50e6);
});

test('a process is replaced after a number of stages, and when it holds too much', () => {
  const pool = new ProcessPool({ mostStages: 20, idleMs: patiently });
  const settings = { threads: 1, gpu: undefined };
  const state = { memory: 1e8, resources: 0, spent: false };
  let process = pool.take(settings, 'train', none);
  const first = process.child.pid;
  for (let stage = 1; stage < 20; stage++) {
    pool.giveBack(process, state, 'train');
    process = pool.take(settings, 'train', none);
    expect(process.child.pid).toBe(first);
  }
  pool.giveBack(process, state, 'train');
  const second = pool.take(settings, 'train', none);
  expect(second.child.pid).not.toBe(first);
  pool.giveBack(second, { ...state, memory: 2e9 }, 'train');
  const third = pool.take(settings, 'train', none);
  expect(third.child.pid).not.toBe(second.child.pid);
  third.child.kill('SIGKILL');
});

test('an idle process goes after a while, and with its worker', async () => {
  const pool = new WatchedPool({ idleMs: 500 });
  await compute(request(1, 'g', mixture(6)), options(), pool);
  const pid = pool.taken[0]!.child.pid!;
  expect(isAlive(pid)).toBe(true);
  await until(async () => !isAlive(pid));
});
