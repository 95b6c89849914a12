import type { RenderedFigure } from '../figures/index.ts';
import { html, type SafeHtml, trusted } from '../html.ts';

/** A figure of the report: drawn, or why it could not be. */
export type ReportFigure =
  | { readonly name: string; readonly figure: RenderedFigure }
  | { readonly name: string; readonly title: string; readonly problem: string };

/** Data up to this size is inside the page; larger data only lies beside it. */
const inlineBytes = 1_000_000;

/** A larger drawing is in the page as its picture: thousands of marks take a browser seconds. */
const inlineMarks = 700_000;

/** A figure with its caption and its files. */
export function figureCard(item: ReportFigure): SafeHtml {
  if ('problem' in item) {
    return html`<section class="card"><h3>${item.title}</h3><p class="quiet">Not drawn: ${item.problem}</p></section>\n`;
  }
  const { name, figure } = item;
  return html`<figure class="card"><h3>${figure.title}</h3>
<div class="plot">${figure.svg.length > inlineMarks ? inlinePng(figure) : inlineSvg(figure.svg, name, figure.title)}</div>
<figcaption>${figure.caption.join(' ')}</figcaption>
<p class="files"><a href="figures/${name}.svg">SVG</a> <a href="figures/${name}.png">PNG</a> ${dataLink(name, figure)}</p>
</figure>\n`;
}

function dataLink(name: string, { csv, csvOf }: RenderedFigure): SafeHtml {
  const label = `Data${csvOf === undefined ? '' : ` of ${csvOf}`} (CSV)`;
  if (csv.length > inlineBytes) return html`<a href="figures/${name}.csv">${label}</a>`;
  const uri = `data:text/csv;charset=utf-8;base64,${Buffer.from(csv).toString('base64')}`;
  return html`<a href="${uri}" download="${name}.csv">${label}</a>`;
}

function inlinePng({ png, svg, title }: RenderedFigure): SafeHtml {
  const [, width = ''] = /<svg[^>]* width="([\d.]+)"/.exec(svg) ?? [];
  return html`<img alt="${title}" width="${width}" src="data:image/png;base64,${Buffer.from(png).toString('base64')}">`;
}

/** The ids in an SVG count from one in each figure; in one page they must differ. */
function inlineSvg(svg: string, name: string, title: string): SafeHtml {
  const unique = svg
    .replace(/ id="([^"]+)"/g, ` id="${name}-$1"`)
    .replace(/url\(#([^)]+)\)/g, `url(#${name}-$1)`);
  const label = html` role="img" aria-label="${title}"`;
  return trusted(unique.replace('<svg', `<svg${label}`));
}
