import { existsSync } from 'node:fs';
import { readFile, truncate } from 'node:fs/promises';
import path from 'node:path';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { countGpus } from '../../activities/processes/gpus.ts';
import { openStore } from '../../artifacts/store/open-store.ts';
import type { PlannedCell } from '../../compiler/plan.ts';
import { findHome } from '../../runtime/home.ts';
import { readKey } from '../../runtime/seal/home-key.ts';
import { sealingCodec } from '../../runtime/seal/sealing-codec.ts';
import { isAlive } from '../../runtime/server/server-process.ts';
import { studyIdOf } from '../../runtime/study/client.ts';
import { bundleWorkflows } from '../../runtime/workers/workflow-bundle.ts';
import type { CellResult, StudyResult } from '../../workflows/messages.ts';
import { type LocalStudies, openLocalStudies, until } from '../fixtures/local-study.ts';
import { plannedCell, plannedCollect, plannedStage, planOf, resultOf } from '../fixtures/plans.ts';
import { descendants } from '../fixtures/processes.ts';

let studies: LocalStudies;

beforeAll(async () => {
  studies = await openLocalStudies();
});
afterAll(() => studies?.close());

/** Two stages in a row, so that the second needs the first. */
function chain(seed: number, steps = 3): PlannedCell {
  return plannedCell(`seed=${seed}`, { seed }, [
    plannedStage('first', 'counter', { steps, seed }),
    plannedStage('second', 'counter', { steps, seed, from: resultOf('first') }, { needs: ['first'] }),
  ]);
}

function faultyCell(id: string, how: string, times: number): PlannedCell {
  return plannedCell(id, { id }, [
    plannedStage('work', 'faulty', { how, times, log: `${id}.log` }, { retry: { attempts: 2 } }),
  ]);
}

async function attemptsOf(id: string): Promise<number> {
  return (await readFile(path.join(studies.home, `${id}.log`), 'utf8')).trim().split('\n').length;
}

async function hasHeard(workflowId: string, signal: string): Promise<boolean> {
  const { events } = await studies.client.workflow.getHandle(workflowId).fetchHistory();
  return (
    events?.some((event) => event.workflowExecutionSignaledEventAttributes?.signalName === signal) ?? false
  );
}

async function readRecord<T>(name: string): Promise<T> {
  return JSON.parse((await (await openStore(studies.storeUri())).readText(name)) ?? 'null') as T;
}

