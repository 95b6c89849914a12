import type { ArrowTable } from '../../artifacts/arrow/table.ts';
import type { PlannedStage } from '../../compiler/plan.ts';

/** How far numbers may lie apart: processors and libraries round differently, and SGD amplifies it a little. */
const tolerance = 2e-3;

/** What is measured of rounding itself. */
const roundingColumns = ['residual', 'curvature_residual'];

/** Mean size, root mean square and centre of a column: whatever the sign of an eigenvector is. */
type Moments = readonly [mean: number, rms: number, centre: number];

/** A table in a few numbers. */
export interface Summary {
  readonly rows: number;
  readonly columns: Readonly<Record<string, Moments>>;
}

export function summarize(table: ArrowTable, lists: readonly string[], texts: readonly string[]): Summary {
  const columns: Record<string, Moments> = {};
  for (const name of table.columns) {
    if (roundingColumns.includes(name) || texts.includes(name)) continue;
    const batches = lists.includes(name)
      ? [...table.floatVectors(name)].map(({ values }) => [...values])
      : [[...table.numbers(name)]];
    columns[name] = moments(batches.flat().filter(Number.isFinite).map(Math.abs));
  }
  return { rows: table.rows, columns };
}

function moments(sizes: readonly number[]): Moments {
  const sum = (of: (value: number, index: number) => number) =>
    sizes.reduce((total, value, index) => total + of(value, index), 0);
  const n = Math.max(1, sizes.length);
  const total = sum((value) => value);
  const rms = Math.sqrt(sum((value) => value ** 2) / n);
  return [total / n, rms, total === 0 ? 0 : sum((value, index) => value * index) / total / n];
}

/** Names of the columns whose numbers differ. */
export function differences(found: Summary, expected: Summary): string[] {
  if (found.rows !== expected.rows) return [`${found.rows} rows, not ${expected.rows}`];
  const names = new Set([...Object.keys(found.columns), ...Object.keys(expected.columns)]);
  return [...names].filter((name) => {
    const [a, b] = [found.columns[name], expected.columns[name]];
    if (a === undefined || b === undefined) return true;
    return a.some((value, i) => Math.abs(value - b[i]!) > tolerance * Math.max(Math.abs(b[i]!), 1e-4));
  });
}

/** The versions of a stage's kind and of all that it builds on: "record 2 of dataset 1, train 2". */
export function versionsOf(stage: PlannedStage, stages: readonly PlannedStage[]): string {
  const wanted = new Set(stage.needs);
  for (const { name, needs } of stages.toReversed())
    if (wanted.has(name)) for (const need of needs) wanted.add(need);
  const before = stages
    .filter(({ name }) => wanted.has(name))
    .map(({ uses, version }) => `${uses} ${version}`);
  const basis = [...new Set(before)].sort().join(', ');
  return `${stage.uses} ${stage.version}${basis === '' ? '' : ` of ${basis}`}`;
}
