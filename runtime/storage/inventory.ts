import { isName, stepFileName, temporaryMark } from '../../artifacts/store/names.ts';
import type { StepRecord } from '../../artifacts/store/step.ts';
import type { Store, StoredFile } from '../../artifacts/store/store.ts';
import { StepIndex } from './step-index.ts';

/** Steps read at a time. */
const heldSteps = 500;

/** Every file of a store, by what it is. */
export interface Inventory {
  /** By SHA-256. */
  readonly artifacts: ReadonlyMap<string, StoredFile>;
  /** Records of finished steps, by key. */
  readonly steps: ReadonlyMap<string, StoredFile>;
  /** Files of checkpoints, by the key of their step. */
  readonly checkpoints: ReadonlyMap<string, readonly StoredFile[]>;
  /** Records of studies, by study. */
  readonly studies: ReadonlyMap<string, readonly StoredFile[]>;
  readonly pins: readonly StoredFile[];
  /** Files that were not written to their end, or are not yet, and announcements of sweeps. */
  readonly temporary: readonly StoredFile[];
  /** What nothing here knows. */
  readonly other: readonly StoredFile[];
  /** The finished steps themselves. */
  readonly index: StepIndex;
  /** Names of records of steps that are changed or torn: what they lead to is not known. */
  readonly unreadable: readonly string[];
}

/**
 * Looks through a store in the order that a `gc` beside writers needs: first the files of steps, then the steps that name them, then the studies that lead to those. So
 * whoever wrote a file that is listed has written before what the file is for, and that is found.
 */
export async function takeInventory(store: Store): Promise<Inventory> {
  const all = await store.listFiles();
  const stepFiles = await store.listFiles('steps');
  const { records, unreadable } = await readAllSteps(store, stepFiles);
  const kept = all.filter(({ name }) => !/^(steps|studies|pins)\//.test(name));
  const sorted = new Sorter();
  for (const file of [
    ...kept,
    ...stepFiles,
    ...(await store.listFiles('studies')),
    ...(await store.listFiles('pins')),
  ])
    sorted.add(file);
  return { ...sorted, index: new StepIndex(records), unreadable };
}

class Sorter {
  readonly artifacts = new Map<string, StoredFile>();
  readonly steps = new Map<string, StoredFile>();
  readonly checkpoints = new Map<string, StoredFile[]>();
  readonly studies = new Map<string, StoredFile[]>();
  readonly pins: StoredFile[] = [];
  readonly temporary: StoredFile[] = [];
  readonly other: StoredFile[] = [];

  add(file: StoredFile): void {
    const [part, folder, ...rest] = file.name.split('/') as [string, ...string[]];
    const name = file.name.slice(file.name.lastIndexOf('/') + 1);
    const sha256 = /^artifacts\/[^/]+\/([^/]+)\.arrow$/.exec(file.name)?.[1];
    const key = keyOf(file);
    if (name.startsWith(temporaryMark) || part === 'sweeps') this.temporary.push(file);
    else if (isName('SHA-256', sha256)) this.artifacts.set(sha256, file);
    else if (key !== undefined) this.steps.set(key, file);
    else if (part === 'checkpoints' && folder !== undefined && rest.length > 0)
      append(this.checkpoints, folder, file);
    else if (part === 'studies' && folder !== undefined && rest.length > 0)
      append(this.studies, folder, file);
    else if (part === 'pins') this.pins.push(file);
    else this.other.push(file);
  }
}

/** The key of the step whose record a file is. */
function keyOf({ name }: StoredFile): string | undefined {
  const key = /^steps\/[^/]+\/([^/]+)\.json$/.exec(name)?.[1];
  return isName('step key', key) && stepFileName(key) === name ? key : undefined;
}

function append(map: Map<string, StoredFile[]>, name: string, file: StoredFile): void {
  const known = map.get(name);
  if (known === undefined) map.set(name, [file]);
  else known.push(file);
}

async function readAllSteps(
  store: Store,
  files: readonly StoredFile[],
): Promise<{ readonly records: StepRecord[]; readonly unreadable: string[] }> {
  const keys = files.flatMap((file) => keyOf(file) ?? []);
  const records: StepRecord[] = [];
  const unread: string[] = [];
  for (let at = 0; at < keys.length; at += heldSteps) {
    const some = keys.slice(at, at + heldSteps);
    for (const [index, record] of (await store.readSteps(some)).entries()) {
      if (record === undefined) unread.push(stepFileName(some[index]!));
      else records.push(record);
    }
  }
  if (unread.length === 0) return { records, unreadable: [] };
  // Another `gc` may have removed some meanwhile.
  const there = new Set((await store.listFiles('steps')).map(({ name }) => name));
  return { records, unreadable: unread.filter((name) => there.has(name)) };
}
