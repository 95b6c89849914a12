import type { ArrowTable } from '../artifacts/arrow/table.ts';
import type { ArtifactKind } from '../artifacts/reference.ts';
import type { Store } from '../artifacts/store/store.ts';
import { evenly } from './evenly.ts';
import { countOf } from './numbers.ts';
import { limit, type Study } from './read-study.ts';
import { cellLabel, outputOf } from './read-tables.ts';

/** One fitted or computed number of one cell. */
export interface Estimate {
  readonly value: number;
  readonly error?: number;
  readonly theory?: number;
  /** (value - theory) in standard errors. */
  readonly deviation?: number;
  /** Ends of an interval of one standard error, where it is not symmetrical. */
  readonly low?: number;
  readonly high?: number;
  /** With 95 % confidence it lies above or below: where the data determine no value, which is NaN. */
  readonly lowerLimit?: number;
  readonly upperLimit?: number;
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

interface ResultCounts {
  readonly parameters: number;
  readonly training: number;
  readonly evaluations: number;
}

export interface KeyResults {
  readonly parameters: readonly CellParameters[];
  readonly training: readonly FinalEpoch[];
  readonly evaluations: readonly CellEvaluation[];
  /** Artifacts of each kind that the study has. */
  readonly available: ResultCounts;
  /** Those of them that are read: all that a `collect` has gathered, and at most {@link summarizedResults} others. */
  readonly read: ResultCounts;
  /** Artifacts that could not be read. */
  readonly problems: readonly string[];
}

/** Artifacts of a kind that are read one by one for the summary. */
export const summarizedResults = 200;

const suffixes = {
  error: '_standard_error',
  theory: '_theory',
  deviation: '_deviation',
  low: '_low',
  high: '_high',
  lowerLimit: '_lower_limit',
  upperLimit: '_upper_limit',
} as const;

type Row = Readonly<Record<string, number | string>>;

/** Reads the fitted parameters and the last epochs of the study's cells. A damaged artifact is told in `problems`. */
export async function readKeyResults(store: Store, study: Study): Promise<KeyResults> {
  const problems: string[] = [];
  const gathered = await readGathered(store, study, problems);
  const refs = study.plan.cells.flatMap((cell) =>
    cell.stages.flatMap((stage) =>
      Object.keys(stage.outputs).flatMap((output) => {
        const ref = outputOf(study, cell, stage.name, output);
        const row = gathered.get(`${stage.name}.${output}`)?.get(cell.id);
        return ref === undefined ? [] : [{ cell, stage: stage.name, ref, row }];
      }),
    ),
  );
  const found = (kind: ArtifactKind) => {
    const all = refs.filter(({ ref }) => ref.kind === kind);
    const others = new Set(
      evenly(
        all.filter(({ row }) => row === undefined),
        summarizedResults,
      ),
    );
    return { all, chosen: all.filter((result) => result.row !== undefined || others.has(result)) };
  };
  const read = async <T>({ chosen }: ReturnType<typeof found>, readOne: (row: Row, of: Place) => T) => {
    const results = await Promise.all(
      chosen.map(async ({ cell, stage, ref, row }) => {
        try {
          const place = { cellId: cell.id, label: cellLabel(study, cell), stage };
          return [readOne(row ?? (await limit(async () => lastRow(await store.open(ref)))), place)];
        } catch (error) {
          problems.push(messageOf(error));
          return [];
        }
      }),
    );
    return results.flat();
  };
  const [fits, histories, evaluations] = [found('parameters'), found('history'), found('evaluation')];
  const number = (row: Row, column: string) => Number(row[column] ?? Number.NaN);
  return {
    parameters: await read(fits, (row, place) => ({ ...place, estimates: estimatesOf(row) })),
    training: await read(histories, (row, { cellId, stage }) => ({
      cellId,
      stage,
      trainLoss: number(row, 'train_loss'),
      trainAccuracy: number(row, 'train_accuracy'),
      testLoss: number(row, 'test_loss'),
      testAccuracy: number(row, 'test_accuracy'),
    })),
    evaluations: await read(evaluations, (row, { cellId, stage }) => ({
      cellId,
      stage,
      loss: number(row, 'loss'),
      accuracy: number(row, 'accuracy'),
    })),
    available: {
      parameters: fits.all.length,
      training: histories.all.length,
      evaluations: evaluations.all.length,
    },
    read: {
      parameters: fits.chosen.length,
      training: histories.chosen.length,
      evaluations: evaluations.chosen.length,
    },
    problems,
  };
}

function lastRow(table: ArrowTable): Row {
  return table.rows === 0 ? {} : table.row(table.rows - 1);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What the `collect`s have gathered: by stage and output, by cell, the row that is the last of the cell's own table. */
async function readGathered(
  store: Store,
  { plan, result }: Study,
  problems: string[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, Row>>> {
  const gathered = new Map<string, ReadonlyMap<string, Row>>();
  for (const { name, by, table: of } of plan.collect) {
    const ref = result?.collect[name]?.outputs.table;
    if (ref === undefined || !['parameters', 'history', 'evaluation'].includes(of.kind)) continue;
    try {
      const table = await store.open(ref);
      const own = table.columns.filter((column) => column !== 'cell' && !by.includes(column));
      const values = own.map((column) => [column, table.numbers(column)] as const);
      const rows = table
        .strings('cell')
        .map(
          (cell, row) =>
            [cell, Object.fromEntries(values.map(([column, all]) => [column, all[row]!]))] as const,
        );
      gathered.set(`${of.stage}.${of.output}`, new Map(rows));
    } catch (error) {
      problems.push(messageOf(error));
    }
  }
  return gathered;
}

/** Of which kinds of results only some were read: `200 of 1,000 fits`. */
export function cutResults({ available, read }: Pick<KeyResults, 'available' | 'read'>): string[] {
  const nouns = { parameters: 'fit', training: 'training', evaluations: 'evaluation' } as const;
  return (['parameters', 'training', 'evaluations'] as const).flatMap((kind) =>
    read[kind] < available[kind] ? [countOf(read[kind], available[kind], nouns[kind])] : [],
  );
}

/** How many cells these results are of. */
export function cellsOf(results: readonly { readonly cellId: string }[]): number {
  return new Set(results.map(({ cellId }) => cellId)).size;
}

/** Groups the columns `x`, `x_standard_error`, `x_theory`, `x_deviation`, `x_low`, `x_high`, `x_lower_limit` and `x_upper_limit` of a row by x. */
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
        ...finite('low', number(name + suffixes.low)),
        ...finite('high', number(name + suffixes.high)),
        ...finite('lowerLimit', number(name + suffixes.lowerLimit)),
        ...finite('upperLimit', number(name + suffixes.upperLimit)),
      };
      return [[name, estimate]];
    }),
  );
}

function finite<Name extends string>(
  name: Name,
  value: number | undefined,
): { readonly [key in Name]?: number } {
  return Number.isFinite(value) ? ({ [name]: value } as { readonly [key in Name]: number }) : {};
}
