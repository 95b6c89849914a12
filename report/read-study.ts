import pLimit from 'p-limit';
import { findMetadata } from '../artifacts/arrow/metadata.ts';
import { DamagedArtifactError, DamagedRecordError, InputError } from '../artifacts/errors.ts';
import type { ArtifactRef } from '../artifacts/reference.ts';
import type { StepRecord } from '../artifacts/store/step.ts';
import type { Store } from '../artifacts/store/store.ts';
import type { Plan, PlannedCell } from '../compiler/plan.ts';
import type { CellResult, StudyResult } from '../workflows/messages.ts';
import { outsideInWords } from './eigenpairs.ts';

/** What the store knows of a study. */
export interface Study {
  readonly studyId: string;
  readonly plan: Plan;
  /** Finished cells by id. */
  readonly cells: ReadonlyMap<string, CellResult>;
  /** What cannot be believed and is left out: records that were changed, torn or lost. */
  readonly damaged: readonly string[];
  /** Absent while the study runs. */
  readonly result: StudyResult | undefined;
  /** The cells whose stages the report lists one by one: at most {@link detailedCells}, failed ones first. */
  readonly detailed: readonly PlannedCell[];
  /** Steps of those cells and of the collects, by key. */
  readonly steps: ReadonlyMap<string, StepRecord>;
  /** What eigenpairs of those cells say of the eigenvalues that they do not have, by SHA-256. */
  readonly completeness: ReadonlyMap<string, string>;
}

/** A report of thousands of cells stays readable, and a browser can open it. */
export const detailedCells = 40;

/** Files read at a time. */
export const limit = pLimit(16);

/** Reads a study. Throws {@link InputError} if the store has no study of this id, {@link DamagedRecordError} if its plan is damaged. */
export async function readStudy(store: Store, studyId: string): Promise<Study> {
  const plan = await readJson<Plan>(store, `studies/${studyId}/plan.json`);
  if (plan === undefined) {
    throw new InputError(
      `There is no study ${JSON.stringify(studyId)} in ${store.uri}.`,
      'See `npx epochal list` for the studies, and name its store with --store if it is another one.',
    );
  }
  const unbelieved = new Set<string>();
  const readRecord = async <T>(name: string): Promise<T | undefined> => {
    try {
      return await readJson<T>(store, name);
    } catch (error) {
      if (!(error instanceof DamagedRecordError)) throw error;
      unbelieved.add(name);
      return undefined;
    }
  };
  const resultName = `studies/${studyId}/result.json`;
  const result = await readRecord<StudyResult>(resultName);
  const results = await Promise.all(
    plan.cells.map(({ id }) => limit(() => readRecord<CellResult>(cellRecord(studyId, id)))),
  );
  const cells = new Map(
    plan.cells.flatMap(({ id }, index) => (results[index] === undefined ? [] : [[id, results[index]]])),
  );
  const left = [...cells.values()].filter(({ status }) => status === 'succeeded').length;
  const unread = plan.cells.filter(({ id }) => !cells.has(id)).map(({ id }) => cellRecord(studyId, id));
  const changed = unread.filter((name) => unbelieved.has(name));
  const areGone = result !== undefined && left + changed.length < result.counts.succeeded;
  // In the order of the plan, whichever was read first.
  const damaged = [...(unbelieved.has(resultName) ? [resultName] : []), ...(areGone ? unread : changed)];
  const detailed = troubledFirst({ studyId, plan, cells, damaged })
    .filter(({ id }) => cells.has(id))
    .slice(0, detailedCells);
  const outcomes = [
    ...detailed.flatMap(({ id }) => Object.values(cells.get(id)?.stages ?? {})),
    ...Object.values(result?.collect ?? {}),
  ];
  const keys = [...new Set(outcomes.map(({ key }) => key))];
  const records = await Promise.all(keys.map((key) => limit(() => store.readStep(key))));
  const lost = keys.filter((_, index) => records[index] === undefined);
  damaged.push(...lost.map((key) => `steps/${key.slice(0, 2)}/${key}.json`));
  const steps = new Map(records.flatMap((record) => (record === undefined ? [] : [[record.key, record]])));
  const eigenpairs = outcomes
    .flatMap(({ outputs }) => Object.values(outputs))
    .filter(({ kind }) => kind === 'eigenpairs');
  const completeness = new Map(
    await Promise.all(
      eigenpairs.map(async (ref) => [ref.sha256, await limit(() => completenessOf(store, ref))] as const),
    ),
  );
  return { studyId, plan, cells, damaged, result, detailed, steps, completeness };
}

/** The folder of the pipeline file; undefined if the record that says so is damaged. */
export async function baseDirectoryOf(store: Store, studyId: string): Promise<string | undefined> {
  try {
    return (await readJson<{ baseDirectory?: string }>(store, `studies/${studyId}/study.json`))
      ?.baseDirectory;
  } catch (error) {
    if (error instanceof DamagedRecordError) return undefined;
    throw error;
  }
}

/** In words; none of principal components. */
async function completenessOf(store: Store, ref: ArtifactRef): Promise<string> {
  try {
    const claims = findMetadata(await store.describe(ref), 'hessian');
    return claims === undefined ? '' : outsideInWords(claims);
  } catch (error) {
    if (error instanceof DamagedArtifactError) return 'damaged or gone';
    throw error;
  }
}

/** `n` of the items at most, evenly spread. */
export function evenly<T>(items: readonly T[], n: number): readonly T[] {
  if (items.length <= n) return items;
  return Array.from({ length: n }, (_, index) => items[Math.floor((index * items.length) / n)]!);
}

/** The cells of a plan: those that failed, were cancelled or have a damaged record, in this order, then the others. */
export function troubledFirst(
  study: Pick<Study, 'studyId' | 'plan' | 'cells' | 'damaged'>,
): readonly PlannedCell[] {
  const { studyId, plan, cells } = study;
  const damaged = new Set(study.damaged);
  const rank = ({ id }: PlannedCell) => {
    const status = damaged.has(cellRecord(studyId, id)) ? 'damaged' : cells.get(id)?.status;
    const place = ['failed', 'cancelled', 'damaged'].indexOf(status ?? '');
    return place === -1 ? 3 : place;
  };
  return plan.cells.toSorted((a, b) => rank(a) - rank(b));
}

/** Name of the record of a cell in the store. */
export function cellRecord(studyId: string, cellId: string): string {
  return `studies/${studyId}/cells/${cellId}.json`;
}

async function readJson<T>(store: Store, name: string): Promise<T | undefined> {
  const text = await store.readText(name);
  return text === undefined ? undefined : (JSON.parse(text) as T);
}