describe('a study', () => {
  test('runs its cells and collects over them; launched again it reuses every stage', async () => {
    const plan = planOf('chains', [chain(2), chain(1)], {
      collect: [plannedCollect('sweep', 'second', ['seed'])],
    });
    const first = await studies.start(plan);
    expect(first).toMatchObject({
      attached: false,
      studyId: studyIdOf(plan),
      workflowId: `epochal-${studyIdOf(plan)}`,
    });
    const result = await first.result();
    expect(result).toMatchObject({
      status: 'succeeded',
      counts: { succeeded: 2, failed: 0, cancelled: 0 },
      stagesRun: 5,
      stagesReused: 0,
      failures: [],
    });
    expect(await readRecord<StudyResult>(`studies/${first.studyId}/result.json`)).toEqual(result);
    const cell = await readRecord<CellResult>(`studies/${first.studyId}/cells/seed=1.json`);
    expect(cell.status).toBe('succeeded');

    const store = await openStore(studies.storeUri());
    const collection = await store.open(result.collect.sweep!.outputs.table!);
    expect([...collection.numbers('seed')]).toEqual([2, 1]);
    expect(collection.strings('cell')).toEqual(['seed=2', 'seed=1']);
    const last = await store.open(cell.stages.second!.outputs.result!);
    expect(collection.numbers('loss')[1]).toBe(last.numbers('loss')[0]);
    expect(last.metadata).toMatchObject({
      'epochal.kind': 'evaluation',
      'epochal.stage': 'counter',
      'epochal.key': cell.stages.second!.key,
      'epochal.inputs': JSON.stringify({ from: cell.stages.first!.outputs.result!.sha256 }),
      'epochal.version': '1',
    });

    const again = await (await studies.start(plan)).result();
    expect(again).toMatchObject({ status: 'succeeded', stagesRun: 0, stagesReused: 5 });
    expect(again.collect.sweep!.outputs).toEqual(result.collect.sweep!.outputs);
  });

  test('has one store, though its worker has another working directory than who named it', async () => {
    const before = process.cwd();
    const plan = planOf('relative', [chain(35)]);
    process.chdir(studies.home);
    try {
      const study = await studies.start(plan, { storeUri: 'kept/here' });
      expect((await study.result()).status).toBe('succeeded');
      const kept = await openStore(path.join(studies.home, 'kept', 'here'));
      const text = await kept.readText(`studies/${study.studyId}/cells/seed=35.json`);
      const { stages } = JSON.parse(text!) as CellResult;
      expect(await kept.verify(stages.second!.outputs.result!)).toBe(true);
      expect(existsSync(path.join(before, 'kept'))).toBe(false);
    } finally {
      process.chdir(before);
    }
  });

  test('has a history that the code of today replays', async () => {
    const plan = planOf('replayed', [chain(31)]);
    const study = await studies.start(plan);
    await study.result();
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    const dataConverter = {
      payloadCodecs: [sealingCodec(readKey(findHome(studies.home)), 'mark')],
    };
    const workflowBundle = await bundleWorkflows(findHome(studies.home));
    for (const workflowId of [study.workflowId, `${study.workflowId}/seed=31`]) {
      const history = await studies.client.workflow.getHandle(workflowId).fetchHistory();
      await Worker.runReplayHistory({ workflowBundle, dataConverter }, history, workflowId);
    }
  });

  test('computes a step once that several cells share', async () => {
    const stage = plannedStage('work', 'counter', { steps: 2, seed: 77 });
    studies.gate.hold('77-1');
    const study = await studies.start(
      planOf(
        'shared',
        [1, 2, 3].map((copy) => plannedCell(`copy=${copy}`, { copy }, [stage])),
      ),
    );
    await until(async () => {
      const begun = (await study.cells()).filter(({ stages }) => stages[0]?.status === 'running');
      return begun.length === 3;
    });
    studies.gate.release();
    expect(await study.result()).toMatchObject({ stagesRun: 1, stagesReused: 2 });
  });

  test('goes on with the same artifacts after one was damaged', async () => {
    const plan = planOf('damaged', [chain(41)]);
    const study = await studies.start(plan);
    await study.result();
    const name = `studies/${study.studyId}/cells/seed=41.json`;
    const before = await readRecord<CellResult>(name);
    await truncate(new URL(before.stages.first!.outputs.result!.uri), 100);
    const again = await (await studies.start(plan)).result();
    expect(again).toMatchObject({ status: 'succeeded', stagesRun: 1, stagesReused: 1 });
    const after = await readRecord<CellResult>(name);
    expect(after.stages.first!.outputs).toEqual(before.stages.first!.outputs);
    expect(after.stages.first!.notes.join(' ')).toMatch(/damaged or gone; it was computed again/);
  });

  test('computes on the CPU what asked for a GPU that is not there, and says so', async () => {
    const stage = plannedStage(
      'work',
      'counter',
      { steps: 1, seed: 5 },
      { resources: { threads: 1, gpu: 1 } },
    );
    // Whether it is computed, or was before.
    for (const reused of [0, 1]) {
      const study = await studies.start(planOf('gpu', [plannedCell('main', {}, [stage])]));
      expect(await study.result()).toMatchObject({ status: 'succeeded', stagesReused: reused });
      const { stages } = await readRecord<CellResult>(`studies/${study.studyId}/cells/main.json`);
      expect(stages.work!.notes.join()).toMatch(
        countGpus() > 0 ? /^$/ : /1 GPU was asked for; this machine has none/,
      );
    }
  });

  test('of 120 cells is cut into several short histories', async () => {
    const stage = plannedStage('work', 'counter', { steps: 1, seed: 300 });
    const cells = Array.from({ length: 120 }, (_, n) => plannedCell(`n=${n}`, { n }, [stage]));
    const study = await studies.start(planOf('many', cells, { maxParallel: 20 }), { historyLimit: 200 });
    expect(await study.result()).toMatchObject({
      status: 'succeeded',
      counts: { succeeded: 120, failed: 0, cancelled: 0 },
      stagesRun: 1,
      stagesReused: 119,
    });
    const { events } = await studies.client.workflow.getHandle(study.workflowId).fetchHistory();
    expect(events!.length).toBeLessThan(600);
    expect(events![0]!.workflowExecutionStartedEventAttributes!.continuedExecutionRunId).not.toBe('');
  });
});

