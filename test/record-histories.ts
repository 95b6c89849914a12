/**
 * `node test/record-histories.ts` runs a study and keeps the histories of its workflows in `test/fixtures/histories`, which
 * `test/unit/workflows/histories.test.ts` replays: when it no longer can, `workflowVersion` has to be raised, and then they are recorded anew.
 */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { temporal } from '@temporalio/proto';
import setUp from './bundled-home.ts';
import { historiesFolder, historyKey } from './fixtures/histories.ts';
import { type LocalStudies, openLocalStudies, until } from './fixtures/local-study.ts';
import { plannedCell, plannedCollect, plannedStage, planOf, resultOf } from './fixtures/plans.ts';

type History = temporal.api.history.v1.IHistory;

const chain = (seed: number) =>
  plannedCell(`seed=${seed}`, { seed }, [
    plannedStage('first', 'counter', { steps: 1, seed }),
    plannedStage('second', 'counter', { steps: 1, seed, from: resultOf('first') }, { needs: ['first'] }),
  ]);
const faulty = (seed: number, how: string, times: number) =>
  plannedCell(`seed=${seed}`, { seed }, [
    plannedStage('second', 'faulty', { how, times, log: `${seed}.log` }, { retry: { attempts: 3 } }),
  ]);

/** Cells apart, in rows and inside, a failure that passes and one that does not, a pause, a cut, a stage over all cells. */
const plan = planOf(
  'recorded',
  [chain(1), chain(2), faulty(3, 'error', 2), faulty(4, 'input', 9), chain(5), chain(6), chain(7), chain(8)],
  { maxParallel: 2, minSuccess: 0.5, collect: [plannedCollect('sweep', 'second', ['seed'])] },
);

async function record(studies: LocalStudies): Promise<void> {
  const { workflow } = studies.client;
  studies.gate.hold('5-1');
  const study = await studies.start(plan, { historyLimit: 40 });
  await until(async () => (await study.cells()).some(({ cellId }) => cellId === 'seed=5'));
  await study.pause();
  await study.resume();
  studies.gate.release();
  await study.result();
  for (const name of await readdir(historiesFolder)) await rm(path.join(historiesFolder, name));
  const keep = async (name: string, history: History) => {
    // Places of this machine.
    const text = JSON.stringify(
      JSON.parse(historyToJSON(history), (key, value) => (key === 'stackTrace' ? '' : value)),
    );
    await writeFile(path.join(historiesFolder, `${name}.json`), `${text}\n`);
  };
  const last = await workflow.getHandle(study.workflowId).fetchHistory();
  const started = last.events?.[0]?.workflowExecutionStartedEventAttributes;
  let runId: string | null | undefined = started?.firstExecutionRunId;
  for (let run = 1; runId; run++) {
    const history: History = await workflow.getHandle(study.workflowId, runId).fetchHistory();
    await keep(`study-${run}`, history);
    runId = history.events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
  }
  await keep('cell-1', await workflow.getHandle(`${study.workflowId}/seed=1`).fetchHistory());
}

const folder = await mkdtemp(path.join(tmpdir(), 'epochal-histories-'));
const tidy = await setUp();
try {
  process.env.EPOCHAL_KEY_FILE = path.join(folder, 'key');
  await writeFile(process.env.EPOCHAL_KEY_FILE, historyKey, { mode: 0o600 });
  const studies = await openLocalStudies();
  await record(studies).finally(() => studies.close());
} finally {
  await rm(folder, { recursive: true });
  tidy?.();
}
