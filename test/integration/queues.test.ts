/** Queues of the user's own: which workers take what, what may share a row, and what is said where nobody serves one. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeQueued } from '../../cli/progress/stage-lines.ts';
import type { PlannedCell } from '../../compiler/plan.ts';
import { findHome } from '../../runtime/home.ts';
import type { StudyHandle } from '../../runtime/study/client.ts';
import { startRuntime } from '../../runtime/workers/supervisor.ts';
import { type LocalStudies, openLocalStudies, until } from '../fixtures/local-study.ts';
import { plannedCell, plannedCollect, plannedStage, planOf, resultOf } from '../fixtures/plans.ts';

let studies: LocalStudies;

beforeAll(async () => {
  studies = await openLocalStudies({ queues: ['big'] });
});
afterAll(() => studies?.close());

const on = (queue?: string) => ({
  resources: { threads: 1, gpu: 0, ...(queue === undefined ? {} : { queue }) },
});

function chain(seed: number, first?: string, second = first): PlannedCell {
  return plannedCell(`seed=${seed}`, { seed }, [
    plannedStage('first', 'counter', { steps: 1, seed }, on(first)),
    plannedStage(
      'second',
      'counter',
      { steps: 1, seed, from: resultOf('first') },
      { needs: ['first'], ...on(second) },
    ),
  ]);
}

/** Names of the activities that a workflow has scheduled, each with its queue. */
async function activitiesOf(study: StudyHandle, cellId?: string): Promise<string[]> {
  const workflowId = cellId === undefined ? study.workflowId : `${study.workflowId}/${cellId}`;
  const { events } = await studies.client.workflow.getHandle(workflowId).fetchHistory();
  return events!.flatMap(({ activityTaskScheduledEventAttributes: scheduled }) =>
    scheduled
      ? [`${scheduled.activityType!.name} ${scheduled.activityId} on ${scheduled.taskQueue!.name}`]
      : [],
  );
}

test('stages and collects go to the queues that they name, and to the usual ones else', async () => {
  const plan = planOf('named', [chain(1, 'big', 'cpu')], {
    collect: [{ ...plannedCollect('sweep', 'second', ['seed']), queue: 'big' }],
  });
  const study = await studies.start(plan);
  expect(await study.result()).toMatchObject({ status: 'succeeded', stagesRun: 3 });
  expect(await activitiesOf(study, 'seed=1')).toEqual([
    'runStage first of seed=1 on epochal-big',
    'runStage second of seed=1 on epochal-cpu',
  ]);
  expect(await activitiesOf(study)).toEqual(['collect sweep on epochal-big']);
  // The same stages elsewhere are the same steps.
  const again = await studies.start(planOf('elsewhere', [chain(1)]));
  expect(await again.result()).toMatchObject({ stagesRun: 0, stagesReused: 2 });
});

test('small cells share a row where all of their stages are for one queue', async () => {
  await (await studies.start(planOf('brief', [chain(10)]))).result();
  const rowsOf = async (name: string, cells: readonly PlannedCell[]) => {
    const study = await studies.start(planOf(name, [chain(10), ...cells], { maxParallel: 1 }));
    expect(await study.result()).toMatchObject({ status: 'succeeded' });
    return activitiesOf(study);
  };
  const big = await rowsOf('rows', [chain(11, 'big'), chain(12, 'big')]);
  expect(big[0]).toBe('runCells cells 1 to 2 on epochal-big');
  const mixed = await rowsOf('mixed', [chain(13, 'big', 'cpu'), chain(14, 'big', 'cpu')]);
  expect(mixed).toEqual([
    ...['runStage first of seed=13 on epochal-big', 'runStage second of seed=13 on epochal-cpu'],
    ...['runStage first of seed=14 on epochal-big', 'runStage second of seed=14 on epochal-cpu'],
  ]);
});

test('a stage whose queue nobody serves says so, and begins when somebody does', async () => {
  const study = await studies.start(planOf('lonely', [chain(21, 'nobody', 'cpu')]));
  const waiting = await until(async () =>
    (await study.cells()).find(({ unserved = [] }) => unserved.length > 0),
  );
  expect(describeQueued(waiting)).toEqual(['waits for a worker: none serves the queue nobody']);
  const other = await startRuntime({
    ...{ home: findHome(studies.home), concurrency: 1, queues: ['nobody'], onEvent: () => undefined },
  });
  try {
    expect(await study.result()).toMatchObject({ status: 'succeeded' });
  } finally {
    await other.stop();
  }
});

test('a stage that only waits for its turn is not said to be without workers', async () => {
  for (const seed of [31, 32, 33, 34]) studies.gate.hold(`${seed}-1`);
  const seeds = [31, 32, 33, 34, 35];
  const study = await studies.start(
    planOf(
      'busy',
      seeds.map((seed) => chain(seed, 'big')),
      { maxParallel: 5 },
    ),
  );
  const waiting = await until(async () => (await study.cells()).find(({ queued }) => queued > 0));
  expect(describeQueued(waiting)).toEqual(['waits for a worker']);
  studies.gate.release();
  expect(await study.result()).toMatchObject({ status: 'succeeded' });
});
