import type { Json } from '../compiler/plan.ts';
import type { Estimate, KeyResults } from './key-results.ts';
import type { Study } from './read-study.ts';
import { seedAxes } from './seed-axes.ts';

/** A result of the cells of one row: of a single cell as it is, of several their mean with its standard error. */
export interface ResultQuantity extends Estimate {
  /** The stage that gave it. */
  readonly stage: string;
  readonly name: string;
  /** Cells that have it. */
  readonly cells: number;
}

/** The main results of the cells that differ in their seeds only. */
export interface ResultRow {
  readonly axes: Readonly<Record<string, Json>>;
  readonly quantities: readonly ResultQuantity[];
  /** Cells that have any result, of how many in the plan. */
  readonly cells: number;
  readonly of: number;
}

/** Quantities of a fit that are named at the end of a study. */
const fitted = ['lambda_cross', 'lambda_cross_leftover', 'tau_sgd', 'tau_sgd_leftover'];

/** The main results of a study, a row for each combination of the axes other than seeds, in the order of the plan. */
export function resultRows({ plan }: Study, results: KeyResults): ResultRow[] {
  const seeds = seedAxes(plan);
  const axes = plan.axes.filter((axis) => !seeds.includes(axis));
  const axesOf = new Map(plan.cells.map(({ id, axes: all }) => [id, pick(all, axes)]));
  interface Row {
    readonly axes: Record<string, Json>;
    readonly found: Map<string, Found>;
    readonly cells: Set<string>;
    of: number;
  }
  const rows = new Map<string, Row>();
  for (const { id } of plan.cells) {
    const key = JSON.stringify(axesOf.get(id));
    const row = rows.get(key) ?? { axes: axesOf.get(id)!, found: new Map(), cells: new Set(), of: 0 };
    row.of++;
    rows.set(key, row);
  }
  const add = (cellId: string, stage: string, name: string, estimate: Estimate): void => {
    if (Number.isNaN(estimate.value)) return;
    const { found, cells } = rows.get(JSON.stringify(axesOf.get(cellId)))!;
    cells.add(cellId);
    const key = JSON.stringify([stage, name]);
    const known = found.get(key) ?? { stage, name, estimates: [] };
    known.estimates.push(estimate);
    found.set(key, known);
  };
  for (const { cellId, stage, estimates } of results.parameters) {
    for (const name of fitted) if (estimates[name] !== undefined) add(cellId, stage, name, estimates[name]);
  }
  for (const { cellId, stage, ...last } of results.training) {
    add(cellId, stage, 'train_loss', { value: last.trainLoss });
    add(cellId, stage, 'train_accuracy', { value: last.trainAccuracy });
    add(cellId, stage, 'test_loss', { value: last.testLoss });
    add(cellId, stage, 'test_accuracy', { value: last.testAccuracy });
  }
  for (const { cellId, stage, loss, accuracy } of results.evaluations) {
    add(cellId, stage, 'loss', { value: loss });
    add(cellId, stage, 'accuracy', { value: accuracy });
  }
  return [...rows.values()]
    .map(({ axes, found, cells, of }) => ({
      ...{ axes, cells: cells.size, of },
      quantities: [...found.values()].map(summarize),
    }))
    .filter(({ quantities }) => quantities.length > 0);
}

/** Rows without what a table of all fitted parameters has too. */
export function withoutFitted(rows: readonly ResultRow[]): ResultRow[] {
  return rows
    .map((row) => ({ ...row, quantities: row.quantities.filter(({ name }) => !fitted.includes(name)) }))
    .filter(({ quantities }) => quantities.length > 0);
}

interface Found {
  readonly stage: string;
  readonly name: string;
  readonly estimates: Estimate[];
}

function summarize({ stage, name, estimates }: Found): ResultQuantity {
  const cells = estimates.length;
  if (cells === 1) return { stage, name, cells, ...finiteParts(estimates[0]!) };
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const value = mean(estimates.map((estimate) => estimate.value));
  const squares = estimates.reduce((sum, estimate) => sum + (estimate.value - value) ** 2, 0);
  const error = Math.sqrt(squares / (cells - 1) / cells);
  const theories = estimates.flatMap(({ theory }) => (theory === undefined ? [] : [theory]));
  const theory = theories.length === cells ? mean(theories) : Number.NaN;
  return {
    stage,
    name,
    cells,
    ...finiteParts({ value, error, theory, deviation: (value - theory) / error }),
  };
}

/** Without the parts that do not exist. */
function finiteParts({ value, error, theory, deviation }: Estimate): Estimate {
  const isThere = (part: number | undefined): part is number => part !== undefined && Number.isFinite(part);
  return {
    value,
    ...(isThere(error) ? { error } : {}),
    ...(isThere(theory) ? { theory } : {}),
    ...(isThere(deviation) ? { deviation } : {}),
  };
}

function pick(axes: Readonly<Record<string, Json>>, names: readonly string[]): Record<string, Json> {
  return Object.fromEntries(names.map((name) => [name, axes[name] ?? null]));
}
