/**
 * Superscripts and subscripts in SVG text: `^{2}` and `_{i}` become raised and lowered `<tspan>`s, a subscript right after a superscript
 * stands below it. In attributes (descriptions read aloud) the marks are dropped.
 */
export function typesetScripts(svg: string): string {
  return svg.replace(/<text([^>]*)>([^<]*[\^_]\{[^<]*)<\/text>/g, (_, attributes: string, text: string) => {
    const size = Number(/font-size="([\d.]+)px"/.exec(attributes)?.[1] ?? '12');
    return `<text${attributes}>${typeset(text, size)}</text>`;
  });
}

/** The text without its marks: `σ^{2}_{θ,i}` becomes `σ²_θ,i`. */
export function plainScripts(text: string): string {
  return text.replace(/\^\{2\}/g, '²').replace(/([\^_])\{([^}]*)\}/g, '$1$2');
}

const scale = 0.7;
const raise = 0.42;
const lower = 0.28;
/** Width of a digit as a share of the font size, in DejaVu Sans and near enough in others. */
const digit = 0.62;

function typeset(text: string, size: number): string {
  let shift = 0;
  let stacked = 0;
  const pieces = text.split(/([\^_]\{[^}]*\})/).filter((piece) => piece !== '');
  return pieces
    .map((piece) => {
      const script = /^([\^_])\{([^}]*)\}$/.exec(piece);
      const content = script?.[2] ?? piece;
      const target = script === null ? 0 : script[1] === '^' ? -raise * size : lower * size;
      const dy = target - shift;
      shift = target;
      const dx = script?.[1] === '_' ? -stacked : 0;
      stacked = script?.[1] === '^' ? content.length * digit * scale * size : 0;
      const attributes = [
        ...(dx === 0 ? [] : [`dx="${dx.toFixed(2)}"`]),
        ...(dy === 0 ? [] : [`dy="${dy.toFixed(2)}"`]),
        ...(script === null ? [] : [`font-size="${(scale * size).toFixed(2)}px"`]),
      ];
      return attributes.length === 0 ? content : `<tspan ${attributes.join(' ')}>${content}</tspan>`;
    })
    .join('');
}
