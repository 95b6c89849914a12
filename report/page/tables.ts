import type { ArtifactRef } from '../../artifacts/reference.ts';
import type { Provenance } from '../../artifacts/store/step.ts';
import type { StageOutcome } from '../../workflows/messages.ts';
import { html, type SafeHtml } from '../html.ts';
import { cellsOf, cutResults, type KeyResults } from '../key-results.ts';
import {
  countOf,
  formatBytes,
  formatDuration,
  formatMeasured,
  formatSignificant,
  plural,
} from '../numbers.ts';
import { cellRecord, type Study } from '../read-study.ts';
import { axisValue } from '../read-tables.ts';
import type { ResultRow } from '../result-rows.ts';
import { bracketsSentence, resultColumns } from '../result-words.ts';
import { quantityName } from './quantities.ts';
import { signed } from './summary.ts';

/** Rows of a table of cells shown at most. */
const maximumRows = 200;
/** A table that has all rows stands open up to so many. */
const unfoldedRows = 20;
/** Values of an axis shown at most. */
const maximumValues = 20;

/** A table; columns whose heading begins with `#` are numbers, aligned to the right. */
function table(
  headings: readonly string[],
  rows: readonly (readonly (SafeHtml | string | undefined)[])[],
): SafeHtml {
  const isNumber = headings.map((heading) => heading.startsWith('#'));
  const cell = (value: SafeHtml | string | undefined, column: number) =>
    column === 0
      ? html`<th scope="row">${value}</th>`
      : isNumber[column]
        ? html`<td class="number">${value}</td>`
        : html`<td>${value}</td>`;
  const heading = (text: string, column: number) =>
    isNumber[column]
      ? html`<th class="number" scope="col">${text.slice(1)}</th>`
      : html`<th scope="col">${text}</th>`;
  return html`<div class="scroll"><table><thead><tr>${headings.map(heading)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map(cell)}</tr>\n`)}</tbody></table></div>`;
}

/** A digest: the first 12 characters, the rest on hovering and by the copy button. */
export function hash(digest: string): SafeHtml {
  return html`<span class="hash" title="${digest}"><code>${digest.slice(0, 12)}</code></span>`;
}

/** Parameters of the pipeline and what the axes run over. */
export function parameterTable({ plan }: Study): SafeHtml {
  const names = [...new Set([...plan.axes, ...Object.keys(plan.params)])];
  const rows = names.map((name) => {
    if (!plan.axes.includes(name)) return [name, JSON.stringify(plan.params[name] ?? null), undefined];
    const values = [...new Set(plan.cells.map((cell) => axisValue(cell, name)))];
    const shown = values.slice(0, maximumValues);
    const cut = values.length > shown.length ? `, … (${countOf(shown.length, values.length, 'value')})` : '';
    return [name, `${shown.join(', ')}${cut}`, 'axis'];
  });
  return rows.length === 0
    ? html`<p class="quiet">The pipeline has no parameters.</p>`
    : table(['parameter', 'value', ''], rows);
}

/** The main results as `run` tells them, a row for each combination of the axes other than seeds. */
export function rowsTable(rows: readonly ResultRow[], results: KeyResults): SafeHtml | undefined {
  if (rows.length === 0) return undefined;
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
  const from = cut.length === 0 ? undefined : `From ${cut.join(', ')}, evenly spread.`;
  const brackets = hasTheory
    ? `${bracketsSentence[0]!.toUpperCase()}${bracketsSentence.slice(1)}.`
    : undefined;
  const remarks = [from, brackets].filter((text) => text !== undefined).join(' ');
  const whole =
    rows.length <= unfoldedRows
      ? content
      : html`<details><summary>${plural(rows.length, 'row')}</summary>${content}</details>`;
  return html`${whole}${remarks === '' ? undefined : html`<p class="quiet">${remarks}</p>`}`;
}

/** The fitted parameters against the theory: all of them for one cell, a row a cell otherwise. */
export function resultTable({ plan }: Study, { parameters, available }: KeyResults): SafeHtml | undefined {
  const [first] = parameters;
  if (first === undefined) return undefined;
  const fitted = cellsOf(parameters);
  const whose =
    fitted < plan.cells.length && parameters.length === available.parameters
      ? html`<p class="quiet">${countOf(fitted, plan.cells.length, 'cell')} ${fitted === 1 ? html`has a fit: ${first.label}` : 'have a fit'}.</p>`
      : undefined;
  if (parameters.length === 1) {
    const rows = Object.entries(first.estimates).map(([name, { value, error, theory, deviation }]) => [
      quantityName(name),
      formatMeasured(value, error),
      theory === undefined ? '' : formatSignificant(theory),
      deviation === undefined || Number.isNaN(deviation) ? '' : signed(deviation),
    ]);
    return html`${table(['quantity', '#measured', '#theory', '#deviation (standard errors)'], rows)}${whose}`;
  }
  const rows = parameters
    .slice(0, maximumRows)
    .map(({ label, estimates: { lambda_cross: cross, tau_sgd: tau } }) => [
      label,
      ...[cross, tau].flatMap((estimate) => [
        estimate === undefined ? '' : formatMeasured(estimate.value, estimate.error),
        estimate?.theory === undefined ? '' : formatSignificant(estimate.theory),
      ]),
    ]);
  const quantities = Math.max(...parameters.map(({ estimates }) => Object.keys(estimates).length));
  return html`${table(['cell', '#λ_cross', '#theory', '#τ_SGD (steps)', '#theory'], rows)}${listed(rows.length, available.parameters, 'fit')}${whose}
