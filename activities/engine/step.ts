import { availableParallelism, cpus, hostname } from 'node:os';
import { activityInfo } from '@temporalio/activity';
import { isArtifactRef } from '../../artifacts/reference.ts';
import type { FoundStep } from '../../artifacts/store/outputs.ts';
import type { StepRecord, Store } from '../../artifacts/store/store.ts';
import { digestOf, replaceParts } from '../../compiler/plan/recipe.ts';
import { canonicalWith, stepKey } from '../../compiler/plan/step-key.ts';
import { stageKind } from '../../compiler/schema/stage-kinds.ts';
import type { StageOutcome } from '../../workflows/messages.ts';
import type { ComputeResult } from '../processes/compute-client.ts';
import { programVersion } from '../processes/step-metadata.ts';

/** What a step is, apart from what it gives: equal steps have equal keys. */
export type StepIdentity = Pick<
  StepRecord,
  'key' | 'uses' | 'version' | 'with' | 'inputs' | 'device' | 'threads'
>;

/**
 * What decides a step's result, with its key. A stage kind of one's own (`EPOCHAL_STAGE_MODULES`) has no schema here, so all of its `with`
 * counts, and the number of threads too.
 */
export function identity(
  parts: Omit<StepIdentity, 'key' | 'threads'> & { readonly threads: number },
): StepIdentity {
  const { threads, ...step } = parts;
  const kind = stageKind(step.uses);
  if (kind !== undefined) {
    const used = kind.compute ? { threads } : {};
    return { ...step, ...used, with: canonicalWith(step.uses, step.with), key: stepKey(parts) };
  }
  const canonical = replaceParts(step.with, (part) =>
    isArtifactRef(part) ? { sha256: part.sha256, kind: part.kind } : undefined,
  );
  return { ...step, threads, with: canonical, key: digestOf({ ...step, with: canonical, threads }) };
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
  step: StepIdentity,
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
      cpu: `${cpus()[0]?.model.trim() ?? process.arch}, ${availableParallelism()} cores`,
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
