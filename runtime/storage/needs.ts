import { DamagedRecordError } from '../../artifacts/errors.ts';
import { readPins } from '../../artifacts/keeping/pins.ts';
import { isName } from '../../artifacts/store/names.ts';
import type { Store } from '../../artifacts/store/store.ts';
import type { Inventory } from './inventory.ts';
import { needsOfStudy, type StudyNeeds } from './study-needs.ts';

/** What the studies and pins of a store need of it. */
export interface Needs {
  readonly studies: readonly StudyNeeds[];
  /** SHA-256 of pinned artifacts. */
  readonly artifacts: readonly string[];
  /** Ids of pinned studies. */
  readonly pinned: ReadonlySet<string>;
  /** What cannot be read, in a sentence each: what it needs is not known. */
  readonly unjudged: readonly string[];
}

/** Reads all studies and pins. */
export async function readNeeds(store: Store, { studies, index, unreadable }: Inventory): Promise<Needs> {
  const unjudged = unreadable.map((name) => `${name} was changed or torn.`);
  const read: StudyNeeds[] = [];
  for (const [studyId, files] of studies) {
    if (!isName('study id', studyId)) {
      unjudged.push(`studies/${studyId} has no name of a study.`);
      continue;
    }
    try {
      read.push(await needsOfStudy(store, studyId, files, index));
    } catch (error) {
      if (!(error instanceof DamagedRecordError)) throw error;
      unjudged.push(error.message);
    }
  }
  const { pins, damaged } = await readPins(store);
  unjudged.push(...damaged.map(({ message }) => message));
  const idsOf = (of: 'study' | 'artifact') => pins.filter((pin) => pin.of === of).map(({ id }) => id);
  return { studies: read, artifacts: idsOf('artifact'), pinned: new Set(idsOf('study')), unjudged };
}

/**
 * What changes whenever a study is launched or deleted, or a pin is set: who has read the needs of a store before or after such a change sees that
 * by it. It is quickly read, however many cells there are.
 */
export async function stampOf(store: Store): Promise<string> {
  const ids = (await store.listFolder('studies')).filter((id) => isName('study id', id));
  const records = await store.readTexts(ids.map((id) => `studies/${id}/study.json`));
  const pins = (await store.listFiles('pins')).map(({ name, writtenAt }) => `${name} ${writtenAt}`).sort();
  return JSON.stringify([
    ids,
    records.map((record) => (record instanceof Error ? record.message : (record ?? null))),
    pins,
  ]);
}
