import type { Store } from '../artifacts/store.ts';
import type { PlannedCell } from '../compiler/plan.ts';
import { evenly, limit, type Study } from './read-study.ts';
import { cellLabel, outputOf } from './read-tables.ts';

/** One fitted or computed number of one cell. */
export interface Estimate {
  readonly value: number;
  readonly error?: number;
  readonly theory?: number;
  /** (value - theory) in standard errors. */
  readonly deviation?: number;
}

/** The `parameters` that a stage left in one cell, by quantity. */
export interface CellParameters {
  readonly cellId: string;
  readonly label: string;
  readonly stage: string;
  readonly estimates: Readonly<Record<string, Estimate>>;
}

/** Loss and accuracy after the last epoch of one cell's training. */
export interface FinalEpoch {
  readonly cellId: string;
  readonly stage: string;
  readonly trainAccuracy: number;
  readonly testAccuracy: number;
}

export interface KeyResults {
  readonly parameters: readonly CellParameters[];
  readonly training: readonly FinalEpoch[];
  /** Cells that have results; those beyond {@link summarizedCells} were not read. */
  readonly available: number;
  /** Artifacts that could not be read. */
  readonly problems: readonly string[];
}

/** Cells whose results are read for the summary. */
const summarizedCells = 200;

const suffixes = { error: '_standard_error', theory: '_theory', deviation: '_deviation' } as const;

/** Reads the fitted parameters and the last epochs of the study's cells. A damaged artifact is told in `problems`. */
export async function readKeyResults(store: Store, study: Study): Promise<KeyResults> {
  const finished = study.plan.cells.filter(({ id }) => study.cells.has(id));
  const problems: string[] = [];
  const found = await Promise.all(
    evenly(finished, summarizedCells).flatMap((cell) =>
      cell.stages.flatMap((stage) =>
        Object.entries(stage.outputs).map(async ([output, kind]) => {
          const ref = outputOf(study, cell, stage.name, output);
          if (ref === undefined || (kind !== 'parameters' && kind !== 'history')) return undefined;
          try {
            return await limit(() => readResult(store, study, cell, stage.name, ref));
          } catch (error) {
            problems.push(error instanceof Error ? error.message : String(error));
            return undefined;
          }
        }),
      ),
    ),
  );
  return {
    parameters: found.flatMap((result) => (result !== undefined && 'estimates' in result ? [result] : [])),
    training: found.flatMap((result) => (result !== undefined && 'testAccuracy' in result ? [result] : [])),
    available: finished.length,
    problems,
  };
}

async function readResult(
  store: Store,
  study: Study,
  cell: PlannedCell,
  stage: string,
  ref: Parameters<Store['open']>[0],
): Promise<CellParameters | FinalEpoch> {
  const table = await store.open(ref);
  if (ref.kind === 'parameters') {
    return { cellId: cell.id, label: cellLabel(study, cell), stage, estimates: estimatesOf(table.row(0)) };
  }
  return {
    cellId: cell.id,
    stage,
    trainAccuracy: table.numbers('train_accuracy').at(-1) ?? Number.NaN,
    testAccuracy: table.numbers('test_accuracy').at(-1) ?? Number.NaN,
  };
}

/** Groups the columns `x`, `x_standard_error`, `x_theory` and `x_deviation` of a row by x. */
export function estimatesOf(row: Readonly<Record<string, number | string>>): Record<string, Estimate> {
  const number = (name: string) => (typeof row[name] === 'number' ? row[name] : undefined);
  const isPart = (name: string) =>
    Object.values(suffixes).some((suffix) => name.endsWith(suffix) && name.slice(0, -suffix.length) in row);
  return Object.fromEntries(
    Object.keys(row).flatMap((name) => {
      const value = number(name);
      if (value === undefined || isPart(name)) return [];
      const error = number(name + suffixes.error);
      const theory = number(name + suffixes.theory);
      const told = number(name + suffixes.deviation);
      const deviation =
        told ?? (error !== undefined && theory !== undefined ? (value - theory) / error : undefined);
      const estimate: Estimate = {
        value,
        ...(error === undefined ? {} : { error }),
        ...(theory === undefined ? {} : { theory }),
        ...(deviation === undefined ? {} : { deviation }),
      };
      return [[name, estimate]];
    }),
  );
}