${quantities > 2 ? html`<p class="quiet">2 of the ${quantities} quantities of a fit are listed; the artifacts have all.</p>` : undefined}`;
}

/** One row a cell, those in trouble first. */
export function cellTable(study: Study): SafeHtml {
  const { studyId, plan, cells, ordered } = study;
  const damaged = new Set(study.damaged);
  const rows = ordered.slice(0, maximumRows).map(({ id }) => {
    const result = cells.get(id);
    const missing = damaged.has(cellRecord(studyId, id)) ? 'record damaged' : 'not finished';
    const outcomes = Object.values(result?.stages ?? {});
    const reused = outcomes.filter((outcome) => outcome.reused).length;
    const seconds = outcomes.reduce((sum, outcome) => sum + (outcome.reused ? 0 : outcome.seconds), 0);
    return [
      id,
      html`<span class="pill ${result?.status ?? 'running'}">${result?.status ?? missing}</span>`,
      result === undefined ? '' : String(outcomes.length - reused),
      result === undefined ? '' : String(reused),
      result === undefined ? '' : formatDuration(seconds),
    ];
  });
  return html`${table(['cell', 'status', '#stages computed', '#reused', '#computing time'], rows)}${listed(rows.length, plan.cells.length, 'cell', ', failed ones first')}`;
}

/** Says how many of how many a list shows, where it does not show all. */
export function listed(shown: number, total: number, noun: string, order = ''): SafeHtml | undefined {
  return shown < total
    ? html`<p class="quiet">${countOf(shown, total, noun)} ${shown === 1 ? 'is' : 'are'} listed${order}.</p>`
    : undefined;
}

/** The stages of one cell, or of the collects, in the given order. */
export function stageTable(
  study: Study,
  stages: readonly (readonly [string, string, StageOutcome])[],
): SafeHtml {
  const rows = stages.map(([name, uses, outcome]) => {
    const settings = study.steps.get(outcome.key)?.with;
    return [
      html`${name}${name === uses ? undefined : html` <span class="quiet">${uses}</span>`}`,
      outcome.reused ? html`<span class="pill">reused</span>` : html`<span class="pill good">computed</span>`,
      outcome.reused
        ? ''
        : `${formatDuration(outcome.seconds)}${outcome.continued ? ' from a checkpoint' : ''}`,
      hash(outcome.key),
      outputList(study, outcome.outputs),
      settings === undefined
        ? undefined
        : html`<details><summary>settings</summary><pre>${JSON.stringify(settings, undefined, 2)}</pre></details>`,
    ];
  });
  return table(['stage', '', '#time', 'step key', 'outputs', ''], rows);
}

function outputList({ completeness }: Study, outputs: Readonly<Record<string, ArtifactRef>>): SafeHtml {
  const items = Object.entries(outputs).map(
    ([name, { sha256, kind, bytes }]) =>
      html`<li>${name}${name === kind ? undefined : html` <span class="quiet">${kind}</span>`} ${hash(sha256)} <span class="quiet">${[formatBytes(bytes), completeness.get(sha256)].filter(Boolean).join('; ')}</span></li>`,
  );
  return html`<ul class="outputs">${items}</ul>`;
}

/** Who computed the steps, when and with what: one row for each machine and set of versions. */
export function provenanceTable({ steps }: Study): SafeHtml | undefined {
  const groups = new Map<string, Provenance[]>();
  for (const { provenance } of steps.values()) {
    const { host, cpu, backend, library, node, epochal } = provenance;
    const group = JSON.stringify([host, cpu, backend, library, node, epochal]);
    groups.set(group, [...(groups.get(group) ?? []), provenance]);
  }
  if (groups.size === 0) return undefined;
  const rows = [...groups.values()].map((members) => {
    const { host, cpu, backend, library, node, epochal } = members[0]!;
    const starts = members.map(({ startedAt }) => startedAt).sort();
    const retried = members.filter(({ attempts }) => attempts > 1).length;
    return [
      `${members.length}${retried > 0 ? ` (${retried} retried)` : ''}`,
      html`${cpu}<br><span class="quiet">${host}</span>`,
      backend === 'none' ? 'without a library' : html`${backend}<br><span class="quiet">${library}</span>`,
      node,
      epochal,
      html`${moment(starts[0]!)}${starts.length > 1 ? html`<br>– ${moment(starts.at(-1)!)}` : undefined}`,
    ];
  });
  return table(['steps', 'machine', 'backend', 'Node', 'Epochal', 'started (UTC)'], rows);
}

function moment(iso: string): string {
  return iso.slice(0, 16).replace('T', ' ');
}
