import path from 'node:path';
import type { Prospect } from '../activities/prospect.ts';
import { filesOf } from '../artifacts/outputs.ts';
import type { StepRecord, Store } from '../artifacts/store.ts';
import { type KnownFacts, prospectOf } from './prospects.ts';

/** What a stage may cost. */
export interface Estimate {
  /** Absent if nothing comparable has run in this store. */
  readonly seconds?: number;
  /** Bytes written, the parts of a trajectory included; exact but for headers where settings decide them. */
  readonly bytes?: number;
}

/** Steps of a store that are looked at: enough to find comparable ones, few enough for a dry run. */
const looksAt = 2000;

/** A stage's process starts and loads TensorFlow in about this long, whatever the work. */
const startSeconds = 1;

/**
 * Estimates a stage. Its bytes follow from its settings where those decide them. Its time is that of the comparable step with the most work in
 * the store, in proportion to the work: a step of its kind, of the same network if there is one. Rough: another machine takes another time.
 */
export type Estimator = (uses: string, prospect: Prospect | undefined) => Promise<Estimate>;

interface PastStep {
  readonly record: StepRecord;
  readonly prospect: Prospect | undefined;
}

export async function createEstimator(store: Store | undefined): Promise<Estimator> {
  const names = ((await store?.listTexts('steps')) ?? []).slice(0, looksAt);
  const keys = names.map((name) => path.basename(name, '.json'));
  const records = (await Promise.all(keys.map((key) => store!.readStep(key)))).filter(
    (record) => record !== undefined,
  );
  const past = await lookBack(records);
  const bytesOnce = new Map<StepRecord, Promise<number>>();
  return async (uses, prospect) => {
    const steps = past.get(uses) ?? [];
    const bytes = prospect?.bytes ?? (await typicalBytes(steps, store, bytesOnce));
    const seconds = timeOf(steps, prospect);
    return { ...(seconds === undefined ? {} : { seconds }), ...(bytes === undefined ? {} : { bytes }) };
  };
}

/** The prospect that each step of the store had, from the records of the steps that made its inputs. */
async function lookBack(records: readonly StepRecord[]): Promise<ReadonlyMap<string, PastStep[]>> {
  const makers = new Map<string, readonly [StepRecord, string]>();
  for (const record of records)
    for (const [output, { sha256 }] of Object.entries(record.outputs)) makers.set(sha256, [record, output]);
  const prospects = new Map<StepRecord, Prospect | undefined>();
  const visit = async (record: StepRecord): Promise<void> => {
    if (prospects.has(record)) return;
    prospects.set(record, undefined);
    for (const sha256 of Object.values(record.inputs)) {
      const maker = makers.get(sha256);
      if (maker !== undefined) await visit(maker[0]);
    }
    const known: KnownFacts = (reference) => {
      const maker = typeof reference === 'string' ? makers.get(reference) : undefined;
      return (maker && prospects.get(maker[0])?.outputs[maker[1]]) ?? {};
    };
    const withs = record.with as Readonly<Record<string, unknown>>;
    prospects.set(record, await prospectOf(record.uses, withs, known).catch(() => undefined));
  };
  const past = new Map<string, PastStep[]>();
  for (const record of records) {
    await visit(record);
    past.set(record.uses, [...(past.get(record.uses) ?? []), { record, prospect: prospects.get(record) }]);
  }
  return past;
}

function timeOf(steps: readonly PastStep[], prospect: Prospect | undefined): number | undefined {
  if (prospect?.work === undefined) {
    // What has no measure of work takes about the same time each time.
    const times = steps.flatMap(({ record, prospect: own }) =>
      own?.work === undefined ? [record.provenance.seconds] : [],
    );
    return median(times);
  }
  const measured = steps.filter((step) => (step.prospect?.work ?? 0) > 0);
  const same = measured.filter((step) => step.prospect!.like === prospect.like);
  const [most] = (same.length > 0 ? same : measured).toSorted(
    (a, b) => b.prospect!.work! - a.prospect!.work!,
  );
  if (most === undefined) return undefined;
  const { seconds } = most.record.provenance;
  const start = Math.min(startSeconds, 0.8 * seconds);
  return start + ((seconds - start) * prospect.work) / most.prospect!.work!;
}

async function typicalBytes(
  steps: readonly PastStep[],
  store: Store | undefined,
  once: Map<StepRecord, Promise<number>>,
): Promise<number | undefined> {
  const sizes: number[] = [];
  for (const { record } of steps) {
    const size = once.get(record) ?? bytesOf(record, store!);
    once.set(record, size);
    sizes.push(await size);
  }
  return median(sizes);
}

async function bytesOf({ outputs }: StepRecord, store: Store): Promise<number> {
  let total = 0;
  for (const ref of Object.values(outputs)) {
    for (const { bytes } of await filesOf(store, ref).catch(() => [ref])) total += bytes;
  }
  return total;
}

function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}
