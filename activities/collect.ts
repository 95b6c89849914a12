import type { ArtifactRef } from '../artifacts/reference.ts';
import type { Store } from '../artifacts/store.ts';
import type { Json, Plan, PlannedCollect } from '../compiler/plan.ts';
import type { CellResult, CollectTask, StageOutcome } from '../workflows/messages.ts';
import { toStageFailure } from './failures.ts';
import { withHeartbeats } from './heartbeat.ts';
import { findStep, identity, outcome, recordStep } from './step.ts';
import { commonMetadata } from './step-metadata.ts';
import { sharedStore } from './stores.ts';
import { cellResultName, type StudyRecords } from './study-records.ts';

/** The table of a cell, with the axes that tell it from the others. */
interface CollectedCell {
  readonly cell: string;
  readonly axes: Readonly<Record<string, Json>>;
  readonly table: ArtifactRef;
}

/**
 * The activity that gathers one table from every succeeded cell into a `collection`: the axes named by `by`, the cell's label (`cell`), then the
 * columns of the table's only or last row (the last epoch of a `history`), one row a cell in the order of the plan.
 */
export function createCollect(
  loadPlan: StudyRecords['loadPlan'],
): (task: CollectTask) => Promise<StageOutcome> {
  return async ({ studyId, storeUri, collect }) => {
    try {
      return await withHeartbeats(collect.name, async (heartbeats, signal) => {
        const store = await sharedStore(storeUri);
        const plan = await loadPlan(storeUri, `studies/${studyId}/plan.json`);
        const { found, missing } = await findTables(store, studyId, plan, collect);
        const notes =
          missing.length === 0
            ? []
            : [`Without ${missing.length} of ${plan.cells.length} cells: ${shorten(missing)}.`];
        const step = identity({
          uses: collect.uses,
          version: collect.version,
          with: { by: collect.by, cells: found.map(({ cell, axes }) => ({ cell, axes })) },
          inputs: Object.fromEntries(found.map(({ cell, table }) => [cell, table.sha256])),
          threads: 1,
        });
        const { reusable, damage } = await findStep(store, step.key);
        if (reusable !== undefined) return outcome(reusable, { reused: true, seconds: 0, notes: [] });
        const startedAt = new Date();
        const columns = new Columns(collect.by);
        for (const [index, cell] of found.entries()) {
          signal.throwIfAborted();
          const table = await store.open(cell.table);
          columns.add(cell, table.row(table.rows - 1));
          heartbeats.report({ done: index + 1, total: found.length, unit: 'cells' });
        }
        const metadata = {
          ...commonMetadata(step),
          'epochal.axes': JSON.stringify(collect.by),
          'epochal.collected': `${collect.table.stage}.${collect.table.output}`,
        };
        const table = await store.write('collection', metadata, (writer) => writer.append(columns.values()));
        const backend = { backend: 'none', library: 'none' };
        const record = await recordStep(store, step, { outputs: { table }, notes, backend }, startedAt);
        return outcome(record, { reused: false, seconds: record.provenance.seconds, notes: damage });
      });
    } catch (error) {
      throw toStageFailure(error);
    }
  };
}

async function findTables(store: Store, studyId: string, plan: Plan, collect: PlannedCollect) {
  const found: CollectedCell[] = [];
  const missing: string[] = [];
  for (const { id, axes } of plan.cells) {
    const text = await store.readText(cellResultName(studyId, id));
    const result = text === undefined ? undefined : (JSON.parse(text) as CellResult);
    const table =
      result?.status === 'succeeded'
        ? result.stages[collect.table.stage]?.outputs[collect.table.output]
        : undefined;
    if (table === undefined) missing.push(id);
    else
      found.push({
        cell: id,
        axes: Object.fromEntries(collect.by.map((axis) => [axis, axes[axis] ?? null])),
        table,
      });
  }
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
