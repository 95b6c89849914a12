import type { DamagedRecordError } from '../errors.ts';
import type { Store } from './store.ts';

/** Texts held at a time. */
const heldTexts = 500;

/** The record of this name; undefined if there is none. Throws as `readText` of the store. */
export async function readRecord<T>(store: Store, name: string): Promise<T | undefined> {
  const text = await store.readText(name);
  return text === undefined ? undefined : (JSON.parse(text) as T);
}

/** Of each name, in their order, its record: undefined if there is none, the error if it is damaged. Each is read once. */
export async function readRecords<T>(
  store: Store,
  names: readonly string[],
): Promise<(T | undefined | DamagedRecordError)[]> {
  const records: (T | undefined | DamagedRecordError)[] = [];
  for (let at = 0; at < names.length; at += heldTexts) {
    for (const text of await store.readTexts(names.slice(at, at + heldTexts)))
      records.push(typeof text === 'string' ? (JSON.parse(text) as T) : text);
  }
  return records;
}
