import { RefusedError } from '../errors.ts';

/** What a name in a message, a record or a path may be. None of them can leave a folder. */
const shapes = {
  'study id': /^[a-z0-9]+(-[a-z0-9]+)*$/,
  'cell id': /^[A-Za-z0-9][A-Za-z0-9._=,~+-]*$/,
  'stage name': /^[A-Za-z][A-Za-z0-9_]*$/,
  'stage kind': /^[a-z][a-z0-9-]*$/,
  'step key': /^[A-Za-z0-9][A-Za-z0-9-]*$/,
  'SHA-256': /^[0-9a-f]{64}$/,
  'checkpoint name': /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
  'file name': /^\.?[A-Za-z0-9][A-Za-z0-9._=,~+-]*(\/\.?[A-Za-z0-9][A-Za-z0-9._=,~+-]*)*$/,
  'record name': /^[A-Za-z0-9][A-Za-z0-9._=,~+-]*(\/[A-Za-z0-9][A-Za-z0-9._=,~+-]*)*$/,
};

const longest = 400;

/** How the name of a file begins that is not written to its end yet. */
export const temporaryMark = '.tmp-';

/** True if `name` is a name of this kind, whatever it is. */
export function isName(kind: keyof typeof shapes, name: unknown): name is string {
  return typeof name === 'string' && name.length <= longest && shapes[kind].test(name);
}

/** The name itself. Throws {@link RefusedError} if it is none of this kind. */
export function checkedName(kind: keyof typeof shapes, name: unknown): string {
  if (isName(kind, name)) return name;
  throw new RefusedError(`${JSON.stringify(name)?.slice(0, 80)} is no ${kind}.`);
}

/** Name in the store of a record of a study: `studies/<id>/plan.json`. */
export function studyRecordName(studyId: string, record: 'study' | 'plan' | 'result' | 'left-out'): string {
  return `studies/${checkedName('study id', studyId)}/${record}.json`;
}

/** Name in the store of what became of a cell. */
export function cellRecordName(studyId: string, cellId: string): string {
  return `studies/${checkedName('study id', studyId)}/cells/${checkedName('cell id', cellId)}.json`;
}

/** Name in the store of an artifact's file. */
export function artifactFileName(sha256: string): string {
  return `artifacts/${checkedName('SHA-256', sha256).slice(0, 2)}/${sha256}.arrow`;
}

/** Name in the store of the record of a finished step. */
export function stepFileName(key: string): string {
  return `steps/${checkedName('step key', key).slice(0, 2)}/${key}.json`;
}
