import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStore } from '../../artifacts/store/open-store.ts';
import type { Plan } from '../../compiler/plan.ts';
import type { CellResult } from '../../workflows/messages.ts';
import { type LocalStudies, openLocalStudies, until } from '../fixtures/local-study.ts';
import { plannedCell, plannedStage, planOf, resultOf } from '../fixtures/plans.ts';

let studies: LocalStudies;
let undisturbed: CellResult['stages'];

/** Two stages that can be met at any step. */
function slowPlan(name: string): Plan {
  const withs = { steps: 25, seed: 9 };
  const first = plannedStage('first', 'counter', withs);
  const second = plannedStage(
    'second',
    'counter',
    { ...withs, from: resultOf('first') },
    { needs: ['first'] },
  );
  return planOf(name, [plannedCell('main', {}, [first, second])]);
}

async function run(
  name: string,
  disturb?: (processId: (step: number) => Promise<number>) => Promise<void>,
): Promise<CellResult['stages']> {
  const storeUri = studies.storeUri(name);
  if (disturb !== undefined) for (const step of [5, 10]) studies.gate.hold(step);
  const study = await studies.start(slowPlan(name), { storeUri });
  const processId = async (step: number): Promise<number> => {
    const live = await until(async () => (await study.cells())[0]?.live.find(({ done }) => done >= step));
    return Number(live.message!.replace('process ', ''));
  };
  await disturb?.(processId);
  studies.gate.release();
  expect(await study.result()).toMatchObject({ status: 'succeeded', stagesRun: 2 });
  const text = await (await openStore(storeUri)).readText(`studies/${study.studyId}/cells/main.json`);
  return (JSON.parse(text!) as CellResult).stages;
}

function digests(stages: CellResult['stages']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(stages).map(([name, { outputs }]) => [name, outputs.result!.sha256]),
  );
}

beforeAll(async () => {
  studies = await openLocalStudies();
  undisturbed = await run('undisturbed');
});
afterAll(() => studies?.close());

describe('a study goes on by itself, with the same digests, after kill -9 of', () => {
  test('the compute process, twice', async () => {
    const stages = await run('compute', async (processId) => {
      const first = await processId(5);
      process.kill(first, 'SIGKILL');
      // Its successor goes on from the checkpoint of step 5, past the first gate.
      const second = await until(async () => {
        const next = await processId(10);
        return next !== first && next;
      });
      process.kill(second, 'SIGKILL');
    });
    expect(digests(stages)).toEqual(digests(undisturbed));
    expect(stages.first!.notes[0]).toMatch(/^continued from step \d+$/);
  });

  test('the worker', async () => {
    let orphan = 0;
    const stages = await run('worker', async (processId) => {
      orphan = await processId(5);
      process.kill(studies.runtime.processes.worker!, 'SIGKILL');
    });
    expect(digests(stages)).toEqual(digests(undisturbed));
    expect(stages.first!.notes[0]).toMatch(/^continued from step \d+$/);
    expect(() => process.kill(orphan, 0)).toThrow();
    expect(studies.events).toContain('The worker died; it is started again.');
  });

  test('the server', async () => {
    const stages = await run('server', async (processId) => {
      await processId(5);
      process.kill(studies.runtime.processes.server!, 'SIGKILL');
    });
    expect(digests(stages)).toEqual(digests(undisturbed));
    expect(studies.events).toContain('The Temporal server died; it is started again.');
  });
});
