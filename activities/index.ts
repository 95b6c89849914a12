import { type Activities, activityIdOf, rowIdOf, type StageActivity } from '../workflows/messages.ts';
import { createCollect } from './engine/collect.ts';
import { createRunCells } from './engine/run-cells.ts';
import { createRunStage, createStageRunner, type ThreadUse } from './engine/run-stage.ts';
import { createStores } from './engine/stores.ts';
import { createStudyRecords, type StudyRecords } from './engine/study-records.ts';
import { type WatchStage, watchCollects, watchRuns } from './engine/watched-stages.ts';
import { GpuPool, type UsableGpus } from './processes/gpus.ts';

export type { HoldOptions, ThreadUse } from './engine/run-stage.ts';
export { troubleOf, type WatchedStage, type WatchStage } from './engine/watched-stages.ts';
export { countComputeProcesses, expectStages } from './processes/compute-client.ts';
export { countGpus, type UsableGpus } from './processes/gpus.ts';

/** The activities of one worker process, by the queue that they belong to. */
export interface WorkerActivities {
  /** Short reads and writes, on the queue of the workflows. */
  readonly records: StudyRecords['activities'];
  /** Stages, each in a compute process that has no other. */
  readonly stages: Pick<Activities, StageActivity>;
}

/**
 * @param serves Whether the worker was started for a store.
 * @param threads Is told of the threads that stages compute with.
 * @param stop Stops all running stages, which are handed back with their checkpoints.
 * @param watch Watches the stages; default: nobody does.
 */
export function createActivities(
  gpus: UsableGpus,
  serves: (storeUri: string) => Promise<boolean>,
  threads: ThreadUse,
  stop: AbortSignal,
  watch: WatchStage = (_, work) => work({}),
): WorkerActivities {
  const openStore = createStores(serves);
  const { activities: records, ...ofStudies } = createStudyRecords(openStore);
  const run = watchRuns(createStageRunner(openStore, { gpus: new GpuPool(gpus), threads }), watch);
  const runStage = createRunStage(run, stop);
  const runCells = createRunCells(run, ofStudies, stop);
  const collect = watchCollects(createCollect(openStore, ofStudies.loadPlan, stop), watch);
  return {
    records,
    stages: {
      runStage: async (task) => ({
        to: activityIdOf({ stage: task.stage.name, cellId: task.cellId }),
        value: await runStage(task),
      }),
      runCells: async (task) => ({ to: rowIdOf(task), value: await runCells(task) }),
      collect: async (task) => ({
        to: activityIdOf({ stage: task.collect.name }),
        value: await collect(task),
      }),
    },
  };
}
