import { findMetadata, writeMetadata } from '../../artifacts/arrow/metadata.ts';
import type { ArrowTable } from '../../artifacts/arrow/table.ts';
import { DamagedArtifactError, DamagedRecordError } from '../../artifacts/errors.ts';
import type { ArtifactRef } from '../../artifacts/reference.ts';
import { cellRecordName } from '../../artifacts/store/names.ts';
import { findStep } from '../../artifacts/store/outputs.ts';
import { readRecords } from '../../artifacts/store/records.ts';
import type { Step } from '../../artifacts/store/step.ts';
import type { Store } from '../../artifacts/store/store.ts';
import { stepOf } from '../../compiler/plan/step-key.ts';
import type { Json, Plan, PlannedCell, PlannedCollect } from '../../compiler/plan.ts';
import {
  type CellResult,
  type CollectTask,
  type StageOutcome,
  workflowIdOf,
} from '../../workflows/messages.ts';
import { mustComputeAsPlanned } from '../kinds/known-version.ts';
import { commonMetadata } from '../processes/step-metadata.ts';
import { toStageFailure } from './failures.ts';
import { blameRoom } from './full-disk.ts';
import { withHeartbeats } from './heartbeat.ts';
import { damageNotes, outcome, recordStep } from './step.ts';
import { mustBelongTo, type OpenStores } from './stores.ts';
import type { StudyRecords } from './study-records.ts';

/** The table of a cell, with the axes that tell it from the others. */
interface CollectedCell {
  readonly cell: string;
  /** Of the cell in the plan. */
  readonly index: number;
  readonly axes: Readonly<Record<string, Json>>;
  readonly table: ArtifactRef;
  /** Of the step that made the table. */
  readonly key: string;
}

/**
 * The activity that gathers one table from every succeeded cell into a `collection`: the axes named by `by`, the cell's label (`cell`), then the
 * columns of the table's only or last row (the last epoch of a `history`), one row a cell in the order of the plan.
 */
export function createCollect(
  openStore: OpenStores,
  loadPlan: StudyRecords['loadPlan'],
  stop: AbortSignal,
): (task: CollectTask) => Promise<StageOutcome> {
  return async ({ studyId, storeUri, collect, succeeded }) => {
    try {
      mustBelongTo(workflowIdOf(studyId));
      return await withHeartbeats(stop, async (heartbeats, signal) => {
        heartbeats.begin(collect.name);
        mustComputeAsPlanned(collect);
        const store = await openStore(storeUri);
        const plan = await loadPlan({ storeUri, studyId });
        const { found, missing } = await findTables(store, studyId, plan, collect, succeeded);
        const notes =
          missing.length === 0
            ? []
            : [`Without ${missing.length} of ${plan.cells.length} cells: ${shorten(missing)}.`];
        const step = collectStep(collect, found);
        const past = await findStep(store, step.key, collect.outputs);
        if (past?.damage.length === 0) return outcome(past.record, { reused: true, seconds: 0, notes: [] });
        const startedAt = new Date();
        const columns = new Columns(collect.by);
        const damaged: CollectedCell[] = [];
        for (const [index, cell] of found.entries()) {
          signal.throwIfAborted();
          const table = await openTable(store, cell);
          if (table === undefined) damaged.push(cell);
          else columns.add(cell, table.row(table.rows - 1));
          heartbeats.report({ done: index + 1, total: found.length, unit: 'cells' });
        }
        if (damaged.length > 0) throw new DamagedCellsError(collect, damaged);
        const metadata = {
          ...commonMetadata(step),
          ...writeMetadata({
            axes: collect.by,
            collected: `${collect.table.stage}.${collect.table.output}`,
          }),
        };
        const table = await store.write('collection', metadata, (writer) => writer.append(columns.values()));
        const backend = { backend: 'none', library: 'none' };
        const record = await recordStep(
          store,
          step,
          { outputs: { table }, notes, warnings: [], backend },
          startedAt,
        );
        return outcome(record, {
          reused: false,
          seconds: record.provenance.seconds,
          notes: damageNotes(past),
        });
      });
    } catch (error) {
      throw toStageFailure(await blameRoom(error, storeUri));
    }
  };
}

