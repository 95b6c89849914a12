import { html, type SafeHtml } from '../html.ts';
import type { NoteKind } from '../notes.ts';
import { countOf, plural } from '../numbers.ts';
import type { Study } from '../read-study.ts';
import { listed } from './tables.ts';

const shownFailures = 20;
/** Kinds of notes that stand open. */
const shownNotes = 20;

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

/** What makes results worthless, such as a training that diverged. */
export function warningNotice(kinds: readonly NoteKind[]): SafeHtml | undefined {
  const warnings = kinds.filter(({ isWarning }) => isWarning);
  if (warnings.length === 0) return undefined;
  return html`<section class="notice bad"><h2>Warnings</h2>${noteList(warnings.map(noteItem))}</section>`;
}

/** All that the stages remarked, assumptions that do not hold above all; notes that differ in numbers only are one line, which opens. */
export function notesNotice(kinds: readonly NoteKind[], problems: readonly string[]): SafeHtml | undefined {
  const remarks = kinds.filter(({ isWarning }) => !isWarning);
  if (remarks.length === 0 && problems.length === 0) return undefined;
  const ofReport = problems.map((problem) => html`<li>${problem} <span class="where">report</span></li>`);
  return html`<section class="notice"><h2>Notes</h2>${noteList([...remarks.map(noteItem), ...ofReport])}</section>`;
}

/** All of them; those beyond the first open when they are wanted. */
function noteList(items: readonly SafeHtml[]): SafeHtml {
  const rest = items.slice(shownNotes);
  const more =
    rest.length > 0
      ? html`<details><summary>${plural(rest.length, 'more kind')}</summary><ul>${rest}</ul></details>`
      : undefined;
  return html`<ul>${items.slice(0, shownNotes)}</ul>${more}`;
}

function noteItem({ stage, wordings, cells }: NoteKind): SafeHtml {
  const [first] = wordings.keys();
  const where = html`<span class="where">${stage}${cells.length === 0 ? '' : `, ${plural(cells.length, 'cell')}`}</span>`;
  if (wordings.size === 1 && cells.length <= 1) return html`<li>${first} ${where}</li>`;
  const each = [...wordings].map(
    ([text, places]) => html`<li>${text} <span class="where">${places.join('; ')}</span></li>`,
  );
  return html`<li>${first} ${where}<details><summary>${wordings.size === 1 ? 'where' : 'each'}</summary><ul>${each}</ul></details></li>`;
}

function shorten(places: readonly string[]): string {
  return places.length <= 3
    ? places.join('; ')
    : `${places.slice(0, 2).join('; ')}; … (${countOf(2, places.length, 'place')})`;
}
