import type { SgdContext } from '../../../artifacts/arrow/training-context.ts';
import { type CellTable, column } from './data.ts';
import { isPlottable } from './log-scale.ts';
import { cellColours, colouredCells, colours } from './theme.ts';

/** What a panel shows against the Hessian eigenvalue. */
export interface SpectrumQuantity {
  /** Column of the `spectrum`; `<column>_standard_error` and `<column>_theory` go with it. */
  readonly column: string;
  /** In a sentence. */
  readonly name: string;
  readonly axisTitle: string;
  readonly theoryLabel: string;
}

export interface SpectrumPoint {
  readonly colour: string;
  readonly eigenvalue: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface LinePoint {
  readonly cell: number;
  readonly colour: string;
  readonly eigenvalue: number;
  readonly value: number;
}

/** Points drawn at most in one panel. With more, every n-th of each cell is drawn; the data beside the figure is whole. */
const maximumPoints = 6000;

/** Pairs that a logarithmic plot of `name` leaves out because the eigenvalue or the value is not positive. */
export function leftOut(cells: readonly CellTable[], name: string): { eigenvalues: number; values: number } {
  let eigenvalues = 0;
  let values = 0;
  for (const cell of cells) {
    const measured = column(cell, name);
    column(cell, 'eigenvalue').forEach((eigenvalue, index) => {
      if (!isPlottable(eigenvalue)) eigenvalues++;
      else if (!isPlottable(measured[index])) values++;
    });
  }
  return { eigenvalues, values };
}

/** Every how many-th point is drawn. */
export function thinning(cells: readonly CellTable[]): number {
  return Math.ceil(cells.reduce((sum, cell) => sum + cell.rows, 0) / maximumPoints) || 1;
}

export function measuredPoints(
  cell: CellTable,
  quantity: SpectrumQuantity,
  colour: string,
  stride: number,
): SpectrumPoint[] {
  const values = column(cell, quantity.column);
  const errors = cell.columns[`${quantity.column}_standard_error`];
  const result: SpectrumPoint[] = [];
  column(cell, 'eigenvalue').forEach((eigenvalue, index) => {
    const value = values[index]!;
    if (index % stride !== 0 || !isPlottable(eigenvalue) || !isPlottable(value)) return;
    const error = errors?.[index] ?? 0;
    const spread = Number.isFinite(error) ? error : 0;
    result.push({ colour, eigenvalue, value, low: value - spread, high: value + spread });
  });
  return result;
}

/** A line of the theory beside its first one, drawn where it differs visibly (by 2 %) from another. */
export interface FurtherTheory {
  readonly suffix: 'theory_window' | 'theory_leftover';
  readonly than: 'theory' | 'theory_window';
  readonly label: string;
  readonly mark: 'dots' | 'dotdash';
}

export const furtherTheories: readonly FurtherTheory[] = [
  // As short a window as the recorded one: slow directions lose variance with the subtracted drift.
  { suffix: 'theory_window', than: 'theory', label: 'theory, recorded window', mark: 'dots' },
  {
    suffix: 'theory_leftover',
    than: 'theory_window',
    label: 'theory with the noise left over an epoch',
    mark: 'dotdash',
  },
];

export function furtherLines(
  cells: readonly CellTable[],
  quantity: SpectrumQuantity,
  further: FurtherTheory,
): LinePoint[] {
  return cells.flatMap((cell, index) =>
    isVisible(cell, quantity, further)
      ? theoryLine(cell, quantity, index, lineColour(cells, index), further.suffix)
      : [],
  );
}

export function isVisible(
  { columns }: CellTable,
  quantity: SpectrumQuantity,
  { suffix, than }: FurtherTheory,
): boolean {
  const theory = columns[`${quantity.column}_${than}`];
  const further = columns[`${quantity.column}_${suffix}`];
  if (theory === undefined || further === undefined) return false;
  return theory.some(
    (value, row) => isPlottable(further[row]) && Math.abs(further[row] - value) > 0.02 * value,
  );
}

export function theoryLine(
  cell: CellTable,
  quantity: SpectrumQuantity,
  index: number,
  colour: string,
  suffix: 'theory' | FurtherTheory['suffix'] = 'theory',
): LinePoint[] {
  const theory = cell.columns[`${quantity.column}_${suffix}`];
  if (theory === undefined) return [];
  return [...column(cell, 'eigenvalue')]
    .map((eigenvalue, row) => ({ cell: index, colour, eigenvalue, value: theory[row]! }))
    .filter((point) => isPlottable(point.eigenvalue) && isPlottable(point.value))
    .sort((a, b) => a.eigenvalue - b.eigenvalue);
}

export function pointColour(cells: readonly CellTable[], index: number): string {
  return cells.length === 1 ? colours.measured.light : (cellColours[index] ?? colours.other.light);
}

export function lineColour(cells: readonly CellTable[], index: number): string {
  return cells.length === 1 ? colours.theory.light : (cellColours[index] ?? colours.other.light);
}

/** A value that the theory marks, in the colour of the first cell that has it. */
export interface Level {
  readonly value: number;
  readonly colour: string;
}

/** The different values of lambda_cross or tau_SGD. Of new orders each epoch, forwards only or in pairs: others have no such regimes. */
export function distinctLevels(
  cells: readonly CellTable[],
  level: (training: SgdContext) => number,
): Level[] {
  const levels = new Map<number, string>();
  for (const [index, { training }] of cells.slice(0, colouredCells).entries()) {
    if (training?.sampling !== 'without-replacement' && training?.sampling !== 'paired-reversal') continue;
    const value = level(training);
    if (!levels.has(value)) levels.set(value, cellColours[index]!);
  }
  if (levels.size === 1) return [...levels.keys()].map((value) => ({ value, colour: colours.muted.light }));
  return [...levels].map(([value, colour]) => ({ value, colour }));
}
