import type { ArtifactRef } from '../../artifacts/reference.ts';
import type { Provenance } from '../../artifacts/store/step.ts';
import type { StageOutcome } from '../../workflows/messages.ts';
import { dataFileNames } from '../data-files.ts';
import { html, type SafeHtml } from '../html.ts';
import { countOf, formatBytes, formatDuration, plural } from '../numbers.ts';
import { cellRecord, type Study } from '../read-study.ts';
import { axisValue } from '../read-tables.ts';
import { fileLink, hash, listed, maximumRows, table, troubledFirst } from './table.ts';

/** Entries of a list in the settings of a stage shown at most. */
const shownEntries = 50;
/** Values of an axis shown at most. */
const maximumValues = 20;

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
    const warnings = outcomes.reduce((sum, outcome) => sum + (outcome.warnings?.length ?? 0), 0);
    const where = result?.failure && html` <span class="where">in ${result.failure.stage}</span>`;
    const warned =
      warnings > 0 ? html` <span class="pill failed">${plural(warnings, 'warning')}</span>` : undefined;
    return [
      id,
      html`<span class="pill ${result?.status ?? 'running'}">${result?.status ?? missing}</span>${where}${warned}`,
      result === undefined ? '' : String(outcomes.length - reused),
      result === undefined ? '' : String(reused),
      result === undefined ? '' : formatDuration(seconds),
    ];
  });
  return html`${table(['cell', 'status', '#stages computed', '#reused', '#computing time'], rows)}${listed(rows.length, plan.cells.length, 'cell', { order: troubledFirst, rest: html`${fileLink(dataFileNames.cells)} has all` })}`;
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
        : html`<details><summary>settings</summary><pre>${JSON.stringify(settings, shortened, 2)}</pre></details>`,
    ];
  });
  return table(['stage', '', '#time', 'step key', 'outputs', ''], rows);
}

/** Of a long list in the settings of a stage, as of a `collect` its cells, the beginning. */
function shortened(_name: string, value: unknown): unknown {
  if (!Array.isArray(value) || value.length <= shownEntries) return value;
  const cut = `… ${countOf(shownEntries, value.length, 'item')}; epochal explain with --json has all`;
  return [...value.slice(0, shownEntries), cut];
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
    const { host, cpu, gpu, backend, library, node, epochal } = provenance;
    const group = JSON.stringify([host, cpu, gpu, backend, library, node, epochal]);
    groups.set(group, [...(groups.get(group) ?? []), provenance]);
  }
  if (groups.size === 0) return undefined;
  const rows = [...groups.values()].map((members) => {
    const { host, cpu, gpu, backend, library, node, epochal } = members[0]!;
    const starts = members.map(({ startedAt }) => startedAt).sort();
    const retried = members.filter(({ attempts }) => attempts > 1).length;
    return [
      `${members.length}${retried > 0 ? ` (${retried} retried)` : ''}`,
      html`${gpu === undefined ? undefined : html`${gpu}<br>`}${cpu}<br><span class="quiet">${host}</span>`,
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
