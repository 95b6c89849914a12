import type { Span } from './text-diagnostics.ts';

/** The line, without its end, in which `offset` lies. */
export function lineAround(text: string, offset: number): Span {
  const end = text.indexOf('\n', offset);
  return { start: text.lastIndexOf('\n', offset - 1) + 1, end: end < 0 ? text.length : end };
}
