import type { CellParameters, Estimate, FinalEpoch } from '../report/key-results.ts';
import { formatKnown, formatMeasured, formatSignificant } from '../report/numbers.ts';
import type { Study } from '../report/read-study.ts';
import { seedAxes } from '../report/seed-axes.ts';
import { studentTQuantile } from '../science/analysis/student-t.ts';

const quantityNames: Readonly<Record<string, string>> = {
  lambda_cross: 'λ_cross',
  lambda_cross_leftover: 'λ_cross, the noise that is left over known',
  tau_sgd: 'τ_SGD (steps)',
  tau_sgd_leftover: 'τ_SGD (steps), the noise that is left over known',
  weight_variance_exponent_below: 'exponent of σ²_θ below λ_cross',
  weight_variance_exponent_above: 'exponent of σ²_θ above λ_cross',
  velocity_variance_exponent: 'exponent of σ²_v',
  loss_fluctuation: 'loss of the fluctuations, ½ Σ λ σ²_θ',
  noise_epoch_share: 'share of the noise left over an epoch',
  noise_leftover_share: 'r, the share of the noise left over at low frequencies',
};

/** Cells that differ in more than seeds are listed one by one up to so many. */
const mostRows = 12;

/**
 * The fitted numbers beside the theory's, a table for each stage that fits: a row a quantity for one cell, a row a cell for more.
 *
 * @param theoryPage Where the page on the theory lies, seen from the page that the tables are for.
 */
export function fitTables(parameters: readonly CellParameters[], theoryPage: string): string[] {
  const stages = [...new Set(parameters.map(({ stage }) => stage))];
  return stages.flatMap((stage) => {
    const cells = parameters.filter((cell) => cell.stage === stage);
    const known = Object.keys(quantityNames).filter((name) =>
      cells.some(({ estimates }) => isComparable(estimates[name])),
    );
    if (known.length === 0 || cells.length > mostRows) return [];
    if (cells.length === 1) {
      const rows = known.map((name) => [quantityNames[name]!, ...compared(cells[0]!.estimates[name])]);
      return [table(['quantity', 'measured', 'theory', 'difference in standard errors'], rows)];
    }
    const shown = known.filter((name) => name === 'lambda_cross' || name === 'tau_sgd');
    const hasLeftover = (name: string) => known.includes(`${name}_leftover`);
    const headings = shown.flatMap((name) => [
      quantityNames[name]!,
      'theory',
      'standard errors',
      ...(hasLeftover(name) ? ['with r'] : []),
    ]);
    const share = 'noise_leftover_share';
    const hasShare = cells.some(({ estimates }) => Number.isFinite(estimates[share]?.value));
    const rows = cells.map(({ label, estimates }) => [
      label,
      ...shown.flatMap((name) => [
        ...compared(estimates[name]),
        ...(hasLeftover(name) ? [compared(estimates[`${name}_leftover`])[2]!] : []),
      ]),
      ...(hasShare ? [compared(estimates[share])[0]!] : []),
    ]);
    const last = hasShare ? ['r, the share of the noise left over'] : [];
    const about = shown.some(hasLeftover)
      ? [
          `“With r”: the same deviation where theory knows of the noise that is left over ([theory](${theoryPage}#noise-that-is-left-over)).`,
        ]
      : [];
    return [table(['cell', ...headings, ...last], rows), ...about];
  });
}

function isComparable(estimate: Estimate | undefined): boolean {
  if (estimate?.theory === undefined) return false;
  return [estimate.value, estimate.lowerLimit, estimate.upperLimit].some(Number.isFinite);
}

function compared(estimate: Estimate | undefined): string[] {
  if (estimate === undefined) return ['–', '–', '–'];
  const { theory, deviation } = estimate;
  return [
    formatKnown(estimate),
    theory === undefined ? '–' : formatSignificant(theory),
    deviation === undefined ? '–' : formatSignificant(deviation, 2),
  ];
}

/** A table in Markdown, its first column to the left. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(headings), line(headings.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(line)].join(
    '\n',
  );
}

/**
 * Means over seeds, with standard errors from their scatter and the interval by Student's t, and what the deviations of single seeds from theory are like: as a rule,
 * standard errors that are right give deviations with a standard deviation of 1. Seeds whose data determine no value are left out, and counted. Nothing for fewer than three.
 */
