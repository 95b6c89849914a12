import type { Activities } from '../workflows/messages.ts';
import { createCollect } from './collect.ts';
import { GpuPool } from './gpus.ts';
import { createRunStage } from './run-stage.ts';
import { createStudyRecords, type StudyRecords } from './study-records.ts';

export { countGpus, gpuNames } from './gpus.ts';

/** The activities of one worker process, by the queue that they belong to. */
export interface WorkerActivities {
  /** Short reads and writes, on the queue of the workflows. */
  readonly records: StudyRecords['activities'];
  /** Stages, each in a compute process of its own. */
  readonly stages: Pick<Activities, 'runStage' | 'collect'>;
}

/** @param gpus Names of the GPUs that stages may use, as `CUDA_VISIBLE_DEVICES` takes them. */
export function createActivities(gpus: readonly string[]): WorkerActivities {
  const { activities: records, loadPlan } = createStudyRecords();
  const runStage = createRunStage(new GpuPool(gpus));
  return { records, stages: { runStage, collect: createCollect(loadPlan) } };
}
