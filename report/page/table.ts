import { html, type SafeHtml } from '../html.ts';
import { countOf } from '../numbers.ts';

/** Rows of a table of cells shown at most. */
export const maximumRows = 200;

/** A table; columns whose heading begins with `#` are numbers, aligned to the right. */
export function table(
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

/** The order of lists of cells, where it has to be told. */
export const troubledFirst = ', failed ones first, then those with warnings';

/** Says how many of how many a list shows, in which order and where the rest is, where it does not show all. */
export function listed(
  shown: number,
  total: number,
  noun: string,
  { order = '', rest }: { readonly order?: string; readonly rest?: SafeHtml } = {},
): SafeHtml | undefined {
  return shown < total
    ? html`<p class="quiet">${countOf(shown, total, noun)} ${shown === 1 ? 'is' : 'are'} listed${order}${rest && html`; ${rest}`}.</p>`
    : undefined;
}

/** A file beside the page. */
export function fileLink(name: string): SafeHtml {
  return html`<a href="${name}">${name}</a>`;
}
