import { availableParallelism, cpus, hostname } from 'node:os';
import { activityInfo } from '@temporalio/activity';
import type { FoundStep } from '../../artifacts/store/outputs.ts';
import type { Step, StepIdentity, StepRecord } from '../../artifacts/store/step.ts';
import type { Store } from '../../artifacts/store/store.ts';
import { stepOf } from '../../compiler/plan/step-key.ts';
import type { PlannedStage } from '../../compiler/plan.ts';
import type { StageOutcome } from '../../workflows/messages.ts';
import type { ComputeResult } from '../processes/compute-client.ts';
import { programVersion } from '../processes/step-metadata.ts';
import type { ResolvedWith } from './resolve-with.ts';

const cpu = `${cpus()[0]?.model.trim() ?? process.arch}, ${availableParallelism()} cores`;

/** The step of a planned stage, once its references have become artifacts and the digests of outside files, `sources`, are known. */
export function stepOfStage(
  { uses, version, resources }: PlannedStage,
  resolved: ResolvedWith,
  sources: StepIdentity['inputs'],
  device: StepIdentity['device'],
): Step {
  const inputs = { ...sources, ...resolved.inputs };
  return stepOf({ uses, version, with: resolved.with, inputs, threads: resources.threads, device });
}

/** A stage gets a GPU if it asks for one and the machine has any. */
export function deviceOf({ gpu }: PlannedStage['resources'], gpus: number): StepIdentity['device'] {
  return gpu > 0 && gpus > 0 ? 'gpu' : undefined;
}

/** What the user is told of damage that was met and mended. */
export function damageNotes(found: FoundStep | undefined): string[] {
  return (found?.damage ?? []).map(
    ({ output, what }) => `Output ${output} of an earlier run, ${what}; it was computed again.`,
  );
}

/** Writes down a finished step, who made it beside what it is, and frees its checkpoint. */
export async function recordStep(
  store: Store,
  step: Step,
  { outputs, notes, warnings, backend }: ComputeResult,
  startedAt: Date,
): Promise<StepRecord> {
  const record: StepRecord = {
    ...step,
    outputs,
    notes,
    ...(warnings.length === 0 ? {} : { warnings }),
    provenance: {
      startedAt: startedAt.toISOString(),
      seconds: (Date.now() - startedAt.getTime()) / 1000,
      host: hostname(),
      cpu,
      ...backend,
      node: process.version,
      epochal: programVersion,
      attempts: activityInfo().attempt,
    },
  };
  await store.writeStep(record);
  await store.checkpoint(step.key).clear();
  return record;
}

/** What the workflow is told of a finished step; the step's own notes come last. */
export function outcome(
  record: StepRecord,
  how: Pick<StageOutcome, 'reused' | 'seconds' | 'continued' | 'notes'>,
): StageOutcome {
  const { key, outputs, notes, warnings } = record;
  return {
    ...{ key, outputs, ...how },
    notes: [...how.notes, ...notes],
    ...(warnings === undefined ? {} : { warnings }),
  };
}
