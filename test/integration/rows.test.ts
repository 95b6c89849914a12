/** Small cells, which run one after another within one activity: whatever happens to one, it ends as it would have by itself. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStore } from '../../artifacts/store/open-store.ts';
import type { Plan, PlannedCell } from '../../compiler/plan.ts';
import { isAlive } from '../../runtime/server/server-process.ts';
import type { StudyEvent, StudyHandle } from '../../runtime/study/client.ts';
import type { CellResult, StudyResult } from '../../workflows/messages.ts';
import { type LocalStudies, openLocalStudies, until } from '../fixtures/local-study.ts';
import { plannedCell, plannedStage, planOf, resultOf } from '../fixtures/plans.ts';

let studies: LocalStudies;

/** It is in the store before: however busy the machine, it takes no time, and the cells after it are taken for small. */
const brief = chain(1);

beforeAll(async () => {
  studies = await openLocalStudies();
  await (await studies.start(planOf('brief', [brief]))).result();
});
afterAll(() => studies?.close());

function chain(seed: number): PlannedCell {
  return plannedCell(`seed=${seed}`, { seed }, [
    plannedStage('first', 'counter', { steps: 2, seed }),
    plannedStage('second', 'counter', { steps: 2, seed, from: resultOf('first') }, { needs: ['first'] }),
  ]);
}

function faulty(id: string, how: string, times: number): PlannedCell {
  const withs = { how, times, log: `${id}.log` };
  return plannedCell(id, { id }, [
    plannedStage('work', 'faulty', withs, { retry: { attempts: 2 } }),
    plannedStage('after', 'counter', { steps: 1, seed: 9, from: resultOf('work') }, { needs: ['work'] }),
    plannedStage('beside', 'counter', { steps: 1, seed: 8 }),
  ]);
}

async function attemptsOf(id: string): Promise<number> {
  return (await readFile(path.join(studies.home, `${id}.log`), 'utf8')).trim().split('\n').length;
}

/** Names of the activities that the study's workflow itself has scheduled, with their ids. */
async function activitiesOf(study: StudyHandle): Promise<string[]> {
  const { events } = await studies.client.workflow.getHandle(study.workflowId).fetchHistory();
  return events!.flatMap(({ activityTaskScheduledEventAttributes: scheduled }) =>
    scheduled ? [`${scheduled.activityType!.name} ${scheduled.activityId}`] : [],
  );
}

async function cellOf(study: StudyHandle, id: string): Promise<CellResult> {
  const store = await openStore(studies.storeUri());
  return JSON.parse((await store.readText(`studies/${study.studyId}/cells/${id}.json`))!) as CellResult;
}

/** Runs cells after one that is brief, at one place, and gives what was told of them. */
async function run(name: string, cells: readonly PlannedCell[], more: Partial<Plan> = {}) {
  const study = await studies.start(planOf(name, [brief, ...cells], { maxParallel: 1, ...more }));
  const told: StudyEvent[] = [];
  const followed = study.watch((event) => told.push(event)).follow(new AbortController().signal);
  const result: StudyResult = await study.result();
  await followed;
  const lines = told.flatMap((event) =>
    event.type === 'signal'
      ? [event.signal]
      : [`${event.cellId} ${event.type === 'cell' ? event.status : `${event.stage} ${event.end}`}`],
  );
  return { study, result, lines };
}

