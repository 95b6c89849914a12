import { resolveWith } from '../../activities/engine/resolve-with.ts';
import { deviceOf, stepOfStage } from '../../activities/engine/step.ts';
import { countGpus } from '../../activities/index.ts';
import { outsideDigests } from '../../activities/kinds/own-kinds.ts';
import { InputError } from '../../artifacts/errors.ts';
import type { ArtifactRef } from '../../artifacts/reference.ts';
import { findStep } from '../../artifacts/store/outputs.ts';
import type { StepRecord } from '../../artifacts/store/step.ts';
import type { Store } from '../../artifacts/store/store.ts';
import type { Plan, PlannedCell, PlannedStage } from '../../compiler/index.ts';
import { digestOf } from '../../compiler/plan/recipe.ts';
import { instructionSet } from '../../compute/environment.ts';
import { createEstimator, type Estimate } from './estimate.ts';
import { createProspector } from './prospects.ts';

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
  /** Steps of SGD, where it takes them and their number is known. */
  readonly sgdSteps?: number;
  /** What it may cost, if it must run, as far as that is known. */
  readonly estimate?: Estimate;
}

/**
 * Looks up every stage of a plan in the store, without running anything. A stage's step key is known once all of its inputs are there; what
 * comes after a stage that must run, runs too. Throws `InputError` if outside data is missing: the run would fail.
 */
export async function foresee(
  plan: Plan,
  store: Store | undefined,
  baseDirectory: string,
): Promise<StageForesight[]> {
  const seen = new Map<string, string>();
  const estimate = await createEstimator(store);
  const prospector = createProspector(baseDirectory);
  const sources = createSourceReader(baseDirectory);
  const foresight: StageForesight[] = [];
  for (const cell of plan.cells) {
    // What is sure to fail has been told when the pipeline was checked.
    const prospects = await prospector(cell.stages, () => undefined);
    for (const stage of await foreseeCell(cell, store, sources, seen)) {
      const runs = stage.action === 'run';
      const prospect = prospects.get(stage.stage);
      const { resources } = cell.stages.find(({ name }) => name === stage.stage)!;
      const hardware = { threads: resources.threads, device: deviceOf(resources, countGpus()) };
      const cost = runs ? await estimate(stage.uses, prospect, hardware) : {};
      foresight.push({
        ...stage,
        ...(prospect?.sgdSteps === undefined ? {} : { sgdSteps: prospect.sgdSteps }),
        ...(Object.keys(cost).length === 0 ? {} : { estimate: cost }),
      });
    }
  }
  const made = new Set(foresight.flatMap(({ stage, action }) => (action === 'reuse' ? [] : [stage])));
  for (const { name, uses, table } of plan.collect) {
    const why = made.has(table.stage)
      ? `${table.stage}.${table.output} of some cells is made anew`
      : `it gathers ${table.stage}.${table.output} of all cells; a run sees whether that has changed`;
    const cost = await estimate(uses, undefined);
    foresight.push({ cell: 'study', stage: name, uses, action: 'run', why, estimate: cost });
  }
  return foresight;
}

/** Digests of outside files, read once for each data set however many cells use it. */
type SourceReader = (
  uses: string,
  withs: Readonly<Record<string, unknown>>,
) => Promise<Readonly<Record<string, string>>>;

function createSourceReader(baseDirectory: string): SourceReader {
  const read = new Map<string, Promise<Readonly<Record<string, string>>>>();
  return (uses, withs) => {
    const key = digestOf({ uses, withs });
    const known = read.get(key) ?? digestSources(uses, withs, baseDirectory);
    read.set(key, known);
    return known;
  };
}

async function digestSources(
  uses: string,
  withs: Readonly<Record<string, unknown>>,
  baseDirectory: string,
): Promise<Readonly<Record<string, string>>> {
  return outsideDigests(uses, withs, baseDirectory);
}

async function foreseeCell(
  cell: PlannedCell,
  store: Store | undefined,
  sources: SourceReader,
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
    const found = await lookUp(stage, available, store, sources);
    if (found.outputs !== undefined) available[name] = found.outputs;
    const reuse = found.seconds !== undefined;
    const shared = !reuse && first !== undefined;
    foresight.push({
      ...base,
      action: reuse ? 'reuse' : shared ? 'shared' : 'run',
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
  /** What it gives, if it was done before; made again, if damaged, it gives the same. */
  readonly outputs?: Readonly<Record<string, ArtifactRef>>;
  /** Seconds that it took, if it can be reused. */
  readonly seconds?: number;
}

async function lookUp(
  stage: PlannedStage,
  available: Readonly<Record<string, Readonly<Record<string, ArtifactRef>>>>,
  store: Store | undefined,
  sources: SourceReader,
): Promise<Found> {
  const resolved = resolveWith(stage, available);
  let outside: Readonly<Record<string, string>>;
  try {
    outside = await sources(stage.uses, resolved.with);
  } catch (error) {
    if (error instanceof InputError) throw error;
    return { why: `it would fail: ${(error as Error).message}` };
  }
  const keyOf = (version: number): string =>
    stepOfStage({ ...stage, version }, resolved, outside, deviceOf(stage.resources, countGpus())).key;
  const key = keyOf(stage.version);
  const found = store === undefined ? undefined : await findStep(store, key, stage.outputs);
  if (found === undefined) return { key, why: (await madeBefore(stage, store, keyOf)) ?? notThere };
  const { record, damage } = found;
  const { outputs } = record;
  const [first] = damage;
  if (first !== undefined)
    return { key, outputs, why: `its output ${first.output} in the store, ${first.what}` };
  const { startedAt, seconds } = record.provenance;
  return {
    key,
    outputs,
    seconds,
    why: `made on ${startedAt.slice(0, 16).replace('T', ' ')} UTC with equal settings and inputs${elsewhere(record)}`,
  };
}

const notThere = 'no result with these settings and inputs is in the store';

/** Why a result of an earlier version of the stage kind is not reused, if there is one. */
async function madeBefore(
  { uses, version, outputs }: PlannedStage,
  store: Store | undefined,
  keyOf: (version: number) => string,
): Promise<string | undefined> {
  for (let earlier = version - 1; store !== undefined && earlier > Math.max(0, version - 3); earlier--)
    if ((await findStep(store, keyOf(earlier), outputs)) !== undefined)
      return `the result in the store is of version ${earlier} of the kind ${uses}, which is of version ${version} now`;
  return undefined;
}

/** Other instructions may round otherwise: what was made with them is as good, but not equal to the last bit. */
function elsewhere({ provenance }: StepRecord): string {
  const { instructions } = provenance;
  const here = instructionSet();
  return instructions === undefined || instructions === here
    ? ''
    : `, by ${instructions} instructions (here: ${here})`;
}