/** The step that gathers these tables. */
export function collectStep(
  { uses, version, by }: PlannedCollect,
  found: readonly Pick<CollectedCell, 'cell' | 'axes' | 'table'>[],
): Step {
  return stepOf({
    uses,
    version,
    with: { by, cells: found.map(({ cell, axes }) => ({ cell, axes })) },
    inputs: Object.fromEntries(found.map(({ cell, table }) => [cell, table.sha256])),
  });
}

/** The axes of a cell that a `collect` keeps. */
export function collectedAxes({ by }: PlannedCollect, { axes }: PlannedCell): Record<string, Json> {
  return Object.fromEntries(by.map((axis) => [axis, axes[axis] ?? null]));
}

/** Thrown when what some cells left for a `collect` is damaged or gone; the study then has those cells run again. */
class DamagedCellsError extends Error {
  override readonly name = 'DamagedCellsError';
  readonly cure =
    'Check the disk of the store, or choose another place with --store. Run the pipeline again: what is damaged is computed again.';
  readonly cells: readonly number[];
  constructor({ table }: PlannedCollect, cells: readonly Pick<CollectedCell, 'cell' | 'index'>[]) {
    const which = shorten(cells.map(({ cell }) => cell));
    super(`${table.stage}.${table.output}, or the record that names it, is damaged or gone in ${which}.`);
    this.cells = cells.map(({ index }) => index);
  }
}

/** The table of a cell; undefined if it is damaged, gone, or not the one that the cell's stage made. */
async function openTable(store: Store, { table, key }: CollectedCell): Promise<ArrowTable | undefined> {
  try {
    const opened = await store.open(table);
    return findMetadata(opened, 'key') === key ? opened : undefined;
  } catch (error) {
    if (error instanceof DamagedArtifactError) return undefined;
    throw error;
  }
}

/** Throws {@link DamagedCellsError} if a record is damaged, or fewer are left than cells have succeeded. */
async function findTables(
  store: Store,
  studyId: string,
  plan: Plan,
  collect: PlannedCollect,
  succeeded: number,
) {
  const found: CollectedCell[] = [];
  const missing: string[] = [];
  const damaged: { cell: string; index: number }[] = [];
  const without: { cell: string; index: number }[] = [];
  let records = 0;
  const names = plan.cells.map(({ id }) => cellRecordName(studyId, id));
  for (const [index, read] of (await readRecords<CellResult>(store, names)).entries()) {
    const cell = plan.cells[index]!;
    const { id } = cell;
    const isDamaged = read instanceof DamagedRecordError;
    const result = isDamaged ? undefined : read;
    if (isDamaged) damaged.push({ cell: id, index });
    else if (result === undefined) without.push({ cell: id, index });
    if (isDamaged || result?.status === 'succeeded') records++;
    const stage = result?.stages[collect.table.stage];
    const table = stage?.outputs[collect.table.output];
    if (result?.status !== 'succeeded' || table === undefined) missing.push(id);
    else
      found.push({
        cell: id,
        index,
        axes: collectedAxes(collect, cell),
        table,
        key: stage!.key,
      });
  }
  if (records < succeeded) damaged.push(...without);
  if (damaged.length > 0) throw new DamagedCellsError(collect, damaged);
  if (found.length === 0)
    throw new Error(
      `No cell has ${collect.table.stage}.${collect.table.output}: there is nothing to collect.`,
    );
  return { found, missing };
}

/** Rows of plain values, kept by column. A column is of numbers if all of its values are, of text otherwise. */
class Columns {
  readonly #by: readonly string[];
  readonly #rows: Record<string, Json>[] = [];

  constructor(by: readonly string[]) {
    this.#by = by;
  }

  add({ cell, axes }: CollectedCell, row: Record<string, number | string>): void {
    const clash = this.#by.find((axis) => axis in row || axis === 'cell');
    if (clash !== undefined) {
      throw new Error(
        `The axis ${JSON.stringify(clash)} has the name of a collected column: rename the axis.`,
      );
    }
    this.#rows.push({ ...axes, cell, ...row });
  }

  values(): Record<string, number[] | string[]> {
    const names = Object.keys(this.#rows[0] ?? {});
    return Object.fromEntries(
      names.map((name) => {
        const values = this.#rows.map((row) => row[name] ?? null);
        if (values.every((value) => typeof value === 'number')) return [name, values];
        return [name, values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))];
      }),
    );
  }
}

function shorten(cells: readonly string[]): string {
  return cells.length <= 5
    ? cells.join('; ')
    : `${cells.slice(0, 5).join('; ')} and ${cells.length - 5} more`;
}
