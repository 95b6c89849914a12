import { isMap, type Value } from '../values.ts';

/** A piece of a text value. Offsets count from the beginning of the text. */
export type Piece =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'expression'; readonly text: string; readonly offset: number };

/** A text value cut into what stands there and what is evaluated. */
export interface Template {
  readonly pieces: readonly Piece[];
  /** True if the text is exactly one expression, so that its value keeps its type. */
  readonly whole: boolean;
}

/** Thrown by {@link parseTemplate}: `offset` and `length` say where in the text. */
export class TemplateError extends Error {
  readonly offset: number;
  readonly length: number;
  readonly cure: string;
  constructor(message: string, offset: number, length: number, cure: string) {
    super(message);
    this.offset = offset;
    this.length = length;
    this.cure = cure;
  }
}

/** True if the text has an expression in it; `$${{` is an escaped one. */
export function hasExpression(text: unknown): text is string {
  return typeof text === 'string' && /(?<!\$)\$\{\{/.test(text);
}

/**
 * Cuts `a${{ 1 + 1 }}b` into its literals and expressions. `$${{` stands for the characters `${{`, and `$${` for `${`. What looks like another
 * tool's expression (`{{ x }}`, `${x}`) is an error, since nothing may silently be taken for a literal.
 */
export function parseTemplate(text: string): Template {
  const pieces: Piece[] = [];
  const lastClose = text.lastIndexOf('}}');
  let literal = '';
  let at = 0;
  while (at < text.length) {
    if (text.startsWith('$${', at)) {
      const escaped = text.startsWith('$${{', at) ? '${{' : '${';
      literal += escaped;
      at += escaped.length + 1;
    } else if (text.startsWith('${{', at)) {
      const end = closing(text, at + 3);
      if (end === undefined) {
        throw new TemplateError(
          'this expression is not closed',
          at,
          text.length - at,
          'end it with `}}`; if it has a `#` in it, put the whole value in quotes',
        );
      }
      if (literal !== '') pieces.push({ kind: 'literal', text: literal });
      literal = '';
      pieces.push({ kind: 'expression', text: text.slice(at + 3, end), offset: at + 3 });
      at = end + 2;
    } else if (text.startsWith('${', at) || (text.startsWith('{{', at) && lastClose >= at)) {
      const end = text.indexOf('}', at);
      throw new TemplateError(
        'this looks like an expression, but is none',
        at,
        (end < 0 ? text.length : end + 1) - at,
        text.startsWith('${', at)
          ? 'write `${{ params.name }}` with two braces, or `$${` for these very characters'
          : 'write `${{ ... }}`, with a dollar sign',
      );
    } else {
      literal += text.charAt(at);
      at++;
    }
  }
  if (literal !== '') pieces.push({ kind: 'literal', text: literal });
  const bare = pieces.filter((piece) => piece.kind === 'expression' || piece.text.trim() !== '');
  return bare.length === 1 && bare[0]!.kind === 'expression'
    ? { pieces: bare, whole: true }
    : { pieces, whole: false };
}

/** Offset of the `}}` that closes an expression: braces of map literals and those inside strings do not count. */
function closing(text: string, from: number): number | undefined {
  let depth = 0;
  let quote = '';
  for (let at = from; at < text.length; at++) {
    const char = text.charAt(at);
    if (quote !== '') {
      if (char === '\\') at++;
      else if (char === quote) quote = '';
    } else if (char === '"' || char === "'") quote = char;
    else if (char === '{') depth++;
    else if (char === '}') {
      if (depth > 0) depth--;
      else if (text.charAt(at + 1) === '}') return at;
    }
  }
  return undefined;
}

/** True for what is an expression, or looks like one and is told to be none. */
export function looksComputed(value: unknown): value is string {
  if (typeof value !== 'string') return false;
  try {
    parseTemplate(value);
    return hasExpression(value);
  } catch {
    return true;
  }
}

/** True if an expression stands anywhere in the value, or what looks like one. */
export function containsExpression(value: Value): boolean {
  if (Array.isArray(value)) return value.some(containsExpression);
  return isMap(value) ? Object.values(value).some(containsExpression) : looksComputed(value);
}
