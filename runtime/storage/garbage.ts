import { DamagedRecordError } from '../../artifacts/errors.ts';
import type { ArtifactKind } from '../../artifacts/reference.ts';
import type { Store, StoredFile } from '../../artifacts/store/store.ts';
import { type Inventory, takeInventory } from './inventory.ts';
import { Depths, keepNeeded } from './kept.ts';
import { type Needs, readNeeds, stampOf } from './needs.ts';
import { Reach, type Reached } from './reach.ts';
import type { KnownStep } from './step-index.ts';

/** What no finished step names may belong to a step that runs: it stays for so long after it was written last, in any case. */
const unfinishedMs = 86_400_000;

/** A file that nothing needs. */
export interface GarbageFile extends StoredFile {
  readonly what: 'step' | 'artifact' | 'checkpoint' | 'unfinished' | 'temporary';
  /** Of an artifact that a finished step names. */
  readonly kind?: ArtifactKind;
}

export interface Garbage {
  /**
   * Groups to be removed one after the other, a step before what it was made from; of the units in a group, each in its order: the record of a step before what it
   * names. So what is left is whole wherever it ends.
   */
  readonly groups: readonly (readonly (readonly GarbageFile[])[])[];
  /** What is left of unfinished steps, and stays because a study may go on with it. */
  readonly held: readonly StoredFile[];
  /** Studies that have not ended. */
  readonly open: readonly string[];
  /** Of the studies and pins when they were read: {@link stampOf}. */
  readonly stamp: string;
}

export interface GarbageOptions {
  /** Only what was written longer ago than this, in milliseconds, with all that it was made from; default: 0. */
  readonly olderThanMs?: number;
}

/** Finds what no study and no pin needs. Throws {@link UnjudgedError} if it is not known what one of them needs. */
export async function findGarbage(store: Store, options: GarbageOptions = {}): Promise<Garbage> {
  const stamp = await stampOf(store);
  const inventory = await takeInventory(store);
  const needs = await readNeeds(store, inventory);
  if (needs.unjudged.length > 0) throw new UnjudgedError(needs.unjudged, store.uri);
  return { ...(await sortOut(store, inventory, needs, options)), stamp };
}

/** Thrown where something in a store cannot be read, so that it is not known what it needs. */
export class UnjudgedError extends DamagedRecordError {
  override readonly cure =
    'Run its pipeline again, which writes its records anew, or `epochal delete` the study; the file of a step may be removed: its step then counts as not done.';
  constructor([first, ...others]: readonly string[], place: string) {
    super('', place);
    const more =
      others.length === 0 ? '' : ` So it is with ${others.length} more: ${others.slice(0, 3).join(' ')}`;
    this.message = `${first} What it needs is not known, so nothing is removed.${more}`;
  }
}

/** The same of what has been read. */
export async function sortOut(
  store: Store,
  inventory: Inventory,
  needs: Needs,
  { olderThanMs = 0 }: GarbageOptions = {},
): Promise<Omit<Garbage, 'stamp'>> {
  const reach = new Reach(store, inventory.index);
  const kept = await keepNeeded(reach, inventory, needs);
  const { dead, named } = await deadSteps(reach, kept, inventory, writtenBefore(olderThanMs));
  const keptNames = new Set([...kept.artifacts].map((sha256) => inventory.artifacts.get(sha256)?.name));
  const taken = new Set<string>();
  const isDead = ({ name }: GarbageFile) => !keptNames.has(name) && !taken.has(name) && taken.add(name);
  const depths = new Depths(inventory.index);
  const groups = new Map<number, (readonly GarbageFile[])[]>();
  for (const [step, files] of dead) {
    const depth = depths.of(step);
    const unit = files.filter(isDead);
    const group = groups.get(depth);
    if (group === undefined) groups.set(depth, [unit]);
    else group.push(unit);
  }
  const deepestFirst = [...groups].sort(([a], [b]) => b - a).map(([, units]) => units);

  const isStale = writtenBefore(Math.max(unfinishedMs, olderThanMs));
  const stale = inventory.temporary.filter(isStale).map((file) => ({ ...file, what: 'temporary' as const }));
  const unfinished = leftUnfinished(inventory, kept, named, isStale);
  const open = needs.studies.flatMap(({ isOpen, studyId }) => (isOpen ? [studyId] : []));
  const leftovers = [...stale, ...(open.length > 0 ? [] : unfinished)].map((file) => [file]);
  return {
    groups: [...deepestFirst, leftovers].filter(({ length }) => length > 0),
    held: open.length > 0 ? unfinished : [],
    open,
  };
}

type Written = (file: StoredFile) => boolean;

function writtenBefore(ms: number): Written {
  const bound = Date.now() - ms;
  return ({ writtenAt }) => writtenAt <= bound;
}

/**
 * The steps that nothing needs, each with its record and then its artifacts, and the artifacts that any step names. Those of which a file is young are added to what is `kept`,
 * with all that they were made from.
 */
async function deadSteps(
  reach: Reach,
  kept: Reached,
  { artifacts, steps, index }: Inventory,
  isOld: Written,
): Promise<{ readonly dead: ReadonlyMap<KnownStep, GarbageFile[]>; readonly named: ReadonlySet<string> }> {
  const named = new Set<string>();
  const dead = new Map<KnownStep, GarbageFile[]>();
  const young: string[] = [];
  for (const step of index.steps.values()) {
    const files = await reach.filesOf(step);
    for (const { sha256 } of files) named.add(sha256);
    const record = steps.get(step.key);
    if (kept.steps.has(step.key) || record === undefined) continue;
    const made = files.flatMap(({ sha256, kind }): GarbageFile[] => {
      const file = artifacts.get(sha256);
      return file === undefined ? [] : [{ ...file, what: 'artifact', kind }];
    });
    const unit: GarbageFile[] = [{ ...record, what: 'step' }, ...made];
    if (unit.every(isOld)) dead.set(step, unit);
    else young.push(step.key);
  }
  await reach.follow({ steps: young }, kept);
  for (const step of dead.keys()) if (kept.steps.has(step.key)) dead.delete(step);
  return { dead, named };
}

/** Checkpoints, and artifacts that no finished step names. */
function leftUnfinished(
  { artifacts, checkpoints }: Inventory,
  kept: Reached,
  named: ReadonlySet<string>,
  isStale: Written,
): GarbageFile[] {
  const saved = [...checkpoints.values()]
    .filter((files) => files.every(isStale))
    .flat()
    .map((file): GarbageFile => ({ ...file, what: 'checkpoint' }));
  // They may be parts of a trajectory whose list is lost.
  if (kept.torn.size > 0) return saved;
  const unnamed = [...artifacts].filter(
    ([sha256, file]) => !named.has(sha256) && !kept.artifacts.has(sha256) && isStale(file),
  );
  return [...saved, ...unnamed.map(([, file]): GarbageFile => ({ ...file, what: 'unfinished' }))];
}
