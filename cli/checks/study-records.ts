import path from 'node:path';
import fastest from 'fastest-levenshtein';
import { DamagedRecordError, InputError } from '../../artifacts/errors.ts';
import { cellRecordName, isName } from '../../artifacts/store/names.ts';
import { readRecord, readRecords } from '../../artifacts/store/records.ts';
import type { Store } from '../../artifacts/store/store.ts';
import type { Plan } from '../../compiler/index.ts';
import type { StudyRecord } from '../../runtime/study/client.ts';
import type { CellResult, StudyResult } from '../../workflows/messages.ts';

/** The studies in a store, newest launch first; a study whose record is damaged is named only. */
export async function listStudies(
  store: Store,
): Promise<{ readonly studies: StudyRecord[]; readonly damaged: string[] }> {
  const studies: StudyRecord[] = [];
  const damaged: string[] = [];
  for (const studyId of await store.listFolder('studies')) {
    if (!isName('study id', studyId)) continue;
    const record = await unlessDamaged(readStudy(store, studyId), () => damaged.push(studyId));
    if (record !== undefined) studies.push(record);
  }
  studies.sort((a, b) => b.startedAt.localeCompare(a.startedAt));
  return { studies, damaged };
}

/**
 * The id of the study that `wanted` names: an id, the beginning of one, or a pipeline's name; without it, the one launched last.
 * Throws `InputError` naming those that there are.
 */
export async function resolveStudyId(store: Store, wanted: string | undefined): Promise<string> {
  const { studies, damaged } = await listStudies(store);
  const ids = [...studies.map(({ studyId }) => studyId), ...damaged];
  const found =
    wanted === undefined
      ? ids[0]
      : (ids.find((id) => id === wanted) ?? ids.find((id) => id.startsWith(wanted)));
  if (found !== undefined) return found;
  if (ids.length === 0)
    throw new InputError(
      `There are no studies in ${store.uri}.`,
      'Start one with `epochal run FILE`, or name another --store.',
    );
  throw new InputError(
    `There is no study ${wanted} in ${store.uri}.`,
    `Did you mean ${fastest.closest(wanted!, ids)}? \`epochal list\` shows all.`,
  );
}

/** The study that `wanted` names, as {@link resolveStudyId}. Throws `DamagedRecordError` if its record is damaged. */
export async function resolveStudy(store: Store, wanted: string | undefined): Promise<StudyRecord> {
  return (await readStudy(store, await resolveStudyId(store, wanted)))!;
}

/** The record of a study. Throws `DamagedRecordError`. */
export function readStudy(store: Store, studyId: string): Promise<StudyRecord | undefined> {
  return readRecord<StudyRecord>(store, `studies/${studyId}/study.json`);
}

/** The frozen plan of a study. Throws `DamagedRecordError` if it is damaged or gone. */
export async function readPlan(store: Store, studyId: string): Promise<Plan> {
  const name = `studies/${studyId}/plan.json`;
  const plan = await readRecord<Plan>(store, name);
  if (plan === undefined) throw new DamagedRecordError(name, store.uri);
  return plan;
}

/** The results of the cells that have ended; those that are damaged are told, not given. Both in the order of the plan. */
export function readCells(
  store: Store,
  plan: Pick<Plan, 'cells'>,
  studyId: string,
  tell?: (error: DamagedRecordError, cellId: string) => void,
): Promise<CellResult[]> {
  const ids = plan.cells.map(({ id }) => id);
  return readNamedCells(store, studyId, ids, tell);
}

/** The same without the plan, which is larger than all of them together: in the order of the values in their names. */
export async function readEndedCells(
  store: Store,
  studyId: string,
  tell?: TellDamage,
): Promise<CellResult[]> {
  const names = await store.listFolder(`studies/${studyId}/cells`);
  const ids = names.map((name) => path.basename(name, '.json')).filter((id) => isName('cell id', id));
  return readNamedCells(store, studyId, inOrderOfValues(ids), tell);
}

async function readNamedCells(
  store: Store,
  studyId: string,
  ids: readonly string[],
  tell: (error: DamagedRecordError, cellId: string) => void = () => undefined,
): Promise<CellResult[]> {
  const found = await readRecords<CellResult>(
    store,
    ids.map((id) => cellRecordName(studyId, id)),
  );
  return found.flatMap((record, index) => {
    if (record instanceof DamagedRecordError) tell(record, ids[index]!);
    return record === undefined || record instanceof DamagedRecordError ? [] : [record];
  });
}

/** `seed=2` before `seed=10`, `rate=0.05` before `rate=0.1`. */
function inOrderOfValues(ids: readonly string[]): string[] {
  const named = ids.map((id) => ({
    id,
    parts: id.split(/[,=]/).map((part) => [part, Number(part)] as const),
  }));
  named.sort((a, b) => {
    for (const [index, [text, value]] of a.parts.entries()) {
      const [other, otherValue] = b.parts[index] ?? ['', Number.NaN];
      if (text === other) continue;
      return value - otherValue || (text < other ? -1 : 1);
    }
    return a.parts.length - b.parts.length;
  });
  return named.map(({ id }) => id);
}

/** The result of a study that has ended. Throws `DamagedRecordError`. */
export function readResult(store: Store, studyId: string): Promise<StudyResult | undefined> {
  return readRecord<StudyResult>(store, `studies/${studyId}/result.json`);
}

/** Is told of a record that is not shown. */
export type TellDamage = (error: DamagedRecordError) => void;

/** What was read; undefined, and told, if it is damaged. */
export async function unlessDamaged<T>(read: Promise<T>, tell: TellDamage): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (!(error instanceof DamagedRecordError)) throw error;
    tell(error);
    return undefined;
  }
}
