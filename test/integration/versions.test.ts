/** Workers of several releases at one server: who goes on with a study, and what it says when nobody does. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Client, Connection } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openStore } from '../../artifacts/store/open-store.ts';
import type { Plan } from '../../compiler/plan.ts';
import { findHome } from '../../runtime/home.ts';
import { rememberStore } from '../../runtime/seal/served-stores.ts';
import { type ServerHandle, startServer } from '../../runtime/server/server.ts';
import { isAtLeast } from '../../runtime/setup/versions.mjs';
import {
  connect,
  createClient,
  type StartStudyOptions,
  type StudyHandle,
  startStudy,
} from '../../runtime/study/client.ts';
import { type CellResult, workflowVersion } from '../../workflows/messages.ts';
import { copyBundledHome } from '../bundled-home.ts';
import { createGate, type Gate } from '../fixtures/gate.ts';
import { until } from '../fixtures/local-study.ts';
import { plannedCell, plannedCollect, plannedStage, planOf, resultOf } from '../fixtures/plans.ts';
import {
  makeRelease,
  type Release,
  type ReleaseCommand,
  reworded,
  startCommand,
  startWorker,
  stopWorker,
  thisRelease,
  withKindVersion,
  withWorkflowVersion,
} from '../fixtures/releases.ts';

let folder: string;
let home: string;
let server: ServerHandle;
let connection: Connection;
let client: Client;
let gate: Gate;
let environment: NodeJS.ProcessEnv;
let alike: Release;
let older: Release;
const workers: ReleaseCommand[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'epochal-test-'));
  home = copyBundledHome(path.join(folder, 'home'));
  gate = createGate(path.join(folder, 'gate'));
  const modules = path.join(import.meta.dirname, '..', 'fixtures', 'stages');
  environment = { ...gate.environment, EPOCHAL_STAGE_MODULES: modules };
  alike = makeRelease(path.join(folder, 'alike'), reworded);
  older = makeRelease(path.join(folder, 'older'), withWorkflowVersion(workflowVersion - 1));
  server = await startServer({ home: findHome(home) });
  connection = await connect(server);
  client = createClient(findHome(home), connection);
});
afterEach(async () => {
  gate.release();
  await Promise.all(workers.splice(0).map(stopWorker));
});
afterAll(async () => {
  await connection?.close();
  await server?.stop();
  await rm(folder, { recursive: true, force: true, maxRetries: 20 });
});

async function join(release: Release): Promise<ReleaseCommand> {
  const worker = await startWorker(release, home, environment);
  workers.push(worker);
  return worker;
}

async function leave(worker: ReleaseCommand): Promise<void> {
  workers.splice(workers.indexOf(worker), 1);
  await stopWorker(worker);
}

/** A server before 1.30 takes a worker that has stopped for one that is there, for a minute and a half. */
const isLeft = (study: StudyHandle) => until(async () => (await study.version())?.served === false);

const storeUri = (name: string) => pathToFileURL(path.join(folder, name)).href;

async function start(plan: Plan, more: Partial<StartStudyOptions> = {}): Promise<StudyHandle> {
  const options = { client, plan, storeUri: storeUri(plan.name), baseDirectory: home, command: [], ...more };
  await rememberStore(findHome(home), options.storeUri);
  return startStudy(options);
}

/** Cells of two stages; the first runs apart, some after that in the study's own workflow. */
const studyOf = (name: string, cells: number): Plan =>
  planOf(
    name,
    Array.from({ length: cells }, (_, index) => index + 1).map((seed) =>
      plannedCell(`seed=${seed}`, { seed }, [
        plannedStage('first', 'counter', { steps: 3, seed }),
        plannedStage('second', 'counter', { steps: 3, seed, from: resultOf('first') }, { needs: ['first'] }),
      ]),
    ),
    { maxParallel: 1, collect: [plannedCollect('sweep', 'second', ['seed'])] },
  );