describe('small cells', () => {
  test('are one activity, are told of by stage and by cell, and leave what they leave by themselves', async () => {
    const seeds = [2, 3, 4, 5];
    const { study, result, lines } = await run('row', seeds.map(chain));
    expect(result).toMatchObject({ status: 'succeeded', stagesRun: 8, stagesReused: 2 });
    const rows = await activitiesOf(study);
    expect(rows[0]).toBe('runCells cells 1 to 4');
    // A busy machine may have more than one.
    expect(rows.every((activity) => activity.startsWith('runCells'))).toBe(true);
    expect(lines.slice(3)).toEqual(
      seeds.flatMap((seed) => [
        `seed=${seed} first done`,
        `seed=${seed} second done`,
        `seed=${seed} succeeded`,
      ]),
    );
    for (const seed of seeds) {
      const alone = await studies.start(planOf('alone', [chain(seed)]), {
        storeUri: studies.storeUri('other'),
      });
      await alone.result();
      const store = await openStore(studies.storeUri('other'));
      const text = await store.readText(`studies/${alone.studyId}/cells/seed=${seed}.json`);
      const digests = ({ stages }: CellResult) =>
        Object.entries(stages).map(([stage, { key, outputs }]) => [stage, key, outputs.result!.sha256]);
      expect(digests(await cellOf(study, `seed=${seed}`))).toEqual(digests(JSON.parse(text!) as CellResult));
    }
  });

  test('that fail are tried as often as they may, and cost their neighbours nothing', async () => {
    const cells = [chain(11), faulty('once', 'error', 1), faulty('always', 'error', 9), chain(12)];
    const { study, result, lines } = await run('failing', [...cells, faulty('wrong', 'input', 9)]);
    expect(result).toMatchObject({
      counts: { succeeded: 4, failed: 2, cancelled: 0 },
      failures: [
        { cellId: 'always', stage: 'work', type: 'RangeError', message: 'attempt 2 went wrong' },
        { cellId: 'wrong', stage: 'work', type: 'InputError', cure: 'Put them there.' },
      ],
    });
    expect(await attemptsOf('once')).toBe(2);
    expect(await attemptsOf('always')).toBe(2);
    expect(await attemptsOf('wrong')).toBe(1);
    // A busy machine may have more than one row of them.
    expect((await activitiesOf(study)).filter((activity) => !activity.startsWith('runCells'))).toEqual([
      'runStage work of once',
      'runStage after of once',
      'runStage work of always',
    ]);
    expect(Object.keys((await cellOf(study, 'always')).stages)).toEqual(['beside']);
    expect(lines.filter((line) => line.startsWith('once'))).toEqual([
      ...['once work failed', 'once beside done', 'once work done', 'once after done', 'once succeeded'],
    ]);
    expect(lines.filter((line) => line.startsWith('wrong'))).toEqual([
      ...['wrong work failed', 'wrong beside done', 'wrong failed'],
    ]);
  });

  test('whose compute process crashes go on by themselves', async () => {
    const { study, result } = await run('crashing', [chain(21), faulty('crash', 'crash', 2), chain(22)]);
    expect(result).toMatchObject({ status: 'succeeded', counts: { succeeded: 4 } });
    expect(await attemptsOf('crash')).toBe(3);
    expect(await activitiesOf(study)).toContain('runStage work of crash');
  });

  test('of which one gets no more memory have it tried alone', async () => {
    const { study, result } = await run('hungry', [chain(23), faulty('hungry', 'array', 1), chain(24)]);
    expect(result).toMatchObject({ status: 'succeeded', counts: { succeeded: 4 } });
    expect(await attemptsOf('hungry')).toBe(2);
    expect(await activitiesOf(study)).toContain('runStage work of hungry');
  });

  test('whose inputs are damaged have them made anew', async () => {
    const withs = { how: 'damage', times: 1, log: 'damage.log', from: resultOf('first') };
    const vandal = plannedCell('vandal', { id: 'vandal' }, [
      plannedStage('first', 'counter', { steps: 2, seed: 31 }),
      plannedStage('second', 'faulty', withs, { needs: ['first'] }),
    ]);
    const { study, result } = await run('vandals', [vandal, chain(32)]);
    expect(result).toMatchObject({ status: 'succeeded', failures: [] });
    const { stages } = await cellOf(study, 'vandal');
    expect(stages.first!.notes.join(' ')).toMatch(/damaged or gone; it was computed again/);
    expect(await attemptsOf('damage')).toBe(2);
  });

  test('that come after a failure are not begun in a study that fails fast', async () => {
    const wrong = faulty('fast', 'input', 9);
    const { result } = await run('fast', [wrong, ...[...Array(40).keys()].map((n) => chain(200 + n))], {
      failFast: true,
    });
    expect(result).toMatchObject({ status: 'failed', counts: { failed: 1 } });
    expect(result.counts.succeeded).toBeLessThan(41);
  });

  test('that prove to be large are run stage by stage, and those after them by themselves', async () => {
    studies.gate.hold('52-1');
    const study = await studies.start(planOf('grown', [brief, chain(52), chain(53)], { maxParallel: 1 }));
    const since = await until(async () => studies.gate.met('52-1') !== undefined && performance.now());
    // So long that no further stage is to begin in the row.
    await until(async () => performance.now() - since > 5500);
    studies.gate.release('52-1');
    expect((await study.result()).status).toBe('succeeded');
    expect(await activitiesOf(study)).toEqual([
      'runCells cells 1 to 2',
      'runStage second of seed=52',
      'runStage first of seed=53',
      'runStage second of seed=53',
    ]);
  });
});

