import type { ArtifactRef } from '../reference.ts';
import { studyRecordName } from './names.ts';
import { readRecord } from './records.ts';
import type { Store } from './store.ts';

/** Artifacts of a study that were not taken along when it was exported: the record `left-out.json` of the exported store. */
export interface LeftOut {
  readonly studyId: string;
  readonly artifacts: readonly Pick<ArtifactRef, 'sha256' | 'kind' | 'bytes'>[];
}

/** What an export has left out; undefined in a store that is none. Throws `DamagedRecordError`. */
export function readLeftOut(store: Store, studyId: string): Promise<LeftOut | undefined> {
  return readRecord<LeftOut>(store, studyRecordName(studyId, 'left-out'));
}

/** Puts the record into the store that is exported to. */
export async function writeLeftOut(store: Store, record: LeftOut): Promise<void> {
  await store.writeText(studyRecordName(record.studyId, 'left-out'), JSON.stringify(record));
}
