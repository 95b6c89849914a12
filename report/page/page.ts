import { html, type SafeHtml } from '../html.ts';
import type { KeyResults } from '../key-results.ts';
import { noteKinds } from '../notes.ts';
import { countOf } from '../numbers.ts';
import type { Study } from '../read-study.ts';
import { type ResultRow, withoutFitted } from '../result-rows.ts';
import { cellTable, parameterTable, provenanceTable, stageTable } from './cell-tables.ts';
import { figureCard, type ReportFigure } from './figure-card.ts';
import { damageNotice, failureNotice, notesNotice, warningNotice } from './notices.ts';
import { resultTable, rowsTable } from './result-tables.ts';
import { script, style } from './style.ts';
import { summaryTiles } from './summary.ts';
import { fileLink, hash, troubledFirst } from './table.ts';

const policy =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/** The whole report as one HTML document that loads nothing; `tables` are the names of those beside it. */
export function reportPage(
  study: Study,
  results: KeyResults,
  rows: readonly ResultRow[],
  tables: readonly string[],
  figures: readonly ReportFigure[],
): string {
  const { plan } = study;
  const fitted = resultTable(study, results);
  // Of a single cell, the table of fitted parameters has the same numbers, and more of them.
  const isRepeated = plan.cells.length === 1 && fitted !== undefined;
  const summary = rowsTable(isRepeated ? withoutFitted(rows) : rows, results);
  const notes = noteKinds(study);
  const provenance = provenanceTable(study);
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${plan.report.title}</title>
<style>${style}</style>
</head>
<body>
<main>
${header(study, tables)}
${summaryTiles(study, results)}
${damageNotice(study)}
${failureNotice(study)}
${warningNotice(notes)}
${notesNotice(notes, results.problems)}
${section('Figures', figures.length === 0 ? undefined : html`${figures.map(figureCard)}`)}
${section('Results', summary && html`<div class="card">${summary}</div>`)}
${section('Fitted parameters', fitted && html`<div class="card">${fitted}</div>`)}
${section('Parameters', html`<div class="card">${parameterTable(study)}</div>`)}
${section(plan.cells.length === 1 ? 'Stages' : 'Cells and stages', stages(study))}
${section('Computed by', provenance && html`<div class="card">${provenance}${uncounted(study)}</div>`)}
${section('Pipeline', html`<details class="card"><summary>${plan.source.file}<span class="where">SHA-256 ${hash(plan.source.sha256)}</span></summary><pre>${plan.source.text}</pre></details>`)}
</main>
<script>${script}</script>
</body>
</html>
`;
  return document.text;
}

/** The steps of cells that are not listed are not read. */
function uncounted({ detailed, cells }: Study): SafeHtml | undefined {
  return detailed.length < cells.size
    ? html`<p class="quiet">These are the steps of ${countOf(detailed.length, cells.size, 'finished cell')}; <code>epochal explain</code> tells that of any artifact.</p>`
    : undefined;
}

function section(title: string, content: SafeHtml | undefined): SafeHtml | undefined {
  return content && html`<section><h2>${title}</h2>\n${content}</section>`;
}

function header({ studyId, plan, result, cells, damaged }: Study, tables: readonly string[]): SafeHtml {
  const running = result === undefined && !damaged.includes(`studies/${studyId}/result.json`);
  const status = result?.status ?? (running ? 'running' : 'record damaged');
  const progress = running
    ? html`<span>The study goes on; this report shows ${countOf(cells.size, plan.cells.length, 'cell')}.</span>`
    : undefined;
  return html`<header><h1>${plan.report.title}</h1>
${plan.description === '' ? undefined : html`<p>${plan.description}</p>`}
<div class="line"><span class="pill ${status}">${status}</span>${progress}<span>pipeline ${plan.name}</span><span>study <code>${studyId}</code></span>${tables.length === 0 ? undefined : html`<span>whole tables ${tables.map((name) => html`${fileLink(name)} `)}</span>`}</div></header>`;
}

function stages(study: Study): SafeHtml {
  const { plan, detailed, cells, result } = study;
  const tables = detailed.map((cell, index) => {
    const outcomes = cells.get(cell.id)?.stages ?? {};
    const rows = cell.stages.flatMap(({ name, uses }) => {
      const outcome = outcomes[name];
      return outcome === undefined ? [] : [[name, uses, outcome] as const];
    });
    const content = stageTable(study, rows);
    if (plan.cells.length === 1) return html`<div class="card">${content}</div>`;
    const open = index === 0 && detailed.length <= 3 ? ' open' : '';
    return html`<details class="card"${open}><summary>${cell.id}<span class="where">${cells.get(cell.id)?.status}</span></summary><div>${content}</div></details>`;
  });
  const collects = plan.collect.flatMap(({ name, uses }) => {
    const outcome = result?.collect[name];
    return outcome === undefined ? [] : [[name, uses, outcome] as const];
  });
  return html`${plan.cells.length === 1 ? undefined : html`<div class="card">${cellTable(study)}</div>`}${tables}
${detailed.length < cells.size ? html`<p class="quiet">Stages of ${countOf(detailed.length, cells.size, 'finished cell')} are listed${troubledFirst}; <code>epochal artifacts ${study.studyId}</code> names the files of all.</p>` : undefined}
${collects.length === 0 ? undefined : html`<div class="card"><h3>Over all cells</h3>${stageTable(study, collects)}</div>`}`;
}