/** Digests of all outputs of the cells. */
async function outputsOf({ studyId }: StudyHandle, { name, cells }: Plan) {
  const store = await openStore(storeUri(name));
  const texts = await Promise.all(
    cells.map(({ id }) => store.readText(`studies/${studyId}/cells/${id}.json`)),
  );
  return texts.map((text) => {
    const { stages } = JSON.parse(text!) as CellResult;
    return Object.values(stages).map(({ outputs }) => outputs.result!.sha256);
  });
}

/** Digests of the same study where nothing happens. */
async function undisturbed(plan: Plan) {
  const same = { ...plan, name: `${plan.name}-undisturbed` };
  const study = await start(same);
  expect((await study.result()).status).toBe('succeeded');
  return outputsOf(study, same);
}

/** The build ids that have made decisions of a workflow, in order and each once in a row. */
async function deciders(workflowId: string, runId?: string): Promise<string[]> {
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const all = (events ?? []).flatMap(
    (event) => event.workflowTaskCompletedEventAttributes?.deploymentVersion?.buildId ?? [],
  );
  return all.filter((buildId, index) => buildId !== all[index - 1]);
}

async function currentBuildId(): Promise<string | null | undefined> {
  const asked = { namespace: 'default', deploymentName: 'epochal' };
  const { workerDeploymentInfo } = await client.workflowService.describeWorkerDeployment(asked);
  return workerDeploymentInfo?.routingConfig?.currentDeploymentVersion?.buildId;
}

const isHeld = (point: string) => until(async () => gate.met(point) !== undefined);

describe('a worker of the next release', () => {
  test('joins in the middle of a study, which ends with its own; the next study is of the next release', async () => {
    const plan = studyOf('joined', 4);
    const old = await join(thisRelease);
    const before = await currentBuildId();
    gate.hold('1-2');
    const study = await start(plan);
    await isHeld('1-2');
    await join(alike);
    const after = await currentBuildId();
    expect(after).not.toBe(before);
    expect(await study.version()).toEqual({ buildId: before, served: true, replayable: true });
    gate.release();
    expect((await study.result()).status).toBe('succeeded');
    expect(await deciders(study.workflowId)).toEqual([before]);
    expect(await deciders(`${study.workflowId}/seed=1`)).toEqual([before]);

    await leave(old);
    expect(await outputsOf(study, plan)).toEqual(await undisturbed(plan));
    const next = await start(studyOf('afterwards', 1));
    expect((await next.result()).status).toBe('succeeded');
    expect(await deciders(next.workflowId)).toEqual([after]);
  });

  test('goes on with a study whose own workers are gone, where it can replay its history', async () => {
    const plan = studyOf('left', 4);
    const old = await join(alike);
    gate.hold('1-2');
    const study = await start(plan);
    await isHeld('1-2');
    const begun = await currentBuildId();
    await leave(old);
    await isLeft(study);
    expect(await study.version()).toEqual({ buildId: begun, served: false, replayable: true });
    const status = startCommand(thisRelease, ['status', study.studyId, '--store', storeUri('left')], home);
    await status.ended;
    expect(status.output()).toContain(`It waits for a worker of version ${begun}, and there is none.`);
    expect(status.output()).toContain('goes on with it: npx epochal worker');

    gate.release();
    await join(thisRelease);
    const own = await currentBuildId();
    expect((await study.result()).status).toBe('succeeded');
    expect(await deciders(study.workflowId)).toEqual([begun, own]);
    expect(await deciders(`${study.workflowId}/seed=1`)).toEqual([begun, own]);
    expect(await outputsOf(study, plan)).toEqual(await undisturbed(plan));
  });

  test('takes a long study over where its history is cut', async () => {
    const plan = studyOf('cut', 4);
    await join(thisRelease);
    const before = await currentBuildId();
    gate.hold('1-2');
    const study = await start(plan, { historyLimit: 5 });
    await isHeld('1-2');
    await join(alike);
    const after = await currentBuildId();
    gate.release();
    expect((await study.result()).status).toBe('succeeded');
    const { serverVersion } = await client.workflowService.getSystemInfo({});
    expect(await deciders(study.workflowId)).toEqual([isAtLeast(serverVersion, '1.31.0') ? after : before]);
    const { firstExecutionRunId } = (await client.workflow.getHandle(study.workflowId).fetchHistory())
      .events![0]!.workflowExecutionStartedEventAttributes!;
    expect(await deciders(study.workflowId, firstExecutionRunId!)).toEqual([before]);
    expect(await outputsOf(study, plan)).toEqual(await undisturbed(plan));
  });
});

