import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStore } from '../../artifacts/store/open-store.ts';
import type { PlannedCell } from '../../compiler/plan.ts';
import { findHome } from '../../runtime/home.ts';
import { isAlive } from '../../runtime/server/server-process.ts';
import type { StudyEvent, StudyHandle } from '../../runtime/study/client.ts';
import { listOpenStudies } from '../../runtime/study/open-studies.ts';
import { startRuntime } from '../../runtime/workers/supervisor.ts';
import type { CellResult } from '../../workflows/messages.ts';
import { type LocalStudies, openLocalStudies, until } from '../fixtures/local-study.ts';
import { plannedCell, plannedCollect, plannedStage, planOf, resultOf } from '../fixtures/plans.ts';
import { descendants } from '../fixtures/processes.ts';

let studies: LocalStudies;

beforeAll(async () => {
  studies = await openLocalStudies();
});
afterAll(() => studies?.close());

/** Two stages in a row. */
function chain(seed: number, steps = 3): PlannedCell {
  const withs = { steps, seed };
  return plannedCell(`seed=${seed}`, { seed }, [
    plannedStage('first', 'counter', withs),
    plannedStage('second', 'counter', { ...withs, from: resultOf('first') }, { needs: ['first'] }),
  ]);
}

/** What is told of a study, to its end. */
function listen(study: StudyHandle) {
  const events: StudyEvent[] = [];
  const watch = study.watch((event) => events.push(event));
  const { signal } = new AbortController();
  return { events, look: () => watch.look(signal), ended: watch.follow(signal) };
}

function line(event: StudyEvent): string {
  if (event.type === 'signal') return event.signal;
  if (event.type === 'cell') return `${event.cellId} ${event.status} ${event.ended}`;
  const how = event.end === 'done' && event.outcome.reused ? 'reused' : event.end;
  return `${event.cellId ?? 'study'} ${event.stage} ${how}`;
}

/** Step of the only running stage, once it has one beyond `least`, and the process that computes it. */
async function atStep(study: StudyHandle, least: number): Promise<{ pid: number }> {
  const live = await until(async () => (await study.cells())[0]?.live.find(({ done }) => done >= least));
  return { pid: Number(live.message!.replace('process ', '')) };
}

async function cellResult(study: StudyHandle, cell: string, storeUri: string): Promise<CellResult> {
  const text = await (await openStore(storeUri)).readText(`studies/${study.studyId}/cells/${cell}.json`);
  return JSON.parse(text!) as CellResult;
}

describe('what is told of a study', () => {
  test('is every end, once and in order, however short, across cut histories; and of a rerun that all is reused', async () => {
    const seeds = [1, 2, 3, 4, 5, 6, 7];
    const plan = planOf(
      'told',
      seeds.map((seed) => chain(seed)),
      {
        maxParallel: 2,
        collect: [plannedCollect('sweep', 'second', ['seed'])],
      },
    );
    for (const how of ['done', 'reused']) {
      const study = await studies.start(plan, { historyLimit: 20 });
      const { events, ended } = listen(study);
      await study.result();
      await ended;
      const lines = events.map(line);
      expect(lines.at(-1)).toBe(`study sweep ${how}`);
      expect(lines.filter((text) => text.includes('succeeded')).map((text) => text.at(-1))).toEqual([
        ...'1234567',
      ]);
      for (const seed of seeds) {
        expect(
          lines.filter((text) => text.startsWith(`seed=${seed} `)).map((text) => text.split(' ', 3)),
        ).toEqual([
          [`seed=${seed}`, 'first', how],
          [`seed=${seed}`, 'second', how],
          [`seed=${seed}`, 'succeeded', expect.any(String)],
        ]);
      }
    }
  });

  test('is every failed attempt with its reason, of short cells and of long ones', async () => {
    const failing = (id: string, delay: readonly ReturnType<typeof plannedStage>[]) =>
      plannedCell(id, { id }, [
        ...delay,
        plannedStage(
          'work',
          'faulty',
          { how: 'error', times: 1, log: `${id}.log` },
          { retry: { attempts: 2 } },
        ),
        plannedStage('lost', 'faulty', { how: 'input', times: 9, log: `${id}-lost.log` }),
      ]);
    const slow = plannedStage('slow', 'counter', { steps: 2, seed: 12 });
    studies.gate.hold('12-1');
    const study = await studies.start(planOf('failing', [failing('short', []), failing('long', [slow])]));
    const { events, ended } = listen(study);
    await until(async () => events.some((event) => event.type === 'cell' && event.cellId === 'short'));
    await until(async () => events.map(line).includes('long work done'));
    studies.gate.release();
    await study.result();
    await ended;
    const of = (id: string) => events.map(line).filter((text) => text.startsWith(`${id} `));
    const common = ['work failed', 'lost failed', 'work done'];
    expect(of('short').slice(0, -1).sort()).toEqual(common.map((text) => `short ${text}`).sort());
    expect(of('long').slice(0, -1).sort()).toEqual(
      [...common, 'slow done'].map((text) => `long ${text}`).sort(),
    );
    expect(of('short').at(-1)).toMatch(/^short failed /);
    expect(events).toContainEqual({
      type: 'stage',
      cellId: 'short',
      stage: 'lost',
      end: 'failed',
      message: 'The data are not there.',
    });
  });

  test('is, for one who comes later, what happens from then on; what was before is counted', async () => {
    const plan = planOf('joined', [chain(21), chain(22)], { maxParallel: 1 });
    studies.gate.hold('22-1');
    const first = await studies.start(plan);
    await until(async () => (await first.cells())[0]?.cellId === 'seed=22');
    const second = await studies.start(plan);
    const { events, look, ended } = listen(second);
    const seen = await until(async () => (await look())?.running[0]?.live[0] !== undefined && look());
    expect(seen).toMatchObject({ cells: 2, counts: { succeeded: 1 }, running: [{ cellId: 'seed=22' }] });
    studies.gate.release();
    await second.result();
    await ended;
    expect(events.map(line)).toEqual(['seed=22 first done', 'seed=22 second done', 'seed=22 succeeded 2']);
  });
});