export function seedTables({ plan }: Study, parameters: readonly CellParameters[]): string[] {
  const seeds = seedAxes(plan);
  const others = plan.axes.filter((axis) => !seeds.includes(axis));
  if (seeds.length === 0) return [];
  const axesOf = new Map(plan.cells.map(({ id, axes }) => [id, axes]));
  const groups = Map.groupBy(parameters, ({ cellId, stage }) =>
    [stage, ...others.map((axis) => `${axis} ${JSON.stringify(axesOf.get(cellId)![axis])}`)].join(', '),
  );
  return [...groups].flatMap(([label, cells]) => {
    if (cells.length < 3) return [];
    const rows = meansOver.flatMap((name) => {
      const known = cells.flatMap(({ estimates }) => {
        const estimate = estimates[name];
        return estimate === undefined || !Number.isFinite(estimate.value) ? [] : [estimate];
      });
      return known.length < 3 ? [] : [meanRow(name, known, cells.length)];
    });
    if (rows.length === 0) return [];
    const of = groups.size === 1 ? '' : ` (${label})`;
    return [
      `Means over seeds${of}, with standard errors from their scatter and 95 % intervals by Student's t; and the deviations of the single seeds from theory, each in its own standard errors:`,
      table(
        ['quantity', 'seeds', 'mean', '95 % interval', 'theory', 'mean deviation', 'its standard deviation'],
        rows,
      ),
    ];
  });
}

/** Loss and accuracy after the last epoch: of one training as they are, of several their means. */
export function trainingSentence(training: readonly FinalEpoch[]): string[] {
  if (training.length === 0) return [];
  const told = (name: 'trainLoss' | 'testLoss' | 'trainAccuracy' | 'testAccuracy') => {
    const values = training.map((last) => last[name]).filter(Number.isFinite);
    if (values.length === 0) return undefined;
    const { mean, error } = meanOf(values);
    const [scale, unit] = name.endsWith('Accuracy') ? [100, ' %'] : [1, ''];
    const text =
      values.length === 1 ? formatSignificant(scale * mean, 4) : formatMeasured(scale * mean, scale * error);
    return `${text}${unit}`;
  };
  const [trainLoss, testLoss] = [told('trainLoss'), told('testLoss')];
  const [trainAccuracy, testAccuracy] = [told('trainAccuracy'), told('testAccuracy')];
  const test = testLoss === undefined ? '' : `, of the test examples ${testLoss} and ${testAccuracy}`;
  const of = training.length === 1 ? '' : ` (means of ${training.length} trainings)`;
  return [
    `After the last epoch${of}: loss and accuracy of the training examples ${trainLoss} and ${trainAccuracy}${test}.`,
  ];
}

const meansOver = [
  'lambda_cross',
  'lambda_cross_leftover',
  'tau_sgd',
  'tau_sgd_leftover',
  'loss_fluctuation',
  'noise_leftover_share',
];

function meanRow(name: string, known: readonly Estimate[], of: number): string[] {
  const values = known.map(({ value }) => value);
  const { mean, error } = meanOf(values);
  const half = studentTQuantile(0.95, values.length - 1) * error;
  const theories = known.flatMap(({ theory }) => (theory === undefined ? [] : [theory]));
  const deviations = known.flatMap(({ deviation }) => (deviation === undefined ? [] : [deviation]));
  const pull = deviations.length < 3 ? undefined : meanOf(deviations);
  return [
    quantityNames[name] ?? name,
    values.length === of ? String(of) : `${values.length} of ${of}`,
    formatMeasured(mean, error),
    `${formatSignificant(mean - half)} … ${formatSignificant(mean + half)}`,
    theories.length === values.length ? formatSignificant(meanOf(theories).mean) : '–',
    pull === undefined ? '–' : formatMeasured(pull.mean, pull.error),
    pull === undefined ? '–' : formatSignificant(pull.error * Math.sqrt(deviations.length), 2),
  ];
}

/** The mean of a quantity over the cells, with its standard error, its 95 % interval by Student's t, and the theory's; undefined for fewer than three that have it. */
export function meanOverSeeds(
  parameters: readonly CellParameters[],
  name: string,
): { readonly value: string; readonly interval: string; readonly theory: string } | undefined {
  const known = parameters.flatMap(({ estimates }) => estimates[name] ?? []);
  const finite = known.filter(({ value }) => Number.isFinite(value));
  if (finite.length < 3) return undefined;
  const [, , value, interval, theory] = meanRow(name, finite, known.length);
  return { value: value!, interval: interval!, theory: theory! };
}

function meanOf(values: readonly number[]): { readonly mean: number; readonly error: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, error: Math.sqrt(squares / (values.length - 1) / values.length) };
}
