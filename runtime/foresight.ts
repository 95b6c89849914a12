import { loadStage } from '../activities/registry.ts';
import { resolveWith } from '../activities/resolve-with.ts';
import type { Stage } from '../activities/stage.ts';
import type { ArtifactRef } from '../artifacts/reference.ts';
import type { Store } from '../artifacts/store.ts';
import { type Plan, type PlannedCell, type PlannedStage, stepKey } from '../compiler/index.ts';
import { createEstimator, type Estimate } from './estimate.ts';

/** What a run would do with one stage of one cell, and why. */
export interface StageForesight {
  readonly cell: string;
  readonly stage: string;
  readonly uses: string;
  /** `shared`: another cell of the plan makes it. */
  readonly action: 'reuse' | 'run' | 'shared';
  readonly why: string;
  /** Step key, where all inputs are known already. */
  readonly key?: string;
  /** Seconds that it took, if it is reused. */
  readonly seconds?: number;
  /** What it may cost, if it must run and the store has steps of its kind. */
  readonly estimate?: Estimate;
}

/**
 * Looks up every stage of a plan in the store, without running anything. A stage's step key is known once all of its inputs are there; what
 * comes after a stage that must run, runs too. Outside data that is missing is told as the reason, not thrown.
 */
export async function foresee(
  plan: Plan,
  store: Store | undefined,
  baseDirectory: string,
): Promise<StageForesight[]> {
  const seen = new Map<string, string>();
  const estimate = await createEstimator(store);
  const foresight: StageForesight[] = [];
  for (const cell of plan.cells) {
    const withs = new Map(cell.stages.map((stage) => [stage.name, stage.with]));
    for (const stage of await foreseeCell(cell, store, baseDirectory, seen)) {
      const cost = stage.action === 'run' ? await estimate(stage.uses, withs.get(stage.stage)!) : undefined;
      foresight.push(cost === undefined ? stage : { ...stage, estimate: cost });
    }
  }
  return foresight;
}

async function foreseeCell(
  cell: PlannedCell,
  store: Store | undefined,
  baseDirectory: string,
  seen: Map<string, string>,
): Promise<StageForesight[]> {
  const available: Record<string, Readonly<Record<string, ArtifactRef>>> = {};
  const foresight: StageForesight[] = [];
  for (const stage of cell.stages) {
    const { name, uses } = stage;
    const first = seen.get(stage.recipe);
    if (first === undefined) seen.set(stage.recipe, cell.id);
    const waits = stage.needs.filter((need) => available[need] === undefined);
    const base = { cell: cell.id, stage: name, uses };
    if (waits.length > 0) {
      const shared = first !== undefined;
      const why = shared ? `the same as in cell ${first}` : `its inputs are made anew by ${waits.join(', ')}`;
      foresight.push({ ...base, action: shared ? 'shared' : 'run', why });
      continue;
    }
    const found = await lookUp(stage, available, store, baseDirectory);
    if (found.outputs !== undefined) available[name] = found.outputs;
    const shared = found.outputs === undefined && first !== undefined;
    foresight.push({
      ...base,
      action: found.outputs !== undefined ? 'reuse' : shared ? 'shared' : 'run',
      why: shared ? `the same as in cell ${first}` : found.why,
      ...(found.key === undefined ? {} : { key: found.key }),
      ...(found.seconds === undefined ? {} : { seconds: found.seconds }),
    });
  }
  return foresight;
}

interface Found {
  readonly why: string;
  readonly key?: string;
  readonly outputs?: Readonly<Record<string, ArtifactRef>>;
  readonly seconds?: number;
}

async function lookUp(
  stage: PlannedStage,
  available: Readonly<Record<string, Readonly<Record<string, ArtifactRef>>>>,
  store: Store | undefined,
  baseDirectory: string,
): Promise<Found> {
  const { uses, version, resources } = stage;
  const resolved = resolveWith(stage, available);
  let sources: Record<string, string>;
  try {
    sources =
      (await ((await loadStage(uses)) as Stage<unknown>).sources?.(resolved.with, baseDirectory)) ?? {};
  } catch (error) {
    return { why: `it would fail: ${(error as Error).message}` };
  }
  const inputs = { ...resolved.inputs, ...sources };
  const key = stepKey({ uses, version, with: resolved.with, inputs, threads: resources.threads });
  const record = await store?.readStep(key);
  if (record === undefined) return { key, why: 'no result with these settings and inputs is in the store' };
  for (const [name, ref] of Object.entries(record.outputs)) {
    if (!(await store!.verify(ref)))
      return { key, why: `its output ${name} in the store is damaged or gone` };
  }
  const { startedAt, seconds } = record.provenance;
  return {
    key,
    outputs: record.outputs,
    seconds,
    why: `made on ${startedAt.slice(0, 16).replace('T', ' ')} UTC with equal settings and inputs`,
  };
}
