import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStore } from '../../artifacts/store/open-store.ts';
import type { Plan, PlannedStage } from '../../compiler/plan.ts';
import { studyIdOf } from '../../runtime/study/client.ts';
import type { CellResult, StudyResult } from '../../workflows/messages.ts';
import { damages } from '../fixtures/damage.ts';
import { type LocalStudies, openLocalStudies, until } from '../fixtures/local-study.ts';
import { plannedCell, plannedCollect, plannedStage, planOf, resultOf } from '../fixtures/plans.ts';

let studies: LocalStudies;
beforeAll(async () => {
  studies = await openLocalStudies({ concurrency: 2 });
});
afterAll(() => studies?.close());

const once = { retry: { attempts: 1 } };

function counter(name: string, seed: number, from?: string): PlannedStage {
  const withs = { steps: 2, seed, ...(from === undefined ? {} : { from: resultOf(from) }) };
  return plannedStage(name, 'counter', withs, { ...once, needs: from === undefined ? [] : [from] });
}

/** A stage that damages what it is given while it runs, then needs it. */
function vandal(name: string, needs: readonly string[], times: number): PlannedStage {
  const [from, ...more] = needs.map(resultOf);
  const withs = { how: 'damage', times, log: `${name}.log`, from: from!, more };
  return plannedStage(name, 'faulty', withs, { ...once, needs });
}

function recordFile(plan: Plan, name: string): string {
  return path.join(fileURLToPath(studies.storeUri()), 'studies', studyIdOf(plan), name);
}

async function cellOf(plan: Plan, cellId: string): Promise<CellResult> {
  const name = `studies/${studyIdOf(plan)}/cells/${cellId}.json`;
  return JSON.parse((await (await openStore(studies.storeUri())).readText(name))!) as CellResult;
}

function attemptsOf(name: string): number {
  return readFileSync(path.join(studies.home, `${name}.log`), 'utf8')
    .trim()
    .split('\n').length;
}

describe('what is damaged while a cell runs', () => {
  test('is made anew with what it was made from, though `retry.attempts` is 1', async () => {
    const stages = [counter('zero', 1), counter('one', 1, 'zero'), vandal('ruin', ['one', 'zero'], 1)];
    const plan = planOf('ruined', [plannedCell('main', {}, stages)]);
    expect(await (await studies.start(plan)).result()).toMatchObject({ status: 'succeeded', failures: [] });
    const cell = await cellOf(plan, 'main');
    for (const name of ['zero', 'one']) expect(cell.stages[name]!.notes.join()).toMatch(/computed again/);
    expect(attemptsOf('ruin')).toBe(2);
  });

  test('is made anew once for all stages that need it', async () => {
    const ruins = Array.from({ length: 5 }, (_, n) => vandal(`ruin${n}`, ['zero'], 1));
    const plan = planOf('crowd', [plannedCell('main', {}, [counter('zero', 2), ...ruins])]);
    expect(await (await studies.start(plan)).result()).toMatchObject({ status: 'succeeded', failures: [] });
  });

  test('again and again ends with an error that says what to look at', async () => {
    const plan = planOf('hopeless', [
      plannedCell('main', {}, [counter('zero', 3), vandal('storm', ['zero'], 99)]),
    ]);
    const { status, failures } = await (await studies.start(plan)).result();
    expect({ status, failures }).toMatchObject({
      status: 'failed',
      failures: [
        {
          stage: 'storm',
          type: 'DamagedArtifactError',
          message: expect.stringMatching(
            /^After 5 times .* made anew: The evaluation artifact .* is gone or does not match/,
          ),
          cure: expect.stringContaining('Check the disk'),
        },
      ],
    });
    expect(attemptsOf('storm')).toBe(6);
  });
});

describe('what is damaged after its cell has ended', () => {
  const damaging: Record<string, (plan: Plan, cell: CellResult) => void> = {
    ...Object.fromEntries(
      Object.entries(damages).map(([way, damage]) => [
        `an artifact ${way}`,
        (_: Plan, { stages }: CellResult) => damage(fileURLToPath(stages.work!.outputs.result!.uri)),
      ]),
    ),
    'a record that is edited'(plan) {
      const file = recordFile(plan, 'cells/early.json');
      writeFileSync(file, readFileSync(file, 'utf8').replace('"seconds": ', '"seconds": 1'));
    },
    'a record that is removed': (plan) => rmSync(recordFile(plan, 'cells/early.json')),
  };

  test.each(Object.entries(damaging).map((entry, index) => [...entry, index] as const))(
    '%s, is made anew for `collect`',
    async (_what, damage, index) => {
      const go = `go-${index}`;
      const late = plannedStage('work', 'waiting', { file: go });
      const cells = [
        plannedCell('early', { when: 'early' }, [counter('work', 100 + index)]),
        plannedCell('late', { when: 'late' }, [late]),
      ];
      const plan = planOf(`after-${index}`, cells, { collect: [plannedCollect('sweep', 'work', ['when'])] });
      const study = await studies.start(plan);
      await until(async () => existsSync(recordFile(plan, 'cells/early.json')));
      damage(plan, await cellOf(plan, 'early'));
      writeFileSync(path.join(studies.home, go), '');
      const result: StudyResult = await study.result();
      expect(result).toMatchObject({
        status: 'succeeded',
        counts: { succeeded: 2, failed: 0, cancelled: 0 },
        failures: [],
      });
      const store = await openStore(studies.storeUri());
      const table = await store.open(result.collect.sweep!.outputs.table!);
      expect(table.strings('cell')).toEqual(['early', 'late']);
      expect(await store.verify((await cellOf(plan, 'early')).stages.work!.outputs.result!)).toBe(true);
    },
  );
});