describe('a study whose history this release cannot replay', () => {
  test('says what it waits for, and a command that begins it anew from its finished stages', async () => {
    const plan = studyOf('replaced', 3);
    const old = await join(older);
    gate.hold('2-2');
    const study = await start(plan);
    await isHeld('2-2');
    const begun = await currentBuildId();
    expect(begun).toMatch(`${workflowVersion - 1}-`);

    // It is not taken from the workers that can go on with it.
    await join(thisRelease);
    expect(await currentBuildId()).toMatch(`${workflowVersion}-`);
    const attached = await start(plan);
    expect(attached).toMatchObject({ attached: true, renewed: false });
    expect(await attached.version()).toEqual({ buildId: begun, served: true, replayable: false });

    const place = ['--store', storeUri(plan.name)];
    const follower = startCommand(thisRelease, ['retry', study.studyId, ...place], home, environment);
    await follower.until('already running');
    await leave(old);
    const waits = `It waits for a worker of version ${begun}, and there is none.`;
    await follower.until(waits);
    follower.child.kill('SIGINT');
    expect(await follower.ended).toBe(130);
    const status = startCommand(thisRelease, ['status', study.studyId, ...place], home);
    await status.ended;
    expect(status.output()).toContain(waits);
    expect(status.output()).toContain(`npx epochal retry ${study.studyId}`);
    gate.release();
    const retry = startCommand(thisRelease, ['retry', study.studyId, ...place], home, environment);
    expect([await retry.ended, retry.output()]).toEqual([0, expect.stringContaining('begun anew')]);
    expect(await deciders(study.workflowId)).toEqual([await currentBuildId()]);
    expect(await outputsOf(study, plan)).toEqual(await undisturbed(plan));
  });

  test('can be given up though nobody is left to do so', async () => {
    const old = await join(older);
    gate.hold('1-1');
    const study = await start(studyOf('given-up', 2));
    await isHeld('1-1');
    await leave(old);
    await isLeft(study);
    const cancel = startCommand(
      thisRelease,
      ['cancel', study.studyId, '--store', storeUri('given-up')],
      home,
    );
    expect([await cancel.ended, cancel.output()]).toEqual([0, expect.stringContaining('is given up')]);
    const { status } = await client.workflow.getHandle(study.workflowId).describe();
    expect(status.name).toBe('TERMINATED');
  });
});

test('a stage of a kind of another version waits for a worker that has it, and is computed by no other', async () => {
  const raised = makeRelease(path.join(folder, 'raised'), withKindVersion('dataset', 7));
  await join(thisRelease);
  const withs = { name: 'gaussian-mixture', examples: 20 };
  const outputs = { train: 'dataset', test: 'dataset' } as const;
  const stage = plannedStage('data', 'dataset', withs, { version: 7, outputs });
  const study = await start(planOf('kinds', [plannedCell('seed=1', { seed: 1 }, [stage])]));
  const refused = await until(async () => {
    const cell = client.workflow.getHandle(`${study.workflowId}/seed=1`);
    const told = await cell.describe().catch(() => undefined);
    return told?.raw.pendingActivities?.find(({ attempt }) => (attempt ?? 0) > 1)?.lastFailure;
  });
  expect(refused?.applicationFailureInfo?.type).toBe('OtherVersionError');
  expect(refused?.message).toContain(
    'The plan asks for version 7 of `dataset`; this worker computes version 1.',
  );
  await join(raised);
  expect(await study.result()).toMatchObject({ status: 'succeeded', stagesRun: 1 });
});
