import type { Store } from '../artifacts/store/store.ts';
import { renderPng } from '../report/figures/drawing/render.ts';
import { renderFigure } from '../report/figures/index.ts';
import { type CellParameters, type Estimate, readKeyResults } from '../report/key-results.ts';
import { formatDuration, formatMeasured, formatSignificant } from '../report/numbers.ts';
import type { Study } from '../report/read-study.ts';
import { readFigureData } from '../report/read-tables.ts';

/** What the page of figures says of one pipeline. */
export interface Section {
  readonly markdown: string;
  readonly pictures: readonly { readonly file: string; readonly png: Uint8Array }[];
}

/** Pixels of a picture per pixel of the figure: sharp enough for a page, and about 100 kB. */
const pictureScale = 1.25;

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
};

/** The section of a pipeline: what its file says it shows, its command, its figures with captions, and its numbers. */
export async function sectionOf(name: string, store: Store, study: Study): Promise<Section> {
  const { plan } = study;
  const { about, expect } = readComment(plan.source.text);
  const pictures: { file: string; png: Uint8Array }[] = [];
  const figures: string[] = [];
  for (const [index, figure] of plan.report.figures.entries()) {
    const { title, caption, svg } = await renderFigure(figure, await readFigureData(store, study, figure));
    const file = `${name}-${index + 1}-${figure.kind}.png`;
    pictures.push({ file, png: renderPng(svg, pictureScale) });
    figures.push(`![${title}](figures/${file})\n\n*${title}.* ${caption.join(' ')}`);
  }
  const { parameters } = await readKeyResults(store, study);
  const seconds = [...study.steps.values()].reduce((sum, { provenance }) => sum + provenance.seconds, 0);
  const markdown = [
    `## ${plan.report.title}`,
    about,
    `\`\`\`sh\nnpx epochal run pipelines/${name}.yaml\n\`\`\``,
    ...(expect === '' ? [] : [expect]),
    ...figures,
    ...resultTables(parameters),
    `Stages took ${formatDuration(seconds)} together when they were computed.`,
  ].join('\n\n');
  return { markdown, pictures };
}

/** The paragraphs of the comment that a pipeline begins with: the first, and the one that says what to expect. */
export function readComment(text: string): { readonly about: string; readonly expect: string } {
  const lines = text.split('\n').slice(1);
  const end = lines.findIndex((line) => !line.startsWith('#'));
  const paragraphs = lines
    .slice(0, end)
    .map((line) => line.replace(/^# ?/, ''))
    .join('\n')
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.trim());
  const plain = paragraphs.filter((paragraph) => paragraph !== '' && !/^(npx|node) /.test(paragraph));
  const isExpectation = (paragraph: string) => paragraph.startsWith('Expect');
  return {
    about: plain.filter((paragraph) => !isExpectation(paragraph)).join('\n\n'),
    expect: plain.find(isExpectation) ?? '',
  };
}

/** The fitted numbers beside the theory's, a table for each stage that fits: a row a quantity for one cell, a row a cell for more. */
function resultTables(parameters: readonly CellParameters[]): string[] {
  const stages = [...new Set(parameters.map(({ stage }) => stage))];
  return stages.flatMap((stage) => {
    const cells = parameters.filter((cell) => cell.stage === stage);
    const known = Object.keys(quantityNames).filter((name) =>
      cells.some(({ estimates }) => isComparable(estimates[name])),
    );
    if (known.length === 0) return [];
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
      ? ['“With r”: the same deviation where theory knows of the noise that is left over ([theory](theory.md#noise-that-is-left-over)).']
      : [];
    return [table(['cell', ...headings, ...last], rows), ...about];
  });
}

function isComparable(estimate: Estimate | undefined): boolean {
  return estimate?.theory !== undefined && Number.isFinite(estimate.value);
}

function compared(estimate: Estimate | undefined): string[] {
  if (estimate === undefined || !Number.isFinite(estimate.value)) return ['–', '–', '–'];
  const { value, error, theory, deviation } = estimate;
  return [
    formatMeasured(value, error),
    theory === undefined ? '–' : formatSignificant(theory),
    deviation === undefined ? '–' : formatSignificant(deviation, 2),
  ];
}

function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(headings), line(headings.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(line)].join(
    '\n',
  );
}
