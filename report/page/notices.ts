import { dataFileNames } from '../data-files.ts';
import { html, type SafeHtml } from '../html.ts';
import { failureKinds, type NoteKind } from '../notes.ts';
import { countOf, plural } from '../numbers.ts';
import type { Study } from '../read-study.ts';
import { fileLink, listed } from './table.ts';

const shownDamage = 20;
/** Kinds of failures or notes that stand open. */
const shownKinds = 20;
/** Kinds that the page has at all, and of each of them the cells. */
const mostKinds = 1000;
const mostCells = 1000;

/** What went wrong: failures that differ in numbers only are one line, which opens. */
export function failureNotice(study: Study): SafeHtml | undefined {
  const kinds = failureKinds(study);
  if (kinds.length === 0) return undefined;
  const items = kinds
    .slice(0, mostKinds)
    .map(({ cure, ...kind }) => kindItem(kind, dataFileNames.cells, cure));
  return html`<section class="notice bad"><h2>Failures</h2>${kindList(items, kinds.length, dataFileNames.cells)}</section>`;
}

/** Records that were changed or torn, whose content the report does not show. */
export function damageNotice({ studyId, damaged, detailed, cells }: Study): SafeHtml | undefined {
  if (damaged.length === 0) return undefined;
  const items = damaged.slice(0, shownDamage).map((name) => html`<li><code>${name}</code></li>`);
  const rest = html`<code>epochal verify ${studyId}</code> names all`;
  return html`<section class="notice bad"><h2>Damaged records</h2><p>These records were changed, torn or lost. What they said is left out of
this report; run the pipeline again to have them written anew.</p><ul>${items}</ul>${listed(items.length, damaged.length, 'record', { rest })}
${detailed.length < cells.size ? html`<p class="quiet">Records of steps were read of ${countOf(detailed.length, cells.size, 'finished cell')}.</p>` : undefined}</section>`;
}

/** What makes results worthless, such as a training that diverged. */
export function warningNotice(kinds: readonly NoteKind[]): SafeHtml | undefined {
  const warnings = kinds.filter(({ isWarning }) => isWarning);
  if (warnings.length === 0) return undefined;
  const items = warnings.slice(0, mostKinds).map((kind) => kindItem(kind, dataFileNames.notes));
  return html`<section class="notice bad"><h2>Warnings</h2>${kindList(items, warnings.length, dataFileNames.notes)}</section>`;
}

/** All that the stages remarked, assumptions that do not hold above all; notes that differ in numbers only are one line, which opens. */
export function notesNotice(kinds: readonly NoteKind[], problems: readonly string[]): SafeHtml | undefined {
  const remarks = kinds.filter(({ isWarning }) => !isWarning);
  if (remarks.length === 0 && problems.length === 0) return undefined;
  const ofReport = problems.map((problem) => html`<li>${problem} <span class="where">report</span></li>`);
  const items = remarks.slice(0, mostKinds).map((kind) => kindItem(kind, dataFileNames.notes));
  const all = remarks.length + ofReport.length;
  return html`<section class="notice"><h2>Notes</h2>${kindList([...items, ...ofReport], all, dataFileNames.notes)}</section>`;
}

/** Those beyond the first open when they are wanted; says if they are not `all`. */
function kindList(items: readonly SafeHtml[], all: number, file: string): SafeHtml {
  const rest = items.slice(shownKinds);
  const more =
    rest.length > 0
      ? html`<details><summary>${plural(rest.length, 'more kind')}</summary><ul>${rest}</ul></details>`
      : undefined;
  return html`<ul>${items.slice(0, shownKinds)}</ul>${more}${listed(items.length, all, 'kind', { rest: hasAll(file) })}`;
}

/** The first wording, with how many cells have one of this kind; each of them opens. */
function kindItem(
  { stage, wordings, cells }: Pick<NoteKind, 'stage' | 'wordings' | 'cells'>,
  file: string,
  cure?: string,
): SafeHtml {
  const [first] = wordings.keys();
  const text = html`${first}${cure === undefined ? undefined : html` ${cure}`}`;
  const whose = cells.length > 1 ? plural(cells.length, 'cell') : cells[0];
  const where = html`<span class="where">${stage}${whose === undefined ? '' : `, ${whose}`}</span>`;
  if (wordings.size === 1 && cells.length <= 1) return html`<li>${text} ${where}</li>`;
  let left = mostCells;
  const each: SafeHtml[] = [];
  for (const [wording, all] of wordings) {
    if (left <= 0) break;
    const shown = all.slice(0, left);
    left -= Math.max(1, shown.length);
    each.push(html`<li>${wording} <span class="where">${shown.join('; ')}</span></li>`);
  }
  const total = [...wordings.values()].reduce((sum, all) => sum + Math.max(1, all.length), 0);
  const cut = listed(mostCells - left, total, 'place', { rest: hasAll(file) });
  return html`<li>${text} ${where}<details><summary>${wordings.size === 1 ? 'where' : 'each'}</summary><ul>${each}</ul>${cut}</details></li>`;
}

function hasAll(file: string): SafeHtml {
  return html`${fileLink(file)} has all`;
}
