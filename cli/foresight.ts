import pc from 'picocolors';
import type { Plan, PlannedCell } from '../compiler/index.ts';
import type { StageForesight } from '../runtime/foresight.ts';
import { formatCount, formatDuration, plural } from './format.ts';
import { table } from './output.ts';

const shownCells = 12;

/** The dry run, for people. */
export function formatForesight(plan: Plan, foresight: readonly StageForesight[]): string {
  const count = (action: StageForesight['action']) =>
    foresight.filter((stage) => stage.action === action).length;
  const steps = plan.cells.map(sgdSteps);
  const known = steps.every((value) => value !== undefined);
  const lines = [
    `${pc.bold(plan.name)}  ${plural(plan.cells.length, 'cell')}, ${plural(foresight.length, 'stage')}: ` +
      `${count('run')} to run, ${count('reuse')} reused, ${count('shared')} shared between cells`,
  ];
  if (known) {
    const total = steps.reduce((sum, value) => sum! + value!, 0)!;
    if (total > 0) lines.push(`${formatCount(total)} SGD steps in all, those of reused stages included`);
  }
  for (const cell of plan.cells.slice(0, shownCells)) {
    const rows = foresight
      .filter((stage) => stage.cell === cell.id)
      .map(({ stage, uses, action, why, seconds }) => [
        `  ${stage}`,
        uses,
        action,
        `${why}${seconds === undefined ? '' : ` (saves ${formatDuration(seconds)})`}`,
      ]);
    lines.push('', ...(plan.cells.length > 1 ? [pc.bold(cell.id)] : []), table(rows));
  }
  if (plan.cells.length > shownCells)
    lines.push('', `... and ${plan.cells.length - shownCells} more cells; --json shows all`);
  for (const { name, table: source, by } of plan.collect) {
    lines.push(
      '',
      `collect ${name}: ${source.stage}.${source.output} of every cell, by ${by.join(', ') || 'cell'}`,
    );
  }
  return lines.join('\n');
}

/** SGD steps of a cell, as far as the plan tells: undefined if the number of examples is not in it. */
function sgdSteps({ stages }: PlannedCell): number | undefined {
  const examples = stages.find(({ uses }) => uses === 'dataset')?.with.examples;
  let total = 0;
  let batches = 0;
  for (const stage of stages) {
    if (stage.uses === 'train') {
      if (typeof examples !== 'number') return undefined;
      batches = Math.floor(examples / (stage.with.batchSize as number));
      total += batches * (stage.with.epochs as number);
    }
    if (stage.uses === 'record')
      total += batches * ((stage.with.epochs as number) + (stage.with.warmup as number));
  }
  return total;
}
