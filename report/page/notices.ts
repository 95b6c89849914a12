import { html, type SafeHtml } from '../html.ts';
import { countOf } from '../numbers.ts';
import { type Study, troubledFirst } from '../read-study.ts';
import { listed } from './tables.ts';

const shownFailures = 20;
const shownNotes = 40;

/** What went wrong, cells that failed first. */
export function failureNotice({ cells, result }: Study): SafeHtml | undefined {
  const failures = new Map<string, { message: string; cure: string | undefined; places: string[] }>();
  const add = (place: string, { message, cure }: { readonly message: string; readonly cure?: string }) => {
    const known = failures.get(message) ?? { message, cure, places: [] };
    known.places.push(place);
    failures.set(message, known);
  };
  for (const { cellId, failure } of cells.values()) {
    if (failure !== undefined) add(`${cellId}, stage ${failure.stage}`, failure);
  }
  for (const failure of result?.failures ?? []) {
    if (!cells.has(failure.cellId)) add(`${failure.cellId}, stage ${failure.stage}`, failure);
  }
  if (failures.size === 0) return undefined;
  const items = [...failures.values()]
    .slice(0, shownFailures)
    .map(
      ({ message, cure, places }) =>
        html`<li>${message}${cure === undefined ? undefined : html` ${cure}`} <span class="where">${shorten(places)}</span></li>`,
    );
  return html`<section class="notice bad"><h2>Failures</h2><ul>${items}</ul>${listed(items.length, failures.size, 'failure')}</section>`;
}

/** Records that were changed or torn, whose content the report does not show. */
export function damageNotice({ damaged, detailed, cells }: Study): SafeHtml | undefined {
  if (damaged.length === 0) return undefined;
  const items = damaged.slice(0, shownFailures).map((name) => html`<li><code>${name}</code></li>`);
  return html`<section class="notice bad"><h2>Damaged records</h2><p>These records were changed, torn or lost. What they said is left out of
this report; run the pipeline again to have them written anew.</p><ul>${items}</ul>${listed(items.length, damaged.length, 'record')}
${detailed.length < cells.size ? html`<p class="quiet">Records of steps were read of ${countOf(detailed.length, cells.size, 'finished cell')}.</p>` : undefined}</section>`;
}

/** What the stages remarked, assumptions that do not hold above all; what cells that failed remarked comes first. */
export function notesNotice(study: Study, problems: readonly string[]): SafeHtml | undefined {
  const { plan, cells, result } = study;
  const notes = new Map<string, string[]>();
  const add = (note: string, place: string) => notes.set(note, [...(notes.get(note) ?? []), place]);
  for (const { id } of troubledFirst(study)) {
    for (const [stage, outcome] of Object.entries(cells.get(id)?.stages ?? {})) {
      for (const note of outcome.notes) add(note, plan.cells.length === 1 ? stage : `${stage} of ${id}`);
    }
  }
  for (const [stage, outcome] of Object.entries(result?.collect ?? {})) {
    for (const note of outcome.notes) add(note, stage);
  }
  for (const problem of problems) add(problem, 'report');
  if (notes.size === 0) return undefined;
  const items = [...notes]
    .slice(0, shownNotes)
    .map(([note, places]) => html`<li>${note} <span class="where">${shorten(places)}</span></li>`);
  return html`<section class="notice"><h2>Notes</h2><ul>${items}</ul>${listed(items.length, notes.size, 'note')}</section>`;
}

function shorten(places: readonly string[]): string {
  return places.length <= 3
    ? places.join('; ')
    : `${places.slice(0, 2).join('; ')}; … (${countOf(2, places.length, 'place')})`;
}
