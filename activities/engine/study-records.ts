import { activityInfo } from '@temporalio/activity';
import { EnvironmentError } from '../../artifacts/errors.ts';
import { cellRecordName, studyRecordName } from '../../artifacts/store/names.ts';
import type { Plan } from '../../compiler/plan.ts';
import {
  type Activities,
  type Answer,
  type CellResult,
  type PlanRequest,
  type StageActivity,
  type StudyResult,
  workflowIdOf,
} from '../../workflows/messages.ts';
import { toRecordFailure } from './failures.ts';
import { mustBelongTo, type OpenStores } from './stores.ts';

/** Plans kept in memory. A plan never changes under its name, and reading one of 10,000 cells takes a while. */
const keptPlans = 4;

/** The activities that read the plan and write the records of a study, and the reading of a plan for other activities. */
export interface StudyRecords {
  readonly activities: Omit<Activities, StageActivity>;
  loadPlan(request: PlanRequest): Promise<Plan>;
  writeCell(of: PlanRequest, result: CellResult): Promise<void>;
}

export function createStudyRecords(openStore: OpenStores): StudyRecords {
  const plans = new Map<string, Promise<Plan>>();
  const loadPlan = ({ storeUri, studyId }: PlanRequest): Promise<Plan> => {
    const address = `${storeUri}\n${studyId}`;
    const plan = plans.get(address) ?? readPlan(storeUri, studyId);
    plans.delete(address);
    plans.set(address, plan);
    for (const oldest of [...plans.keys()].slice(0, -keptPlans)) plans.delete(oldest);
    plan.catch(() => plans.delete(address));
    return plan;
  };
  const readPlan = async (storeUri: string, studyId: string): Promise<Plan> => {
    const name = studyRecordName(studyId, 'plan');
    const text = await (await openStore(storeUri)).readText(name);
    if (text !== undefined) return JSON.parse(text) as Plan;
    throw new EnvironmentError(
      `There is no ${name} in ${storeUri}.`,
      'Does this worker see the same store as the machine that started the study? A store in a folder must lie on a shared file system.',
    );
  };
  const write = async (storeUri: string, name: string, record: CellResult | StudyResult) => {
    await (await openStore(storeUri)).writeText(name, `${JSON.stringify(record, undefined, 2)}\n`);
  };
  const writeCell: StudyRecords['writeCell'] = ({ storeUri, studyId }, result) =>
    write(storeUri, cellRecordName(studyId, result.cellId), result);
  const activities: StudyRecords['activities'] = {
    loadCells: ({ from, count, ...of }) =>
      answered([of.studyId], String(from), async () => (await loadPlan(of)).cells.slice(from, from + count)),
    loadCollects: (of) => answered([of.studyId], 'collect', async () => (await loadPlan(of)).collect),
    writeCellResult: ({ result, ...of }) =>
      answered([of.studyId, result.cellId], 'result', async () => {
        const { cellId, status } = result;
        await writeCell(of, result);
        return { cellId, status };
      }),
    writeStudyResult: ({ storeUri, result }) =>
      answered([result.studyId], 'result', async () => {
        await write(storeUri, studyRecordName(result.studyId, 'result'), result);
        return null;
      }),
  };
  return { activities, loadPlan, writeCell };
}

/** Does the work if it is the workflow of the study that asks, or the one of the cell. */
async function answered<T>(
  [studyId, cellId]: readonly [studyId: string, cellId?: string],
  to: string,
  work: () => Promise<T>,
): Promise<Answer<T>> {
  try {
    mustBelongTo(workflowIdOf(studyId), ...(cellId === undefined ? [] : [workflowIdOf(studyId, cellId)]));
    return { to, value: await work() };
  } catch (error) {
    throw toRecordFailure(error, activityInfo().attempt);
  }
}
