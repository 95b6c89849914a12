import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStore } from '../../artifacts/store/open-store.ts';
import { findHome } from '../../runtime/home.ts';
import { startServer } from '../../runtime/server/server.ts';
import { connect, createClient, startStudy, studyIdOf } from '../../runtime/study/client.ts';
import { listOpenStudies } from '../../runtime/study/open-studies.ts';
import { type Attacker, preciousFile, startAttacker } from '../fixtures/attack.ts';
import { type LocalStudies, openLocalStudies, until } from '../fixtures/local-study.ts';
import { plannedCell, plannedStage, planOf } from '../fixtures/plans.ts';

const refused = { type: 'RefusedError', failure: expect.stringContaining('not sealed') };

let studies: LocalStudies;
let attacker: Attacker;
let precious: ReturnType<typeof preciousFile>;
let storeUri: string;

beforeAll(async () => {
  studies = await openLocalStudies({ concurrency: 2 });
  storeUri = studies.storeUri();
  precious = preciousFile(path.join(studies.home, 'precious'), fileURLToPath(storeUri));
  attacker = await startAttacker(studies.runtime.place.address);
});
afterAll(async () => {
  attacker?.stop();
  await studies?.close();
});

/** Each has a step of its own: equal ones would wait for each other. */
const slowPlan = (name: string) => {
  const withs = { steps: 2, seed: name.length, name };
  return planOf(name, [plannedCell('main', {}, [plannedStage('slow', 'counter', withs)])]);
};

/** A study whose only stage runs for as long as it is let. */
async function startSlowStudy(name: string) {
  studies.gate.hold(`${name.length}-1`);
  const study = await studies.start(slowPlan(name));
  await until(async () => ((await study.cells())[0]?.live[0]?.done ?? 0) > 0);
  const cell = `${study.workflowId}/main`;
  return { study, cell, activityId: (await attacker.try('pending', { id: cell })) as string };
}

test.runIf(process.getuid?.() === 0)('the attacker has no right to the file', async () => {
  expect(await attacker.try('write', { file: precious.file })).toBe('EACCES');
});

describe('an order without a seal is refused, and nothing is written:', () => {
  const forgedCell = () => {
    const cell = { id: precious.cellId, axes: {}, params: {}, stages: [] };
    return { studyId: 'x', storeUri, baseDirectory: '/', cell };
  };

  test('a cell with a path for an id', async () => {
    const ended = await attacker.try('start', { type: 'cell', id: 'a-cell', args: [forgedCell()] });
    expect(precious.contents()).toBe('precious');
    expect(ended).toMatchObject({ ...refused, taskCount: 1 });
  });

  test('a study with a forged plan, in a store of its own', async () => {
    const uri = studies.storeUri('of-the-attacker');
    const plan = planOf('forged', [
      plannedCell('main', {}, [plannedStage('work', 'counter', { steps: 1, seed: 1 })]),
    ]);
    const name = 'studies/forged-0123456789/plan.json';
    await (await openStore(uri)).writeText(name, JSON.stringify(plan));
    const input = {
      storeUri: uri,
      baseDirectory: '/',
      cells: 1,
      maxParallel: 1,
      failFast: false,
      minSuccess: 1,
    };
    const args = [{ studyId: 'forged-0123456789', planName: name, ...input }];
    const ended = await attacker.try('start', { type: 'study', id: 'epochal-forged-0123456789', args });
    expect(await (await openStore(uri)).listTexts('studies')).toEqual([name]);
    expect(existsSync(path.join(fileURLToPath(uri), 'artifacts'))).toBe(false);
    expect(ended).toMatchObject({ ...refused, taskCount: 1 });
  });

  test('a workflow without arguments, and one that does not exist', async () => {
    expect(await attacker.try('start', { type: 'study', id: 'a-nothing', args: [] })).toMatchObject(refused);
    expect(await attacker.try('start', { type: 'none', id: 'a-none', args: [1] })).toMatchObject({
      ...refused,
      taskCount: 1,
    });
  });

  test('the record of a cell, straight to its activity', async () => {
    const result = { cellId: precious.cellId, status: 'succeeded', stages: {} };
    const args = [{ storeUri, studyId: 'x', result }];
    const ended = await attacker.try('activity', { type: 'writeCellResult', queue: 'epochal', args });
    expect(precious.contents()).toBe('precious');
    expect(ended).toMatchObject(refused);
  });

  test('the result of a study, and a stage', async () => {
    const uri = studies.storeUri('never-named');
    const result = {
      studyId: `../${path.relative(fileURLToPath(uri), path.dirname(precious.file))}`,
      status: 'succeeded',
    };
    const record = { type: 'writeStudyResult', queue: 'epochal', args: [{ storeUri: uri, result }] };
    expect(await attacker.try('activity', record)).toMatchObject(refused);
    const stage = plannedStage('work', 'counter', { steps: 1, seed: 1 });
    const task = { studyId: 'x', cellId: 'y', storeUri: uri, baseDirectory: '/', stage, available: {} };
    expect(
      await attacker.try('activity', { type: 'runStage', queue: 'epochal-cpu', args: [task] }),
    ).toMatchObject(refused);
    expect(existsSync(fileURLToPath(uri))).toBe(false);
    expect(await readdir(path.dirname(precious.file))).toEqual(['package.json']);
  });
});

