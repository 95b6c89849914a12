import { dataFileNames } from '../data-files.ts';
import { html, type SafeHtml } from '../html.ts';
import { type CellParameters, cellsOf, cutResults, type KeyResults } from '../key-results.ts';
import { countOf, formatCount, formatKnown, formatSignificant, plural } from '../numbers.ts';
import type { Study } from '../read-study.ts';
import type { ResultRow } from '../result-rows.ts';
import { bracketsSentence, resultColumns } from '../result-words.ts';
import { quantityName } from './quantities.ts';
import { signed } from './summary.ts';
import { fileLink, listed, maximumRows, table } from './table.ts';

/** Rows of results at most. */
const mostResults = 1000;
/** A table that has all rows stands open up to so many. */
const unfoldedRows = 20;

/** The main results as `run` tells them, a row for each combination of the axes other than seeds. */
export function rowsTable(all: readonly ResultRow[], results: KeyResults): SafeHtml | undefined {
  if (all.length === 0) return undefined;
  const rows = all.slice(0, mostResults);
  const { names, axes, entries, hasTheory } = resultColumns(rows);
  const repeats = rows.some(({ of }) => of > 1);
  const cells = ({ cells, of }: ResultRow) => (repeats ? [countOf(cells, of, 'cell')] : []);
  const headings = [
    ...names.map((name, index) => (index < axes ? name : `#${name}`)),
    ...(repeats ? ['#mean of'] : []),
  ];
  const lines = entries.map((row, index) => [...row, ...cells(rows[index]!)]);
  const content =
    axes > 0
      ? table(headings, lines)
      : table(
          ['', '#value'],
          headings.map((heading, index) => [heading.slice(1), lines[0]![index]!]),
        );
  const cut = cutResults(results);
  const from =
    cut.length === 0
      ? undefined
      : `From ${cut.join(', ')}, evenly spread; a \`collect\` of them brings all here.`;
  const brackets = hasTheory
    ? `${bracketsSentence[0]!.toUpperCase()}${bracketsSentence.slice(1)}.`
    : undefined;
  const remarks = [from, brackets].filter((text) => text !== undefined).join(' ');
  const whole =
    rows.length <= unfoldedRows
      ? content
      : html`<details><summary>${plural(rows.length, 'row')}</summary>${content}</details>`;
  const left = listed(rows.length, all.length, 'row', {
    rest: html`${fileLink(dataFileNames.results)} has all`,
  });
  return html`${whole}${left}${remarks === '' ? undefined : html`<p class="quiet">${remarks}</p>`}`;
}

/** The fitted parameters against the theory: all of them for one cell, a row a cell otherwise. */
export function resultTable(
  { plan }: Study,
  { parameters, available, read }: KeyResults,
): SafeHtml | undefined {
  const [first] = parameters;
  if (first === undefined) return undefined;
  const fitted = cellsOf(parameters);
  const whose =
    fitted < plan.cells.length && parameters.length === available.parameters
      ? html`<p class="quiet">${countOf(fitted, plan.cells.length, 'cell')} ${fitted === 1 ? html`has a fit: ${first.label}` : 'have a fit'}.</p>`
      : undefined;
  if (parameters.length === 1) {
    const rows = Object.entries(first.estimates).map(([name, { theory, deviation, ...known }]) => [
      quantityName(name),
      formatKnown(known),
      theory === undefined ? '' : formatSignificant(theory),
      deviation === undefined || Number.isNaN(deviation) ? '' : signed(deviation),
    ]);
    return html`${table(['quantity', '#measured', '#theory', '#deviation (standard errors)'], rows)}${whose}`;
  }
  const isCut = parameters.length > maximumRows;
  const ordered = isCut ? parameters.toSorted((a, b) => deviationOf(b) - deviationOf(a)) : parameters;
  const rows = ordered
    .slice(0, maximumRows)
    .map(({ label, estimates: { lambda_cross: cross, tau_sgd: tau } }) => [
      label,
      ...[cross, tau].flatMap((estimate) => [
        estimate === undefined ? '' : formatKnown(estimate),
        estimate?.theory === undefined ? '' : formatSignificant(estimate.theory),
      ]),
    ]);
  const quantities = Math.max(...parameters.map(({ estimates }) => Object.keys(estimates).length));
  const cut = listed(rows.length, available.parameters, 'fit', {
    order: isCut ? ', those farthest from the theory first' : '',
    rest: html`${fileLink(dataFileNames.fits)} has ${read.parameters < available.parameters ? `the ${formatCount(parameters.length)} that were read` : 'all'}`,
  });
  return html`${table(['cell', '#λ_cross', '#theory', '#τ_SGD (steps)', '#theory'], rows)}${cut}${whose}
${quantities > 2 ? html`<p class="quiet">2 of the ${quantities} quantities of a fit are listed; ${fileLink(dataFileNames.fits)} has all.</p>` : undefined}`;
}

/** The larger of the two deviations from the theory, in standard errors; -1 where there is none. */
function deviationOf({ estimates }: CellParameters): number {
  const sizes = [estimates.lambda_cross, estimates.tau_sgd].map((estimate) =>
    Math.abs(estimate?.deviation ?? -1),
  );
  return Math.max(-1, ...sizes.filter(Number.isFinite));
}
