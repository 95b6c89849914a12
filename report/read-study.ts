import { basename } from 'node:path';
import pLimit from 'p-limit';
import { findMetadata } from '../artifacts/arrow/metadata.ts';
import { DamagedArtifactError, DamagedRecordError, InputError } from '../artifacts/errors.ts';
import type { ArtifactRef } from '../artifacts/reference.ts';
import { readLeftOut } from '../artifacts/store/left-out.ts';
import { readRecord, readRecords } from '../artifacts/store/records.ts';
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
  /** The cells of the plan: those that failed, were cancelled, have a damaged record or a warning, in this order, then the others. */
  readonly ordered: readonly PlannedCell[];
  /** What cannot be believed and is left out: records that were changed, torn or lost. */
  readonly damaged: readonly string[];
  /** Absent while the study runs. */
  readonly result: StudyResult | undefined;
  /** The cells whose stages the report lists one by one: the first {@link detailedCells} of {@link ordered}. */
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
  const plan = await readRecord<Plan>(store, `studies/${studyId}/plan.json`);
  if (plan === undefined) {
    throw new InputError(
      `There is no study ${JSON.stringify(studyId)} in ${store.uri}.`,
      'See `npx epochal list` for the studies, and name its store with --store if it is another one.',
    );
  }
  const resultName = `studies/${studyId}/result.json`;
  const names = [resultName, ...plan.cells.map(({ id }) => cellRecord(studyId, id))];
  const [resultRecord, ...records] = await readRecords<StudyResult | CellResult>(store, names);
  const result = believed(resultRecord as StudyResult | DamagedRecordError | undefined);
  const cells = new Map<string, CellResult>();
  const [unread, changed]: [string[], string[]] = [[], []];
  for (const [index, { id }] of plan.cells.entries()) {
    const record = records[index] as CellResult | DamagedRecordError | undefined;
    const cell = believed(record);
    if (cell !== undefined) cells.set(id, cell);
    else unread.push(names[index + 1]!);
    if (record instanceof DamagedRecordError) changed.push(names[index + 1]!);
  }
  const left = [...cells.values()].filter(({ status }) => status === 'succeeded').length;
  const areGone = result !== undefined && left + changed.length < result.counts.succeeded;
  const damaged = [
    ...(resultRecord instanceof DamagedRecordError ? [resultName] : []),
    ...(areGone ? unread : changed),
  ];
  const ordered = troubledFirst(plan, cells, new Set(damaged.map((name) => cellOf(name))));
  const detailed = ordered.filter(({ id }) => cells.has(id)).slice(0, detailedCells);
  const outcomes = [
    ...detailed.flatMap(({ id }) => Object.values(cells.get(id)?.stages ?? {})),
    ...Object.values(result?.collect ?? {}),
  ];
  const keys = [...new Set(outcomes.map(({ key }) => key))];
  const found = await store.readSteps(keys);
  const lost = keys.filter((_, index) => found[index] === undefined);
  damaged.push(...lost.map((key) => `steps/${key.slice(0, 2)}/${key}.json`));
  const steps = new Map(found.flatMap((record) => (record === undefined ? [] : [[record.key, record]])));
  const eigenpairs = outcomes
    .flatMap(({ outputs }) => Object.values(outputs))
    .filter(({ kind }) => kind === 'eigenpairs');
  const leftOut = await leftOutOf(store, studyId);
  const completeness = new Map(
    await Promise.all(
      eigenpairs.map(
        async (ref) => [ref.sha256, await limit(() => completenessOf(store, ref, leftOut))] as const,
      ),
    ),
  );
  return { studyId, plan, cells, ordered, damaged, result, detailed, steps, completeness };
}

/** The folder of the pipeline file; undefined if the record that says so is damaged. */
export async function baseDirectoryOf(store: Store, studyId: string): Promise<string | undefined> {
  try {
    return (await readRecord<{ baseDirectory?: string }>(store, `studies/${studyId}/study.json`))
      ?.baseDirectory;
  } catch (error) {
    if (error instanceof DamagedRecordError) return undefined;
    throw error;
  }
}

/** In words; none of principal components. */
async function completenessOf(store: Store, ref: ArtifactRef, leftOut: ReadonlySet<string>): Promise<string> {
  try {
    const claims = findMetadata(await store.describe(ref), 'hessian');
    return claims === undefined ? '' : outsideInWords(claims);
  } catch (error) {
    if (!(error instanceof DamagedArtifactError)) throw error;
    return leftOut.has(ref.sha256) ? 'left out of this export' : 'damaged or gone';
  }
}

/** SHA-256 of what an export has left out. A damaged record is told by `verify`; without it, what is missing counts as gone. */
async function leftOutOf(store: Store, studyId: string): Promise<ReadonlySet<string>> {
  try {
    return new Set((await readLeftOut(store, studyId))?.artifacts.map(({ sha256 }) => sha256));
  } catch (error) {
    if (error instanceof DamagedRecordError) return new Set();
    throw error;
  }
}

function troubledFirst(
  { cells: planned }: Plan,
  cells: ReadonlyMap<string, CellResult>,
  damaged: ReadonlySet<string>,
): readonly PlannedCell[] {
  const rankOf = ({ id }: PlannedCell) => {
    if (damaged.has(id)) return 2;
    const cell = cells.get(id);
    if (cell?.status === 'failed') return 0;
    if (cell?.status === 'cancelled') return 1;
    return cell !== undefined && hasWarnings(cell) ? 3 : 4;
  };
  return [0, 1, 2, 3, 4].flatMap((rank) => planned.filter((cell) => rankOf(cell) === rank));
}

/** Whether a stage of the cell says that its result is worth nothing. */
export function hasWarnings({ stages }: CellResult): boolean {
  return Object.values(stages).some(({ warnings = [] }) => warnings.length > 0);
}

function believed<T>(record: T | DamagedRecordError | undefined): T | undefined {
  return record instanceof DamagedRecordError ? undefined : record;
}

function cellOf(recordName: string): string {
  return basename(recordName, '.json');
}

/** Name of the record of a cell in the store. */
export function cellRecord(studyId: string, cellId: string): string {
  return `studies/${studyId}/cells/${cellId}.json`;
}
