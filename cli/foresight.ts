import pc from 'picocolors';
import type { Plan, PlannedCell } from '../compiler/index.ts';
import type { StageForesight } from '../runtime/foresight.ts';
import { formatBytes, formatCount, formatDuration, plural } from './format.ts';
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
  lines.push(...totalCost(foresight));
  for (const cell of plan.cells.slice(0, shownCells)) {
    const rows = foresight
      .filter((stage) => stage.cell === cell.id)
      .map((stage) => [`  ${stage.stage}`, stage.uses, stage.action, cost(stage), stage.why]);
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

/** What a stage may cost or saves. */
function cost({ action, seconds, estimate }: StageForesight): string {
  if (seconds !== undefined) return `saves ${formatDuration(seconds)}`;
  if (estimate !== undefined) return `~${formatDuration(estimate.seconds)}, ${formatBytes(estimate.bytes)}`;
  return action === 'run' ? '?' : '';
}

/** The sum over all stages that would run, as far as the store's earlier steps tell. */
function totalCost(foresight: readonly StageForesight[]): string[] {
  const toRun = foresight.filter(({ action }) => action === 'run');
  const known = toRun.flatMap(({ estimate }) => (estimate === undefined ? [] : [estimate]));
  if (toRun.length === 0) return [];
  if (known.length === 0)
    return ['No estimate of time and size: nothing of its kind has run in this store yet.'];
  const seconds = known.reduce((sum, estimate) => sum + estimate.seconds, 0);
  const bytes = known.reduce((sum, estimate) => sum + estimate.bytes, 0);
  const without = toRun.length - known.length;
  return [
    `About ${formatDuration(seconds)} of computing and ${formatBytes(bytes)}, judged by earlier steps in this store` +
      `${without > 0 ? `; ${plural(without, 'stage')} not counted` : ''}`,
  ];
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