describe('a failing stage', () => {
  test('of wrong input fails its cell at once and says what to do', async () => {
    const result = await (await studies.start(planOf('input', [faultyCell('input', 'input', 9)]))).result();
    expect(result).toMatchObject({
      status: 'failed',
      counts: { succeeded: 0, failed: 1, cancelled: 0 },
      failures: [
        {
          cellId: 'input',
          stage: 'work',
          type: 'InputError',
          message: 'The data are not there.',
          cure: 'Put them there.',
        },
      ],
    });
    expect(await attemptsOf('input')).toBe(1);
  });

  test('is tried as often as `retry.attempts` says', async () => {
    const plan = planOf('errors', [
      faultyCell('error-once', 'error', 1),
      faultyCell('error-always', 'error', 9),
    ]);
    const result = await (await studies.start(plan)).result();
    expect(result).toMatchObject({
      status: 'failed',
      counts: { succeeded: 1, failed: 1 },
      failures: [{ cellId: 'error-always', type: 'RangeError', message: 'attempt 2 went wrong' }],
    });
    expect(await attemptsOf('error-once')).toBe(2);
    expect(await attemptsOf('error-always')).toBe(2);
  });

  test('that would fail again in the same way is not tried again: a run that diverges', async () => {
    const withs = {
      ...{ loss: { name: 'quadratic', eigenvalues: [1] }, noise: { name: 'none' }, start: [1] },
      ...{ learningRate: 1e9, momentum: 0, examples: 1000, batchSize: 10, sampling: 'sequential' },
      ...{ epochs: 1, warmup: 0, seed: 1 },
    };
    const stage = plannedStage('work', 'toy', withs, { outputs: { series: 'series' } });
    const study = await studies.start(planOf('diverges', [plannedCell('main', {}, [stage])]));
    expect((await study.result()).failures).toMatchObject([
      { type: 'ToyDivergedError', message: expect.stringContaining('not finite at step'), stage: 'work' },
    ]);
    const cell = studies.client.workflow.getHandle(`${study.workflowId}/main`);
    const { events } = await cell.fetchHistory();
    const scheduled = events!.map((event) => event.activityTaskScheduledEventAttributes?.activityType?.name);
    expect(scheduled.filter((name) => name === 'runStage')).toHaveLength(1);
  });

  test('that crashes its compute process is tried more often', async () => {
    const result = await (await studies.start(planOf('crashes', [faultyCell('crash', 'crash', 3)]))).result();
    expect(result.status).toBe('succeeded');
    expect(await attemptsOf('crash')).toBe(4);
  });

  test('whose input is damaged meanwhile has it made anew', async () => {
    const withs = { how: 'damage', times: 1, log: 'damage.log', from: resultOf('first') };
    const stages = [
      plannedStage('first', 'counter', { steps: 2, seed: 43 }),
      plannedStage('second', 'faulty', withs, { needs: ['first'] }),
    ];
    const study = await studies.start(planOf('vandal', [plannedCell('main', {}, stages)]));
    expect(await study.result()).toMatchObject({ status: 'succeeded', failures: [] });
    const cell = await readRecord<CellResult>(`studies/${study.studyId}/cells/main.json`);
    expect(cell.stages.first!.notes.join(' ')).toMatch(/damaged or gone; it was computed again/);
    expect(await attemptsOf('damage')).toBe(2);
  });

  test('that outlives its time limit is stopped, though it does not listen', async () => {
    const stage = plannedStage(
      'work',
      'faulty',
      { how: 'deaf', times: 9, log: 'deaf.log' },
      // Long enough to become deaf.
      { timeoutMs: 10_000, retry: { attempts: 1 } },
    );
    const result = await (await studies.start(planOf('late', [plannedCell('main', {}, [stage])]))).result();
    expect(result.failures[0]).toMatchObject({
      type: 'StageTimeoutError',
      message: expect.stringContaining('10 s'),
    });
    const worker = studies.runtime.processes.worker!;
    await expect.poll(() => descendants(worker, /compute-process/)).toEqual([]);
  });

  test('leaves the study a success if enough cells succeed', async () => {
    const cells = [chain(51), chain(52), faultyCell('tolerated', 'input', 9)];
    const plan = planOf('enough', cells, {
      minSuccess: 0.6,
      collect: [plannedCollect('sweep', 'second', ['seed'])],
    });
    const result = await (await studies.start(plan)).result();
    expect(result).toMatchObject({ status: 'succeeded', counts: { succeeded: 2, failed: 1 } });
    expect(result.collect.sweep!.notes).toEqual(['Without 1 of 3 cells: tolerated.']);
  });

  test('stops a study that fails fast', async () => {
    const slow = [61, 62, 63].map((seed) => chain(seed));
    for (const seed of [61, 62, 63]) studies.gate.hold(`${seed}-1`);
    const plan = planOf('fast', [slow[0]!, faultyCell('stopper', 'input', 9), slow[1]!, slow[2]!], {
      failFast: true,
      maxParallel: 2,
    });
    const result = await (await studies.start(plan)).result();
    studies.gate.release();
    expect(result).toMatchObject({ status: 'failed', counts: { succeeded: 0, failed: 1 } });
    expect(result.counts.cancelled).toBeLessThanOrEqual(2);
  });
});

