import { findMetadata } from '../artifacts/arrow/metadata.ts';
import type { ArtifactRef } from '../artifacts/reference.ts';
import type { Store } from '../artifacts/store/store.ts';
import type { Plan, PlannedCell, PlannedFigure } from '../compiler/plan.ts';
import { evenly } from './evenly.ts';
import type { CellTable, Collection, FigureData } from './figures/drawing/data.ts';
import { colouredCells } from './figures/drawing/theme.ts';
import { limit, type Study } from './read-study.ts';
import { seedAxes } from './seed-axes.ts';
import { seriesColumns } from './series-columns.ts';

/** Cells drawn at most in one figure; the others are told, not drawn. */
export const drawnCells = 60;

/**
 * Reads what a figure of the plan shows, from the cells that have it so far. Throws
 * {@link import('../artifacts/errors.ts').DamagedArtifactError} if an artifact is not what its address says.
 */
export async function readFigureData(store: Store, study: Study, figure: PlannedFigure): Promise<FigureData> {
  const { from } = figure;
  if (from.scope === 'study') {
    const ref = study.result?.collect[from.stage]?.outputs[from.output];
    const planned = study.plan.cells.length;
    return ref === undefined
      ? { scope: 'study', axes: [], seeds: [], rows: [], planned }
      : { ...(await readCollection(store, ref)), seeds: seedAxes(study.plan), planned };
  }
  const available = study.plan.cells.filter(
    (cell) => outputOf(study, cell, from.stage, from.output) !== undefined,
  );
  const cells = await Promise.all(
    chosenCells(available).map((cell) => limit(() => readCellTable(store, study, figure, cell))),
  );
  return { scope: 'cell', cells, available: available.length, planned: study.plan.cells.length };
}

/** The cells that are drawn: all, or some of them, of which those with a colour are from all over the study too. */
function chosenCells(available: readonly PlannedCell[]): readonly PlannedCell[] {
  if (available.length <= drawnCells) return available;
  const drawn = evenly(available, drawnCells);
  const coloured = new Set(evenly(drawn, colouredCells));
  return [...coloured, ...drawn.filter((cell) => !coloured.has(cell))];
}

/** An output of a stage of a cell, if it is there. */
export function outputOf(
  study: Study,
  cell: PlannedCell,
  stage: string,
  output: string,
): ArtifactRef | undefined {
  return study.cells.get(cell.id)?.stages[stage]?.outputs[output];
}

/** The values of the axes that vary among the study's cells, `batchSize 50, seed 1`. */
export function cellLabel({ plan }: Pick<Study, 'plan'>, cell: PlannedCell): string {
  const axes = varying.get(plan) ?? varyingAxes(plan);
  varying.set(plan, axes);
  return axes.length === 0 ? cell.id : axes.map((axis) => `${axis} ${axisValue(cell, axis)}`).join(', ');
}

/** Of each plan, since every label needs them. */
const varying = new WeakMap<Plan, readonly string[]>();

function varyingAxes({ axes, cells }: Plan): readonly string[] {
  return axes.filter((axis) => new Set(cells.map((cell) => JSON.stringify(cell.axes[axis]))).size > 1);
}

/** Value of an axis of a cell, for people. */
export function axisValue(cell: PlannedCell, axis: string): string {
  const value = cell.axes[axis];
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

async function readCellTable(
  store: Store,
  study: Study,
  { from, fit }: PlannedFigure,
  cell: PlannedCell,
): Promise<CellTable> {
  const table = await store.open(outputOf(study, cell, from.stage, from.output)!);
  const training = findMetadata(table, 'training');
  const analysis = findMetadata(table, 'analysis');
  const noise = findMetadata(table, 'noise');
  const layers = findMetadata(table, 'layers');
  const toy = findMetadata(table, 'toy');
  const fitRef = fit === undefined ? undefined : outputOf(study, cell, fit.stage, fit.output);
  return {
    cellId: cell.id,
    label: cellLabel(study, cell),
    columns:
      table.kind === 'series'
        ? seriesColumns(table, toy)
        : Object.fromEntries(table.columns.map((name) => [name, table.numbers(name)])),
    rows: table.rows,
    ...(training === undefined ? {} : { training }),
    ...(analysis === undefined ? {} : { analysis }),
    ...(noise === undefined ? {} : { noise }),
    ...(layers === undefined ? {} : { layers }),
    ...(toy === undefined ? {} : { toy }),
    ...(fitRef === undefined ? {} : { fit: (await store.open(fitRef)).row(0) }),
  };
}

async function readCollection(
  store: Store,
  ref: ArtifactRef,
): Promise<Omit<Collection, 'planned' | 'seeds'>> {
  const table = await store.open(ref);
  return {
    scope: 'study',
    axes: findMetadata(table, 'axes') ?? [],
    rows: Array.from({ length: table.rows }, (_, index) => table.row(index)),
  };
}
