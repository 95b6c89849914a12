import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore } from '../../artifacts/store/open-store.ts';
import type { Plan } from '../../compiler/plan.ts';
import type { StudyHandle } from '../../runtime/study/client.ts';
import type { CellResult } from '../../workflows/messages.ts';
import { type LocalStudies, openLocalStudies, until } from '../fixtures/local-study.ts';
import { plannedCell, plannedStage, planOf } from '../fixtures/plans.ts';

let studies: LocalStudies;

beforeAll(async () => {
  studies = await openLocalStudies({ concurrency: 1 });
});
afterAll(() => studies?.close());

/** Cells of one short stage each, all at the same time. */
function wide(name: string, seeds: readonly number[]): Plan {
  const cells = seeds.map((seed) =>
    plannedCell(`seed=${seed}`, { seed }, [plannedStage('count', 'counter', { steps: 1, seed })]),
  );
  return planOf(name, cells, { maxParallel: seeds.length });
}

const seeds = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);

/** Until all but `running` of its stages wait for a slot. */
async function inQueue(study: StudyHandle, cells: number, running: number): Promise<void> {
  await until(async () => {
    const queued = (await study.cells()).filter((cell) => cell.queued === 1).length;
    return queued === cells - running;
  });
}

/** When the stage of each cell began, in milliseconds. */
async function starts({ studyId }: StudyHandle, { cells }: Plan): Promise<number[]> {
  const store = await openStore(studies.storeUri());
  const times: number[] = [];
  for (const { id } of cells) {
    const text = await store.readText(`studies/${studyId}/cells/${id}.json`);
    const { key } = (JSON.parse(text!) as CellResult).stages.count!;
    times.push(Date.parse((await store.readStep(key))!.provenance.startedAt));
  }
  return times.sort((a, b) => a - b);
}

/** A study with many stages in the queue, and one that comes later with few: when their stages began. */
async function startLater(name: string, first: number, priority?: number): Promise<[number[], number[]]> {
  const [many, few] = [wide(`${name}-many`, seeds(first, 13)), wide(`${name}-few`, seeds(first + 50, 3))];
  // Whichever stage has the slot first stays in it.
  studies.gate.hold(1);
  const earlier = await studies.start(many);
  await inQueue(earlier, 13, 1);
  const later = await studies.start(few, priority === undefined ? {} : { priority });
  await inQueue(later, 3, 0);
  studies.gate.release();
  for (const study of [earlier, later]) expect((await study.result()).status).toBe('succeeded');
  return [await starts(earlier, many), await starts(later, few)];
}

test('two studies share the only slot evenly, however many stages one has in the queue before the other', async () => {
  const [many, few] = await startLater('fair', 100);
  // Of the twelve that waited before it came, at least half still wait when the last of the few begins.
  expect(few.at(-1)).toBeLessThan(many[7]!);
});

test('a study of priority 1 comes before all that waits', async () => {
  const [many, few] = await startLater('first', 300, 1);
  expect(few.at(-1)).toBeLessThan(many[2]!);
});

test('one of priority 5 comes last', async () => {
  const [many, few] = await startLater('last', 500, 5);
  expect(few[0]).toBeGreaterThan(many.at(-1)!);
});

test('an open study that is launched again has the priority that is given then, or keeps its own', async () => {
  const plan = wide('again', [700]);
  studies.gate.hold('700-1');
  const study = await studies.start(plan, { priority: 4 });
  const priority = async () =>
    (await studies.client.workflow.getHandle(study.workflowId).describe()).priority?.priorityKey;
  await studies.start(plan);
  expect(await priority()).toBe(4);
  await studies.start(plan, { priority: 2 });
  expect(await priority()).toBe(2);
  studies.gate.release();
  expect((await study.result()).status).toBe('succeeded');
});