describe('a running study', () => {
  test('of another version is ended and begun anew', async () => {
    const plan = planOf('of-before', [chain(91)]);
    const studyId = studyIdOf(plan);
    const before = await studies.client.workflow.start('study', {
      workflowId: `epochal-${studyId}`,
      taskQueue: 'of-nobody',
      args: [{}],
      memo: { pipeline: plan.name, study: studyId, store: studies.storeUri(), version: 1 },
    });
    const study = await studies.start(plan);
    expect(study).toMatchObject({ studyId, attached: false, renewed: true });
    expect(await study.result()).toMatchObject({ status: 'succeeded', stagesRun: 2 });
    const { firstExecutionRunId } = before;
    const ended = studies.client.workflow.getHandle(study.workflowId, firstExecutionRunId).describe();
    expect((await ended).status.name).toBe('TERMINATED');
    expect((await studies.start(plan)).renewed).toBe(false);
  });

  test('tells how far it is, pauses, resumes and is attached to', async () => {
    const plan = planOf('controlled', [chain(71, 30), chain(72)], { maxParallel: 1 });
    studies.gate.hold(3);
    const study = await studies.start(plan);
    const [cell] = await until(async () => {
      const cells = await study.cells();
      return (cells[0]?.live[0]?.done ?? 0) > 0 && cells;
    });
    expect(cell).toMatchObject({
      cellId: 'seed=71',
      stages: [
        { name: 'first', status: 'running' },
        { name: 'second', status: 'waiting' },
      ],
      live: [{ stage: 'first', total: 30, unit: 'steps', attempt: 1 }],
    });
    await study.pause();
    await until(() => hasHeard(`${study.workflowId}/seed=71`, 'pause'));
    studies.gate.release();
    await until(async () => (await study.cells())[0]?.stages[0]?.status === 'done');
    expect((await study.cells())[0]!.stages[1]!.status).toBe('waiting');
    expect(await study.progress()).toMatchObject({
      paused: true,
      phase: 'cells',
      running: [{ cellId: 'seed=71' }],
    });

    const other = await studies.start(plan);
    expect(other.attached).toBe(true);
    await expect(studies.start(plan, { storeUri: studies.storeUri('elsewhere') })).rejects.toThrow(
      /writes to/,
    );
    await other.resume();
    expect(await other.result()).toMatchObject({ status: 'succeeded', stagesRun: 4 });
    expect(await study.progress()).toMatchObject({ counts: { succeeded: 2 }, running: [], phase: 'done' });
  });

  test('is cancelled with its compute processes, and goes on from the checkpoint when launched again', async () => {
    const plan = planOf('cancelled', [chain(81, 40)]);
    studies.gate.hold(4);
    const study = await studies.start(plan);
    const live = await until(async () => (await study.cells())[0]?.live.find((stage) => stage.done > 3));
    const pid = Number(live.message!.replace('process ', ''));
    await study.cancel();
    expect(await study.result()).toMatchObject({
      status: 'cancelled',
      counts: { succeeded: 0, failed: 0, cancelled: 1 },
    });
    await expect.poll(() => isAlive(pid)).toBe(false);
    studies.gate.release();
    const { status } = await studies.client.workflow.getHandle(study.workflowId).describe();
    expect(status.name).toBe('CANCELLED');

    const again = await studies.start(plan);
    expect(again.attached).toBe(false);
    expect((await again.result()).status).toBe('succeeded');
    const cell = await readRecord<CellResult>(`studies/${study.studyId}/cells/seed=81.json`);
    expect(cell.stages.first!.notes[0]).toMatch(/^continued from step \d+$/);
  });
});