describe('of a study that runs', () => {
  test('a signal is not heard', async () => {
    const { study, cell } = await startSlowStudy('signalled');
    for (const args of [[], ['pause'], [{ signal: 'pause' }]]) {
      await attacker.try('signal', { id: study.workflowId, name: 'pause', args });
      await attacker.try('signal', { id: cell, name: 'pause', args });
    }
    expect((await study.progress()).paused).toBe(false);
    // One that was sealed for the study, under the name of another.
    await study.resume();
    const { signals } = await attacker.try('read', { id: study.workflowId });
    expect(signals.resume).toHaveLength(1);
    await attacker.try('signal', { id: study.workflowId, name: 'pause', args: signals.resume });
    expect((await study.progress()).paused).toBe(false);
    await study.cancel();
    await study.result();
  });

  test('a heartbeat is not shown', async () => {
    const { study, cell, activityId } = await startSlowStudy('beaten');
    const details = { stage: 'slow', done: 666, total: 666, unit: 'lies', elapsedMs: 0, from: 0 };
    for (let times = 0; times < 20; times++) {
      await attacker.try('heartbeat', { id: cell, activityId, details });
      const live = (await study.cells()).flatMap((shown) => shown.live);
      expect(live.filter(({ done }) => done === 666)).toEqual([]);
    }
    await study.cancel();
    await study.result();
  });

  test.each(['belied', 'unsaid'])('a result is not believed, %s', async (name) => {
    const { study, cell, activityId } = await startSlowStudy(name);
    const result = { uri: 'file:///etc/passwd', sha256: '../../../etc/passwd', kind: 'evaluation', bytes: 1 };
    const value = { key: '0'.repeat(64), outputs: { result }, reused: true, seconds: 0, notes: [] };
    const forged = name === 'belied' ? { to: 'slow', value, ...value } : undefined;
    await attacker.try('complete', { id: cell, activityId, result: forged });
    expect(await study.result()).toMatchObject({
      status: 'failed',
      failures: [{ stage: 'slow', type: 'RefusedError', message: expect.stringContaining('not sealed') }],
    });
    const record = path.join(fileURLToPath(storeUri), 'studies', study.studyId, 'cells', 'main.json');
    expect(await readFile(record, 'utf8')).not.toContain('passwd');
  });

  test('messages that were copied from its history serve for nothing else', async () => {
    const plan = planOf('copied', [
      plannedCell('main', {}, [plannedStage('work', 'counter', { steps: 1, seed: 8 })]),
    ]);
    const study = await studies.start(plan);
    await study.result();
    const cell = await attacker.try('read', { id: `${study.workflowId}/main` });
    const whole = await attacker.try('read', { id: study.workflowId });
    const start = (type: string, id: string, args: unknown[]) => attacker.try('start', { type, id, args });
    expect(await start('cell', 'a-copy', cell.workflow)).toMatchObject(refused);
    expect(await start('study', 'a-copy-too', whole.workflow)).toMatchObject(refused);
    // Under its own name, but not as the child of its study; and as another kind of workflow.
    const stranger = { type: 'RefusedError', failure: expect.stringMatching(/^This is not the workflow of/) };
    expect(await start('cell', `${study.workflowId}/main`, cell.workflow)).toMatchObject(stranger);
    expect(await start('cell', study.workflowId, whole.workflow)).toMatchObject({ type: 'RefusedError' });
    expect(await start('study', `${study.workflowId}/main`, cell.workflow)).toMatchObject(stranger);
    for (const [type, args] of Object.entries(cell.activities)) {
      const queue = type === 'runStage' ? 'epochal-cpu' : 'epochal';
      expect(await attacker.try('activity', { type, queue, args })).toMatchObject(refused);
    }
    const [{ metadata, data }] = cell.activities.runStage;
    const changed = Buffer.from(Buffer.from(data).toString().replace('"main"', `"${precious.cellId}"`));
    const args = [{ metadata, data: changed }];
    expect(await attacker.try('activity', { type: 'writeCellResult', queue: 'epochal', args })).toMatchObject(
      refused,
    );
    expect(precious.contents()).toBe('precious');
  });
});

