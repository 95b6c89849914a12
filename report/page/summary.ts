import { html, type SafeHtml } from '../html.ts';
import {
  type CellParameters,
  cellsOf,
  type Estimate,
  type FinalEpoch,
  type KeyResults,
} from '../key-results.ts';
import {
  countOf,
  formatCount,
  formatDuration,
  formatMeasured,
  formatSignificant,
  plural,
} from '../numbers.ts';
import { hasWarnings, type Study } from '../read-study.ts';
import { quantityName } from './quantities.ts';

/** Quantities that have a tile at the top of the page. */
const headline = ['lambda_cross', 'tau_sgd'];

/** The tiles: cells, stages, and the main results. */
export function summaryTiles(study: Study, results: KeyResults): SafeHtml {
  return html`<dl class="tiles">${[
    cellsTile(study),
    stagesTile(study),
    ...headline.flatMap((name) => estimateTile(study, results.parameters, name)),
    ...accuracyTile(study, results.training),
  ]}</dl>`;
}

function tile(label: SafeHtml | string, value: SafeHtml | string, sub: SafeHtml | string): SafeHtml {
  return html`<div class="tile"><dt>${label}</dt><dd>${value}</dd><dd class="sub">${sub}</dd></div>`;
}

function cellsTile({ plan, cells, result, damaged }: Study): SafeHtml {
  const statuses = [...cells.values()].map(({ status }) => status);
  const of = (wanted: string) => statuses.filter((status) => status === wanted).length;
  const lost = damaged.filter((name) => name.includes('/cells/')).length;
  const warned = [...cells.values()].filter(hasWarnings).length;
  const parts = [
    ...(lost > 0 ? [`${formatCount(lost)} with a damaged record`] : []),
    ...(of('failed') > 0 ? [`${formatCount(of('failed'))} failed`] : []),
    ...(of('cancelled') > 0 ? [`${formatCount(of('cancelled'))} cancelled`] : []),
    ...(result === undefined && cells.size < plan.cells.length
      ? [`${formatCount(plan.cells.length - cells.size)} to go`]
      : []),
    ...(warned > 0 ? [`${formatCount(warned)} with warnings`] : []),
  ];
  return tile(
    plan.cells.length === 1 ? 'Cell done' : 'Cells done',
    `${of('succeeded').toLocaleString('en-US')} of ${plan.cells.length.toLocaleString('en-US')}`,
    parts.length === 0 ? 'all succeeded' : parts.join(', '),
  );
}

function stagesTile({ cells, result }: Study): SafeHtml {
  const outcomes = [
    ...[...cells.values()].flatMap(({ stages }) => Object.values(stages)),
    ...Object.values(result?.collect ?? {}),
  ];
  const reused = outcomes.filter((outcome) => outcome.reused).length;
  const seconds = outcomes.reduce((sum, outcome) => sum + (outcome.reused ? 0 : outcome.seconds), 0);
  return tile(
    'Stages computed',
    (outcomes.length - reused).toLocaleString('en-US'),
    `${reused.toLocaleString('en-US')} reused${seconds > 0 ? `; ${formatDuration(seconds)} of computing` : ''}`,
  );
}

function estimateTile(study: Study, parameters: readonly CellParameters[], name: string): SafeHtml[] {
  const fitted = parameters.filter(({ estimates }) => Number.isFinite(estimates[name]?.value));
  const estimates = fitted.map((cell) => cell.estimates[name]!);
  if (estimates.length === 0) return [];
  const label = html`${quantityName(name)}, fitted`;
  if (estimates.length === 1) {
    const [estimate] = estimates as [Estimate];
    const whole = study.plan.cells.length === 1;
    const of = [comparison(estimate), whole ? '' : ofCells(study, fitted)].filter((text) => text !== '');
    return [tile(label, formatMeasured(estimate.value, estimate.error), of.join('; '))];
  }
  const compared = fitted.filter(({ estimates }) => estimates[name]!.theory! > 0);
  if (compared.length === 0) return [];
  const ratios = compared.map(({ estimates }) => estimates[name]!.value / estimates[name]!.theory!);
  return [
    tile(
      html`${label}, over theory`,
      measuredMean(ratios),
      `mean and standard error of ${ofCells(study, compared)}`,
    ),
  ];
}

/** How many of the study's cells these results are of. */
function ofCells({ plan }: Study, results: readonly { readonly cellId: string }[]): string {
  return countOf(cellsOf(results), plan.cells.length, 'cell');
}

/** `theory 0.75; +6.0 %, 1.2 standard errors` */
export function comparison({ value, theory, deviation }: Estimate): string {
  if (theory === undefined || !Number.isFinite(theory)) return '';
  const relative = theory === 0 ? '' : `; ${signed((100 * (value - theory)) / Math.abs(theory))} %`;
  const errors =
    deviation !== undefined && Number.isFinite(deviation) ? `, ${signed(deviation)} standard errors` : '';
  return `theory ${formatSignificant(theory)}${relative}${errors}`;
}

/** A number with its sign and two digits. */
export function signed(value: number): string {
  const text = formatSignificant(value, 2);
  return value > 0 ? `+${text}` : text;
}

function accuracyTile(study: Study, training: readonly FinalEpoch[]): SafeHtml[] {
  const test = percentages(training.map(({ testAccuracy }) => testAccuracy));
  const train = percentages(training.map(({ trainAccuracy }) => trainAccuracy));
  if (test.length === 0 && train.length === 0) return [];
  const [label, main] = test.length > 0 ? ['Test accuracy', test] : ['Train accuracy', train];
  const rest = test.length > 0 && train.length > 0 ? `train ${mean(train)} %; ` : '';
  const measured = training.filter((cell) =>
    Number.isFinite(test.length > 0 ? cell.testAccuracy : cell.trainAccuracy),
  );
  const of =
    study.plan.cells.length > 1
      ? `mean of ${ofCells(study, measured)}`
      : main.length > 1
        ? `mean of ${plural(main.length, 'training')}`
        : 'after the last epoch';
  return [tile(label, `${mean(main)} %`, `${rest}${of}`)];
}

function percentages(values: readonly number[]): number[] {
  return values.filter(Number.isFinite).map((value) => 100 * value);
}

function mean(values: readonly number[]): string {
  return values.length === 1 ? values[0]!.toFixed(1) : measuredMean(values);
}

function measuredMean(values: readonly number[]): string {
  const average = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - average) ** 2, 0);
  return formatMeasured(average, Math.sqrt(squares / Math.max(1, values.length - 1) / values.length));
}
