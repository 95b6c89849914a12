import type { Inventory } from './inventory.ts';
import type { Needs } from './needs.ts';
import type { Reach, Reached } from './reach.ts';
import type { KnownStep } from './step-index.ts';

/** All that studies and pins need, and what an open study may yet come to need. */
export async function keepNeeded(
  reach: Reach,
  { index }: Inventory,
  { studies, artifacts }: Needs,
): Promise<Reached> {
  const kept = await reach.follow({
    steps: studies.flatMap(({ steps }) => [...steps]),
    artifacts: [...artifacts.map((sha256) => ({ sha256 })), ...studies.flatMap((study) => study.artifacts)],
  });
  const open = studies.filter(({ isOpen }) => isOpen);
  if (open.length === 0) return kept;
  const madeBy = (sha256: string) => index.makersOf(sha256);
  // What was made from something that is gone: where that is being made again, it is met again.
  const cut = new Map<string, boolean>();
  const isCut = ({ key, madeFrom }: KnownStep): boolean => {
    const known = cut.get(key);
    if (known !== undefined) return known;
    cut.set(key, false);
    const found = madeFrom.some((sha256) => {
      const makers = madeBy(sha256);
      return makers.length === 0 || makers.some((maker) => isCut(index.steps.get(maker)!));
    });
    cut.set(key, found);
    return found;
  };
  const all = [...index.steps.values()];
  await reach.follow({ steps: all.filter(isCut).map(({ key }) => key) }, kept);
  if (!open.some(({ collects }) => collects)) return kept;
  // What was gathered from cells as they may be again.
  const gathered = all.filter(
    ({ uses, madeFrom }) =>
      uses === 'collect' && madeFrom.every((sha256) => madeBy(sha256).some((key) => kept.steps.has(key))),
  );
  return reach.follow({ steps: gathered.map(({ key }) => key) }, kept);
}

/** How many steps, at most, lie between a step and the data. */
export class Depths {
  readonly #index: Inventory['index'];
  readonly #known = new Map<string, number>();

  constructor(index: Inventory['index']) {
    this.#index = index;
  }

  of({ key, madeFrom }: KnownStep): number {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.#known.set(key, 0);
    const before = madeFrom.flatMap((sha256) =>
      this.#index.makersOf(sha256).map((maker) => 1 + this.of(this.#index.steps.get(maker)!)),
    );
    const depth = before.reduce((most, next) => Math.max(most, next), 0);
    this.#known.set(key, depth);
    return depth;
  }
}
