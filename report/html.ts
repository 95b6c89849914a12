/** A piece of HTML that is safe as it stands. Only {@link html} and {@link trusted} make one. */
export class SafeHtml {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  toString(): string {
    return this.text;
  }
}

type Value = SafeHtml | string | number | undefined | readonly Value[];

/**
 * A template whose interpolated strings are escaped, for element content and for quoted attributes. Arrays are joined, `undefined` is
 * nothing, and what another `html` made stays as it is.
 *
 *     html`<p title="${'"a" < b'}">${'<i>'}</p>`  ->  <p title="&quot;a&quot; &lt; b">&lt;i&gt;</p>
 */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): SafeHtml {
  return new SafeHtml(strings.reduce((text, string, index) => text + render(values[index - 1]) + string));
}

/** Marks text that this program made (styles, scripts, rendered SVG) as safe. Never for a user's text. */
export function trusted(text: string): SafeHtml {
  return new SafeHtml(text);
}

function render(value: Value): string {
  if (value === undefined) return '';
  if (value instanceof SafeHtml) return value.text;
  if (Array.isArray(value)) return value.map(render).join('');
  return escapeHtml(String(value));
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => entities[sign]!);
}
