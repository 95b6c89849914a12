import type { Plan, PlannedCell } from '../compiler/plan.ts';

/**
 * The axes that only repeat: along them nothing changes but the `seed` settings of stages. What flows into the settings decides, not the name of
 * the axis; one that also changes something else, or nothing at all, is none.
 */
export function seedAxes({ axes, cells }: Pick<Plan, 'axes' | 'cells'>): readonly string[] {
  const texts = new Map(
    cells.map((cell) => [cell, { all: settings(cell, true), but: settings(cell, false) }]),
  );
  const levelOf = (cell: PlannedCell, axis: string) => JSON.stringify(cell.axes[axis] ?? null);
  const differ = (group: readonly PlannedCell[], textOf: (cell: PlannedCell) => string) =>
    new Set(group.map(textOf)).size > 1;
  /** Whether among cells that are equal in `key` some differ in the axis. */
  const varies = (group: readonly PlannedCell[], axis: string, key: (cell: PlannedCell) => string) =>
    [...Map.groupBy(group, key).values()].some((same) => differ(same, (cell) => levelOf(cell, axis)));
  const repeats = [...Map.groupBy(cells, (cell) => texts.get(cell)!.but).values()];
  return axes.filter((axis) => {
    const isSeed = repeats.some(
      (group) => varies(group, axis, () => '') && !varies(group, axis, (cell) => texts.get(cell)!.all),
    );
    if (!isSeed) return false;
    const others = (cell: PlannedCell) =>
      axes
        .filter((other) => other !== axis)
        .map((other) => levelOf(cell, other))
        .join();
    const alongIt = [...Map.groupBy(cells, others).values()];
    return !alongIt.some((group) => differ(group, (cell) => texts.get(cell)!.but));
  });
}

/** All that decides the results of a cell, with its seeds or without. */
function settings({ stages }: PlannedCell, withSeeds: boolean): string {
  return JSON.stringify(
    stages.map(({ name, uses, version, resources, with: { seed, ...others } }) => [
      ...[name, uses, version, resources, others],
      ...(withSeeds ? [seed ?? null] : []),
    ]),
  );
}