describe('a row of cells', () => {
  test('that is stopped gives back what it was at, and goes on from there', async () => {
    studies.gate.hold('62-1');
    const plan = planOf('stopped', [brief, chain(61), chain(62), chain(63)], { maxParallel: 1 });
    const study = await studies.start(plan);
    await until(async () => studies.gate.met('62-1') !== undefined);
    expect(await study.progress()).toMatchObject({ running: [{ inRow: expect.any(Number) }] });
    const live = await until(async () => (await study.cells()).find(({ cellId }) => cellId === 'seed=62'));
    expect(live.stages.map(({ status }) => status)).toEqual(['running', 'waiting']);
    expect(live.live).toMatchObject([{ stage: 'first', attempt: 1 }]);
    await study.stop();
    studies.gate.release();
    expect(await study.progress()).toMatchObject({ paused: true, counts: { succeeded: 2 } });
    await study.resume();
    expect(await study.result()).toMatchObject({ status: 'succeeded', stagesRun: 6, stagesReused: 2 });
    expect((await cellOf(study, 'seed=62')).stages.first!.continued).toBe(true);
  });

  test('whose worker is killed is taken over, and what was recorded is not done again', async () => {
    studies.gate.hold('82-1');
    const cells = [brief, chain(81), chain(82), chain(83)];
    const study = await studies.start(planOf('killed', cells, { maxParallel: 1 }));
    const pid = await until(async () => studies.gate.met('82-1'));
    process.kill(studies.runtime.processes.worker!, 'SIGKILL');
    await until(async () => !isAlive(pid));
    studies.gate.release();
    const result = await study.result();
    expect(result).toMatchObject({ status: 'succeeded', counts: { succeeded: 4 } });
    const made = async (id: string) => {
      const store = await openStore(studies.storeUri());
      const { stages } = await cellOf(study, id);
      const steps = await store.readSteps(Object.values(stages).map(({ key }) => key));
      return steps.map((step) => step!.provenance.attempts);
    };
    // The attempt of the row that was killed has made the first cell, the next one the others.
    expect(await made('seed=81')).toEqual([1, 1]);
    expect(await made('seed=82')).toEqual([2, 2]);
    expect((await cellOf(study, 'seed=82')).stages.first!.continued).toBe(true);
  });

  test('that is cancelled counts what is done, and what it was at', async () => {
    studies.gate.hold('72-1');
    const study = await studies.start(
      planOf('cancelled', [brief, chain(71), chain(72), chain(73)], { maxParallel: 1 }),
    );
    await until(async () => studies.gate.met('72-1') !== undefined);
    await study.cancel();
    expect(await study.result()).toMatchObject({
      status: 'cancelled',
      counts: { succeeded: 2, failed: 0, cancelled: 1 },
    });
    studies.gate.release();
    expect((await cellOf(study, 'seed=72')).status).toBe('cancelled');
  });
});
