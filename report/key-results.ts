import type { ArrowTable } from '../artifacts/arrow/table.ts';
import type { ArtifactKind } from '../artifacts/reference.ts';
import type { Store } from '../artifacts/store/store.ts';
import { countOf } from './numbers.ts';
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

interface Place {
  readonly cellId: string;
  readonly label: string;
  readonly stage: string;
}

/** The `parameters` that a stage left in one cell, by quantity. */
export interface CellParameters extends Place {
  readonly estimates: Readonly<Record<string, Estimate>>;
}

/** Loss and accuracy after the last epoch of one cell's training. */
export interface FinalEpoch {
  readonly cellId: string;
  readonly stage: string;
  readonly trainLoss: number;
  readonly trainAccuracy: number;
  readonly testLoss: number;
  readonly testAccuracy: number;
}

/** Loss and accuracy of a state on some data, of one cell. */
export interface CellEvaluation {
  readonly cellId: string;
  readonly stage: string;
  readonly loss: number;
  readonly accuracy: number;
}

export interface KeyResults {
  readonly parameters: readonly CellParameters[];
  readonly training: readonly FinalEpoch[];
  readonly evaluations: readonly CellEvaluation[];
  /** Artifacts of each kind that the study has; at most {@link summarizedResults} of them are read. */
  readonly available: {
    readonly parameters: number;
    readonly training: number;
    readonly evaluations: number;
  };
  /** Artifacts that could not be read. */
  readonly problems: readonly string[];
}

/** Artifacts of a kind that are read for the summary. */
export const summarizedResults = 200;

const suffixes = { error: '_standard_error', theory: '_theory', deviation: '_deviation' } as const;

/** Reads the fitted parameters and the last epochs of the study's cells. A damaged artifact is told in `problems`. */
export async function readKeyResults(store: Store, study: Study): Promise<KeyResults> {
  const problems: string[] = [];
  const refs = study.plan.cells.flatMap((cell) =>
    cell.stages.flatMap((stage) =>
      Object.keys(stage.outputs).flatMap((output) => {
        const ref = outputOf(study, cell, stage.name, output);
        return ref === undefined ? [] : [{ cell, stage: stage.name, ref }];
      }),
    ),
  );
  const found = (kind: ArtifactKind) => refs.filter(({ ref }) => ref.kind === kind);
  const read = async <T>(results: ReturnType<typeof found>, readOne: (table: ArrowTable, of: Place) => T) => {
    const all = evenly(results, summarizedResults).map(({ cell, stage, ref }) =>
      limit(async () => {
        try {
          const place = { cellId: cell.id, label: cellLabel(study, cell), stage };
          return { result: [readOne(await store.open(ref), place)] };
        } catch (error) {
          return { result: [], problem: error instanceof Error ? error.message : String(error) };
        }
      }),
    );
    const found = await Promise.all(all);
    problems.push(...found.flatMap(({ problem }) => problem ?? []));
    return found.flatMap(({ result }) => result);
  };
  const [fits, histories, evaluations] = [found('parameters'), found('history'), found('evaluation')];
  const last = (table: ArrowTable, column: string) => table.numbers(column).at(-1) ?? Number.NaN;
  return {
    parameters: await read(fits, (table, place) => ({ ...place, estimates: estimatesOf(table.row(0)) })),
    training: await read(histories, (table, { cellId, stage }) => ({
      cellId,
      stage,
      trainLoss: last(table, 'train_loss'),
      trainAccuracy: last(table, 'train_accuracy'),
      testLoss: last(table, 'test_loss'),
      testAccuracy: last(table, 'test_accuracy'),
    })),
    evaluations: await read(evaluations, (table, { cellId, stage }) => ({
      cellId,
      stage,
      loss: last(table, 'loss'),
      accuracy: last(table, 'accuracy'),
    })),
    available: {
      parameters: fits.length,
      training: histories.length,
      evaluations: evaluations.length,
    },
    problems,
  };
}

/** Of which kinds of results only some were read: `200 of 1,000 fits`. */
export function cutResults({ available: { parameters, training, evaluations } }: KeyResults): string[] {
  const all = [
    ['fit', parameters],
    ['training', training],
    ['evaluation', evaluations],
  ] as const;
  return all.flatMap(([noun, total]) =>
    total > summarizedResults ? [countOf(summarizedResults, total, noun)] : [],
  );
}

/** How many cells these results are of. */
export function cellsOf(results: readonly { readonly cellId: string }[]): number {
  return new Set(results.map(({ cellId }) => cellId)).size;
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
