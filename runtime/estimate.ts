import path from 'node:path';
import { loadStage } from '../activities/registry.ts';
import type { Stage } from '../activities/stage.ts';
import type { StepRecord, Store } from '../artifacts/store.ts';

/** What a stage may cost. */
export interface Estimate {
  readonly seconds: number;
  /** Bytes written, the parts of a trajectory included. */
  readonly bytes: number;
}

/** Steps of a store that are looked at: enough for a median, few enough for a dry run. */
const looksAt = 500;

/**
 * Estimates a stage by the steps of its kind that the store has: their median time and size for a unit of work (`Stage.work`), times the
 * work of the settings in question. Undefined if no step of the kind was made here yet. Rough: another machine, or another network, costs more.
 */
export type Estimator = (
  uses: string,
  withs: Readonly<Record<string, unknown>>,
) => Promise<Estimate | undefined>;

export async function createEstimator(store: Store | undefined): Promise<Estimator> {
  const names = ((await store?.listTexts('steps')) ?? []).slice(0, looksAt);
  const keys = names.map((name) => path.basename(name, '.json'));
  const records = (await Promise.all(keys.map((key) => store!.readStep(key)))).filter(
    (record) => record !== undefined,
  );
  const rates = new Map<string, Promise<Estimate | undefined>>();
  return async (uses, withs) => {
    const known = rates.get(uses) ?? rateOf(uses, records, store);
    rates.set(uses, known);
    const rate = await known;
    if (rate === undefined) return undefined;
    const work = await workOf(uses, withs);
    return { seconds: rate.seconds * work, bytes: rate.bytes * work };
  };
}

async function rateOf(
  uses: string,
  records: readonly StepRecord[],
  store: Store | undefined,
): Promise<Estimate | undefined> {
  const costs: Estimate[] = [];
  for (const record of records.filter((candidate) => candidate.uses === uses)) {
    const work = await workOf(uses, record.with as Readonly<Record<string, unknown>>);
    const bytes = await bytesOf(record, store!);
    costs.push({ seconds: record.provenance.seconds / work, bytes: bytes / work });
  }
  if (costs.length === 0) return undefined;
  return {
    seconds: median(costs.map(({ seconds }) => seconds)),
    bytes: median(costs.map(({ bytes }) => bytes)),
  };
}

async function workOf(uses: string, withs: Readonly<Record<string, unknown>>): Promise<number> {
  const stage = (await loadStage(uses)) as Stage<unknown>;
  const work = stage.work?.(withs) ?? 1;
  return work > 0 && Number.isFinite(work) ? work : 1;
}

async function bytesOf({ outputs }: StepRecord, store: Store): Promise<number> {
  let total = 0;
  for (const ref of Object.values(outputs)) {
    total += ref.bytes;
    if (ref.kind !== 'trajectory' || !(await store.verify(ref))) continue;
    for (const bytes of (await store.open(ref)).numbers('bytes')) total += bytes;
  }
  return total;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}