describe('a study that is stopped', () => {
  test('stays stopped while another one runs with the same worker, until it is launched again', async () => {
    const plan = planOf('stopped', [chain(31), chain(32)], { maxParallel: 1 });
    studies.gate.hold('31-2');
    const study = await studies.start(plan);
    const { events, ended } = listen(study);
    const { pid } = await atStep(study, 2);
    await study.stop();
    studies.gate.release();
    await until(async () => !isAlive(pid));
    expect((await study.cells())[0]?.stages.map(({ status }) => status)).toEqual(['waiting', 'waiting']);

    const other = await studies.start(planOf('meanwhile', [chain(33)]));
    expect(await listOpenStudies(studies.client, other.studyId)).toMatchObject([
      { studyId: study.studyId, progress: { paused: true } },
    ]);
    expect((await other.result()).status).toBe('succeeded');
    expect(await study.cells()).toMatchObject([{ cellId: 'seed=31', live: [], queued: 0 }]);

    const again = await studies.start(plan);
    expect(again.attached).toBe(true);
    expect(await again.result()).toMatchObject({ status: 'succeeded', stagesRun: 4 });
    await ended;
    expect(events.map(line).slice(0, 4)).toEqual([
      'stop',
      'seed=31 first stopped',
      'resume',
      'seed=31 first done',
    ]);
    const outcomes = events.flatMap((event) =>
      event.type === 'stage' && event.end === 'done' ? [event.outcome] : [],
    );
    // The time of the first attempt is not in that of the last.
    expect(outcomes.map(({ continued }) => continued)).toEqual([true, undefined, undefined, undefined]);
    const { stages } = await cellResult(study, 'seed=31', studies.storeUri());
    expect(stages.first!.notes[0]).toMatch(/^continued from step \d+$/);
    expect(await listOpenStudies(studies.client, '')).toEqual([]);
  });

  test('and cancelled then ends', async () => {
    studies.gate.hold('34-1');
    const study = await studies.start(planOf('given-up', [chain(34)]));
    await atStep(study, 1);
    await study.stop();
    await study.cancel();
    expect((await study.result()).status).toBe('cancelled');
    studies.gate.release();
  });
});

test('a worker that is told to stop while another run uses the server lets its stages end first', async () => {
  const cells = [41, 42, 43, 44, 45].map((seed) =>
    plannedCell(`seed=${seed}`, { seed }, [plannedStage('work', 'counter', { steps: 2, seed })]),
  );
  // One more than a worker takes: the other has some of them for sure.
  const plan = planOf('drained', cells, { maxParallel: 5 });
  const run = async (name: string, disturb: () => Promise<void>): Promise<CellResult[]> => {
    const storeUri = studies.storeUri(name);
    const study = await studies.start(plan, { storeUri });
    await disturb();
    expect((await study.result()).status).toBe('succeeded');
    return Promise.all(plan.cells.map(({ id }) => cellResult(study, id, storeUri)));
  };
  const calm = await run('calm', async () => undefined);

  const shorter = await startRuntime({
    home: findHome(studies.home),
    concurrency: 4,
    onEvent: () => undefined,
  });
  const worker = shorter.processes.worker!;
  studies.gate.hold(1);
  const shared = await run('shared', async () => {
    await until(async () => descendants(worker, /compute-process/).length > 0);
    await shorter.stop();
    studies.gate.release();
  });
  const store = await openStore(studies.storeUri('shared'));
  for (const [index, { stages }] of shared.entries()) {
    for (const [name, { key, outputs }] of Object.entries(stages)) {
      expect(outputs).toMatchObject({
        result: { sha256: calm[index]!.stages[name]!.outputs.result!.sha256 },
      });
      expect((await store.readStep(key))!.provenance.attempts).toBe(1);
    }
  }
  await until(async () => !descendants(process.pid, /worker-process/).includes(worker));
  expect(studies.events).toEqual([]);
});
