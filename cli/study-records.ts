import { fileURLToPath } from 'node:url';
import fastest from 'fastest-levenshtein';
import { InputError } from '../artifacts/errors.ts';
import type { ArtifactRef } from '../artifacts/reference.ts';
import type { Store } from '../artifacts/store.ts';
import type { Plan } from '../compiler/index.ts';
import type { StudyRecord } from '../runtime/client.ts';
import type { CellResult, StudyResult } from '../workflows/messages.ts';

/** An output of a stage of a study. */
export interface ListedArtifact extends ArtifactRef {
  /** `study` for the output of a stage over all cells. */
  readonly cell: string;
  readonly stage: string;
  readonly output: string;
  /** File of an artifact in a local store. */
  readonly path: string | undefined;
}

/** The studies in a store, newest launch first. */
export async function listStudies(store: Store): Promise<StudyRecord[]> {
  const names = (await store.listTexts('studies')).filter((name) =>
    /^studies\/[^/]+\/study\.json$/.test(name),
  );
  const records = await Promise.all(names.map((name) => readJson<StudyRecord>(store, name)));
  return records
    .filter((record) => record !== undefined)
    .sort((a, b) => b.startedAt.localeCompare(a.startedAt));
}

/**
 * The study that `wanted` names: an id, the beginning of one, or a pipeline's name; without it, the one launched last.
 * Throws `InputError` naming those that there are.
 */
export async function resolveStudy(store: Store, wanted: string | undefined): Promise<StudyRecord> {
  const studies = await listStudies(store);
  const found =
    wanted === undefined
      ? studies[0]
      : (studies.find(({ studyId }) => studyId === wanted) ??
        studies.find(({ studyId }) => studyId.startsWith(wanted)));
  if (found !== undefined) return found;
  if (studies.length === 0)
    throw new InputError(
      `There are no studies in ${store.uri}.`,
      'Start one with `epochal run FILE`, or name another --store.',
    );
  const ids = studies.map(({ studyId }) => studyId);
  throw new InputError(
    `There is no study ${wanted} in ${store.uri}.`,
    `Did you mean ${fastest.closest(wanted!, ids)}? \`epochal list\` shows all.`,
  );
}

/** The frozen plan of a study. */
export async function readPlan(store: Store, studyId: string): Promise<Plan> {
  const plan = await readJson<Plan>(store, `studies/${studyId}/plan.json`);
  if (plan === undefined)
    throw new InputError(`The study ${studyId} in ${store.uri} has no plan.`, 'Run its pipeline again.');
  return plan;
}

/** The results of the cells that have ended, in the order of the plan. */
export async function readCells(store: Store, plan: Plan, studyId: string): Promise<CellResult[]> {
  const results = await Promise.all(
    plan.cells.map(({ id }) => readJson<CellResult>(store, `studies/${studyId}/cells/${id}.json`)),
  );
  return results.filter((result) => result !== undefined);
}

/** The result of a study that has ended. */
export function readResult(store: Store, studyId: string): Promise<StudyResult | undefined> {
  return readJson<StudyResult>(store, `studies/${studyId}/result.json`);
}

/** Every output of every finished stage, cell by cell. */
export async function listArtifacts(store: Store, studyId: string): Promise<ListedArtifact[]> {
  const plan = await readPlan(store, studyId);
  const cells = await readCells(store, plan, studyId);
  const order = plan.cells[0]?.stages.map(({ name }) => name) ?? [];
  const listed: ListedArtifact[] = [];
  for (const { cellId, stages } of cells) {
    for (const stage of Object.keys(stages).sort((a, b) => order.indexOf(a) - order.indexOf(b))) {
      for (const [output, ref] of Object.entries(stages[stage]!.outputs))
        listed.push(entry(cellId, stage, output, ref));
    }
  }
  for (const [stage, { outputs }] of Object.entries((await readResult(store, studyId))?.collect ?? {})) {
    for (const [output, ref] of Object.entries(outputs)) listed.push(entry('study', stage, output, ref));
  }
  return listed;
}

function entry(cell: string, stage: string, output: string, ref: ArtifactRef): ListedArtifact {
  return {
    cell,
    stage,
    output,
    ...ref,
    path: ref.uri.startsWith('file:') ? fileURLToPath(ref.uri) : undefined,
  };
}

async function readJson<T>(store: Store, name: string): Promise<T | undefined> {
  const text = await store.readText(name);
  return text === undefined ? undefined : (JSON.parse(text) as T);
}
