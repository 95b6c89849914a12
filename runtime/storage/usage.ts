import type { ArtifactKind } from '../../artifacts/reference.ts';
import { isName } from '../../artifacts/store/names.ts';
import type { Store, StoredFile } from '../../artifacts/store/store.ts';
import { sortOut } from './garbage.ts';
import { type Inventory, takeInventory } from './inventory.ts';
import { type Needs, readNeeds } from './needs.ts';
import { Reach, type Reached, type Roots } from './reach.ts';

/** Files and their size together. */
export interface Tally {
  readonly files: number;
  readonly bytes: number;
}

export interface KindUsage extends Tally {
  /** `unnamed` for artifacts that no finished step names. */
  readonly kind: ArtifactKind | 'unnamed';
}

/** What a study, or a pinned artifact with all that it was made from, holds in the store. */
export interface HolderUsage extends Tally {
  readonly studyId?: string;
  readonly artifact?: string;
  readonly pinned: boolean;
  /** Of a study: whether it has ended since it was launched last. */
  readonly open?: boolean;
  /** What nobody else holds: what a `gc` would free without it. */
  readonly own: Tally;
  /** What others hold too. */
  readonly shared: Tally;
  /** Its artifacts by kind, the largest first. */
  readonly kinds: readonly KindUsage[];
}

export const parts = ['artifacts', 'steps', 'checkpoints', 'studies', 'pins', 'temporary', 'other'] as const;

/** What lies in a store: `schemas/output/du.schema.json`. */
export interface Usage {
  readonly store: string;
  /** Every file, once. */
  readonly total: Tally;
  readonly parts: readonly (Tally & { readonly part: (typeof parts)[number] })[];
  /** The artifacts by kind, the largest first. */
  readonly kinds: readonly KindUsage[];
  /** The largest first. What several hold counts for each of them, and once in `total`. */
  readonly holders: readonly HolderUsage[];
  /** What `gc` would remove now; absent if that is not known, because something cannot be read. */
  readonly unneeded?: Tally;
  /** What cannot be read, in a sentence each. */
  readonly unjudged: readonly string[];
}

/** Weighs every file of a store, by what it is and by who needs it. Nothing is changed. */
export async function weigh(store: Store): Promise<Usage> {
  const inventory = await takeInventory(store);
  const needs = await readNeeds(store, inventory);
  const { artifacts, steps, index } = inventory;
  const reach = new Reach(store, index);
  const kindOf = new Map<string, ArtifactKind>();
  for (const step of index.steps.values())
    for (const { sha256, kind } of await reach.filesOf(step)) kindOf.set(sha256, kind);

  const reached: { readonly holder: Holder; readonly all: Reached }[] = [];
  for (const { roots, ...holder } of holdersOf(inventory, needs))
    reached.push({ holder, all: await reach.follow(roots) });
  const holdings = new Map<string, number>();
  for (const { all } of reached)
    for (const name of [...all.steps, ...all.artifacts]) holdings.set(name, (holdings.get(name) ?? 0) + 1);

  const byKind = (digests: Iterable<string>): KindUsage[] => {
    const kinds = new Map<KindUsage['kind'], StoredFile[]>();
    for (const sha256 of digests) {
      const file = artifacts.get(sha256);
      if (file === undefined) continue;
      const kind = kindOf.get(sha256) ?? 'unnamed';
      const known = kinds.get(kind);
      if (known === undefined) kinds.set(kind, [file]);
      else known.push(file);
    }
    return largestFirst([...kinds].map(([kind, files]) => ({ kind, ...tallyOf(files) })));
  };
  const holders = reached.map(({ holder, all }): HolderUsage => {
    const { records, ...who } = holder;
    const held = [...all.steps]
      .map((key) => ({ id: key, file: steps.get(key) }))
      .concat([...all.artifacts].map((sha256) => ({ id: sha256, file: artifacts.get(sha256) })))
      .flatMap(({ id, file }) => (file === undefined ? [] : [{ id, file }]));
    const isShared = ({ id }: { readonly id: string }) => holdings.get(id)! > 1;
    return {
      ...who,
      ...tallyOf([...records, ...held.map(({ file }) => file)]),
      own: tallyOf([...records, ...held.filter((one) => !isShared(one)).map(({ file }) => file)]),
      shared: tallyOf(held.filter(isShared).map(({ file }) => file)),
      kinds: byKind(all.artifacts),
    };
  });
  const byPart = parts.map((part) => ({ part, ...tallyOf(filesOf(inventory, part)) }));
  const unneeded = needs.unjudged.length > 0 ? undefined : await sortOut(store, inventory, needs, {});
  return {
    store: store.uri,
    total: tallyOf(parts.flatMap((part) => filesOf(inventory, part))),
    parts: byPart,
    kinds: byKind(artifacts.keys()),
    holders: largestFirst(holders),
    ...(unneeded === undefined ? {} : { unneeded: tallyOf(unneeded.groups.flat(2)) }),
    unjudged: needs.unjudged,
  };
}

export function tallyOf(files: readonly StoredFile[]): Tally {
  return { files: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
}

interface Holder extends Pick<HolderUsage, 'studyId' | 'artifact' | 'pinned' | 'open'> {
  /** Files of its own. */
  readonly records: readonly StoredFile[];
}

function* holdersOf(
  { studies }: Inventory,
  { studies: needs, artifacts, pinned }: Needs,
): Generator<Holder & { readonly roots: Roots }> {
  const known = new Map(needs.map((study) => [study.studyId, study]));
  for (const [studyId, records] of studies) {
    if (!isName('study id', studyId)) continue;
    // Of one that cannot be read, only its records are known.
    const { isOpen: open = true, ...roots } = known.get(studyId) ?? {};
    yield { studyId, open, pinned: pinned.has(studyId), records, roots };
  }
  for (const artifact of artifacts)
    yield { artifact, pinned: true, records: [], roots: { artifacts: [{ sha256: artifact }] } };
}

function filesOf(inventory: Inventory, part: (typeof parts)[number]): readonly StoredFile[] {
  const files = inventory[part];
  return Array.isArray(files)
    ? files
    : [...(files as ReadonlyMap<string, StoredFile | readonly StoredFile[]>).values()].flat();
}

function largestFirst<T extends Tally>(rows: T[]): T[] {
  return rows.sort((a, b) => b.bytes - a.bytes);
}
