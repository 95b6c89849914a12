import type { DamagedRecordError } from '../errors.ts';
import { checkedName, isName } from '../store/names.ts';
import { readRecords } from '../store/records.ts';
import type { Store } from '../store/store.ts';

/**
 * What stays whatever becomes of the studies around it: a study, which is not deleted, or an artifact, which is kept with all that it was made from.
 * Lies in `pins/studies/<id>.json` or `pins/artifacts/<sha256>.json`.
 */
export interface Pin {
  readonly of: 'study' | 'artifact';
  /** Id of the study, or SHA-256 of the artifact. */
  readonly id: string;
  readonly pinnedAt: string;
  /** Why, in the user's words. */
  readonly note?: string;
}

const folder = 'pins';
const ending = '.json';

/** Name in the store of the record of a pin. Throws `RefusedError` if the id is none. */
export function pinName({ of, id }: Pick<Pin, 'of' | 'id'>): string {
  return of === 'study'
    ? `${folder}/studies/${checkedName('study id', id)}${ending}`
    : `${folder}/artifacts/${checkedName('SHA-256', id)}${ending}`;
}

/** All pins, and the errors of those that are damaged. */
export async function readPins(
  store: Store,
): Promise<{ readonly pins: Pin[]; readonly damaged: DamagedRecordError[] }> {
  const files = (await store.listFiles(folder)).map(({ name }) => name).sort();
  const names = files.filter((name) => isName('record name', name) && name.endsWith(ending));
  const pins: Pin[] = [];
  const damaged: DamagedRecordError[] = [];
  for (const record of await readRecords<Pin>(store, names)) {
    if (record instanceof Error) damaged.push(record);
    // One that is undefined was taken away meanwhile.
    else if (record !== undefined) pins.push(record);
  }
  return { pins, damaged };
}

export async function writePin(store: Store, pin: Pin): Promise<void> {
  await store.writeText(pinName(pin), `${JSON.stringify(pin, undefined, 2)}\n`);
}