test.each(['unnamed', 'named'])(
  'something that has taken the name of a study, %s, is told, not waited for',
  async (name) => {
    const plan = slowPlan(`squatted-${name}`);
    const studyId = studyIdOf(plan);
    const memo = name === 'named' ? { study: studyId, store: storeUri } : {};
    const squatter = { type: 'study', id: `epochal-${studyId}`, args: [{}], queue: 'of-nobody', memo };
    await attacker.try('start', squatter);
    await expect(studies.start(plan)).rejects.toMatchObject({
      name: 'EnvironmentError',
      message: expect.stringContaining('no study of this home'),
    });
  },
);

test('a study without a seal is not listed among those that are open, and hides none', async () => {
  const stranger = { type: 'study', args: [{}], queue: 'of-nobody', memo: { study: 'of-nobody' } };
  await attacker.try('start', { ...stranger, id: 'epochal-of-nobody-1' });
  const { study } = await startSlowStudy('seen');
  await attacker.try('start', { ...stranger, id: 'epochal-of-nobody-2' });
  const listed = await until(async () => {
    const { count } = await studies.client.workflow.count(`WorkflowId = 'epochal-of-nobody-2'`);
    const open = await listOpenStudies(studies.client, 'none');
    return count === 1 && open.length > 0 && open.map(({ studyId }) => studyId);
  });
  expect(listed).toEqual([study.studyId]);
  await study.cancel();
  await study.result();
});

test('a result that a worker without the key has given is not believed', async () => {
  const home = findHome(await mkdtemp(path.join(tmpdir(), 'epochal-test-')));
  const server = await startServer({ home });
  const other = await startAttacker(server.address);
  const connection = await connect(server);
  try {
    const client = createClient(home, connection);
    const plan = slowPlan('usurped');
    const study = await startStudy({
      client,
      plan,
      storeUri: home.store,
      baseDirectory: home.folder,
      command: [],
    });
    const result = {
      studyId: study.studyId,
      status: 'succeeded',
      counts: { succeeded: 1, failed: 0, cancelled: 0 },
    };
    await other.try('conclude', { id: study.workflowId, result });
    await expect(study.result()).rejects.toMatchObject({
      name: 'RefusedError',
      cure: expect.stringContaining('--key-file'),
    });
  } finally {
    other.stop();
    await connection.close();
    await server.stop();
    await rm(home.folder, { recursive: true, force: true, maxRetries: 20 });
  }
});

describe('what its own users are told', () => {
  const plan = (name: string) =>
    planOf(name, [plannedCell('main', {}, [plannedStage('work', 'counter', { steps: 1, seed: 1 })])]);

  test('a study that is sealed with another key fails at once with that reason', async () => {
    const elsewhere = findHome(path.join(studies.home, 'elsewhere'));
    const connection = await connect(studies.runtime.place);
    const client = createClient(elsewhere, connection);
    const study = await startStudy({
      client,
      plan: plan('foreign'),
      storeUri,
      baseDirectory: '/',
      command: [],
    });
    await expect(study.result()).rejects.toMatchObject({
      message: expect.stringContaining('not sealed'),
      cure: expect.stringContaining('--key-file'),
    });
    await connection.close();
  });

  test('a store that the worker was not started for is refused', async () => {
    const uri = pathToFileURL(path.join(studies.home, 'unknown-store')).href;
    const { client } = studies;
    const study = await startStudy({
      client,
      plan: plan('unserved'),
      storeUri: uri,
      baseDirectory: '/',
      command: [],
    });
    expect(await study.result()).toMatchObject({
      status: 'failed',
      failures: [
        { type: 'RefusedError', message: expect.stringContaining('not started for the store') },
        { type: 'RefusedError' },
      ],
    });
  });

  test('after all that, a study runs as ever', async () => {
    expect(await (await studies.start(plan('unharmed'))).result()).toMatchObject({ status: 'succeeded' });
  });
});
