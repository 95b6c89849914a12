import type { Collection } from './data.ts';

type Row = Collection['rows'][number];

/** Cells that differ in one axis only, of which it has two levels. */
export interface Pairing {
  /** The axis whose two levels are compared. */
  readonly axis: string;
  /** Its levels, in the order of the matrix. */
  readonly levels: readonly [string, string];
  /** Axes that are the same within a pair. */
  readonly by: readonly string[];
  /** The cells of each pair, first level first. */
  readonly pairs: readonly (readonly [Row, Row])[];
  /** Cells whose partner is missing. */
  readonly alone: number;
}

/**
 * Finds the axis to compare: the only one with exactly two levels, seeds apart. Throws if there is none or more than one, or if no cell has a
 * partner.
 */
export function pairCells({ axes, seeds, rows }: Collection): Pairing {
  const levelsOf = (axis: string) => [...new Set(rows.map((row) => String(row[axis])))];
  const candidates = axes.filter((axis) => !seeds.includes(axis) && levelsOf(axis).length === 2);
  const [axis] = candidates;
  if (axis === undefined || candidates.length > 1) {
    throw new Error(
      `A difference is taken between the levels of the one axis that has two; here ${
        candidates.length === 0 ? 'no axis has' : `${candidates.join(' and ')} have`
      } two levels.`,
    );
  }
  const levels = levelsOf(axis) as [string, string];
  const by = axes.filter((other) => other !== axis);
  const groups = new Map<string, Map<string, Row>>();
  for (const row of rows) {
    const key = JSON.stringify(by.map((other) => row[other]));
    groups.set(key, (groups.get(key) ?? new Map()).set(String(row[axis]), row));
  }
  const pairs = [...groups.values()].flatMap((group) => {
    const [first, second] = levels.map((level) => group.get(level));
    return first === undefined || second === undefined ? [] : [[first, second] as const];
  });
  if (pairs.length === 0)
    throw new Error(`No two cells differ in ${axis} only: there is no difference to take.`);
  return { axis, levels, by, pairs, alone: rows.length - 2 * pairs.length };
}
