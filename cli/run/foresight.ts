import pc from 'picocolors';
import type { Plan } from '../../compiler/index.ts';
import { formatBytes, formatCount, formatDuration, plural } from '../../report/numbers.ts';
import type { StageForesight } from '../../runtime/cost/foresight.ts';
import { table } from '../output/output.ts';
import { parallelOf } from './parallel.ts';

const shownCells = 12;

/** The dry run, for people. */
export function formatForesight(plan: Plan, foresight: readonly StageForesight[]): string {
  const count = (action: StageForesight['action']) =>
    foresight.filter((stage) => stage.action === action).length;
  // A kind of one's own may train too, but nothing is known of that.
  const training = foresight.filter(
    ({ uses, action }) => ['train', 'record'].includes(uses) && action !== 'shared',
  );
  const lines = [
    `${pc.bold(plan.name)}  ${plural(plan.cells.length, 'cell')}, ${plural(foresight.length, 'stage')}: ` +
      `${count('run')} to run, ${count('reuse')} reused, ${count('shared')} shared between cells`,
  ];
  const steps = training.reduce<number | undefined>(
    (sum, stage) => (sum === undefined || stage.sgdSteps === undefined ? undefined : sum + stage.sgdSteps),
    0,
  );
  if (steps !== undefined && steps > 0)
    lines.push(`${formatCount(steps)} SGD steps in all, those of reused stages included`);
  lines.push(...totalCost(foresight), `at once: ${parallelOf(plan).text}`);
  for (const cell of plan.cells.slice(0, shownCells)) {
    const rows = foresight
      .filter((stage) => stage.cell === cell.id)
      .map((stage) => [`  ${stage.stage}`, stage.uses, stage.action, cost(stage), stage.why]);
    lines.push('', ...(plan.cells.length > 1 ? [pc.bold(cell.id)] : []), table(rows));
  }
  if (plan.cells.length > shownCells)
    lines.push('', `${shownCells} of ${formatCount(plan.cells.length)} cells are shown; --json has all`);
  if (plan.collect.length > 0) {
    const rows = foresight
      .filter(({ cell }) => cell === 'study')
      .map((stage) => [`  ${stage.stage}`, stage.uses, stage.action, cost(stage), stage.why]);
    lines.push('', pc.bold('over all cells'), table(rows));
  }
  return lines.join('\n');
}

/** What a stage may cost or saves. */
function cost({ action, seconds, estimate }: StageForesight): string {
  if (seconds !== undefined) return `saves ${formatDuration(seconds)}`;
  if (action !== 'run') return '';
  const time = estimate?.seconds === undefined ? 'time unknown' : `~${formatDuration(estimate.seconds)}`;
  return estimate?.bytes === undefined ? time : `${time}, ${formatBytes(estimate.bytes)}`;
}

/** The sums over all stages that would run, and of how many of them they are. */
function totalCost(foresight: readonly StageForesight[]): string[] {
  const toRun = foresight.filter(({ action }) => action === 'run');
  if (toRun.length === 0) return [];
  const all = plural(toRun.length, 'stage');
  const sum = (known: readonly number[]) => known.reduce((total, value) => total + value, 0);
  const of = (known: readonly number[]) =>
    known.length === toRun.length ? '' : ` for ${known.length} of ${all}`;
  const times = toRun.flatMap(({ estimate }) => estimate?.seconds ?? []);
  const sizes = toRun.flatMap(({ estimate }) => estimate?.bytes ?? []);
  const guessed = toRun.filter(({ estimate }) => estimate?.basis?.other !== undefined).length;
  const reasons = new Set(toRun.flatMap(({ estimate }) => estimate?.unknown ?? []));
  return [
    times.length === 0
      ? 'Time unknown: nothing comparable has run in this store yet.'
      : `About ${formatDuration(sum(times))} of computing${of(times)}, in proportion to earlier steps in this store` +
        `${guessed === 0 ? '' : `; a guess for ${plural(guessed, 'stage')}, from another network or size of it, data set, number of threads or device`}`,
    ...(sizes.length === 0 ? [] : [`${formatBytes(sum(sizes))} of artifacts${of(sizes)}`]),
    ...(times.length === 0 ? [] : [...reasons].map((reason) => `time unknown: ${reason}`)),
  ];
}
