import { EnvironmentError } from '../artifacts/errors.ts';
import type { Plan } from '../compiler/plan.ts';
import type { Activities, CellResult, StudyResult } from '../workflows/messages.ts';
import { toRecordFailure } from './failures.ts';
import { sharedStore } from './stores.ts';

/** Plans kept in memory. A plan never changes under its name, and reading one of 10,000 cells takes a while. */
const keptPlans = 4;

/** The activities that read the plan and write the records of a study, and the reading of a plan for other activities. */
export interface StudyRecords {
  readonly activities: Omit<Activities, 'runStage' | 'collect'>;
  loadPlan(storeUri: string, planName: string): Promise<Plan>;
}

export function createStudyRecords(): StudyRecords {
  const plans = new Map<string, Promise<Plan>>();
  const loadPlan = (storeUri: string, planName: string): Promise<Plan> => {
    const address = `${storeUri}\n${planName}`;
    const plan = plans.get(address) ?? readPlan(storeUri, planName);
    plans.delete(address);
    plans.set(address, plan);
    for (const oldest of [...plans.keys()].slice(0, -keptPlans)) plans.delete(oldest);
    plan.catch(() => plans.delete(address));
    return plan;
  };
  const activities: StudyRecords['activities'] = {
    loadCells: ({ storeUri, planName, from, count }) =>
      told(async () => (await loadPlan(storeUri, planName)).cells.slice(from, from + count)),
    loadCollects: ({ storeUri, planName }) => told(async () => (await loadPlan(storeUri, planName)).collect),
    writeCellResult: ({ storeUri, studyId, result }) =>
      told(() => writeRecord(storeUri, cellResultName(studyId, result.cellId), result)),
    writeStudyResult: ({ storeUri, result }) =>
      told(() => writeRecord(storeUri, `studies/${result.studyId}/result.json`, result)),
  };
  return { activities, loadPlan };
}

/** Name in the store of what became of a cell. */
export function cellResultName(studyId: string, cellId: string): string {
  return `studies/${studyId}/cells/${cellId}.json`;
}

async function readPlan(storeUri: string, planName: string): Promise<Plan> {
  const text = await (await sharedStore(storeUri)).readText(planName);
  if (text === undefined) {
    throw new EnvironmentError(
      `There is no ${planName} in ${storeUri}.`,
      'Does this worker see the same store as the machine that started the study? A store in a folder must lie on a shared file system.',
    );
  }
  return JSON.parse(text) as Plan;
}

async function writeRecord(storeUri: string, name: string, record: CellResult | StudyResult): Promise<void> {
  await (await sharedStore(storeUri)).writeText(name, `${JSON.stringify(record, undefined, 2)}\n`);
}

async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toRecordFailure(error);
  }
}
