import { isUtf8 } from 'node:buffer';
import { TextDiagnostics } from '../diagnostics/text-diagnostics.ts';

/** The text of a pipeline file, which is UTF-8. Throws `PipelineError` at the first byte that is not. */
export function decode(bytes: Uint8Array, file: string): string {
  const text = new TextDecoder().decode(bytes);
  if (isUtf8(bytes)) return text;
  const diagnostics = new TextDiagnostics({ file, text });
  const { at, offset } = firstReplaced(bytes, text);
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  const byte = bytes[at]!.toString(16).toUpperCase().padStart(2, '0');
  const message = utf16
    ? 'the file is UTF-16'
    : `the byte 0x${byte}, number ${at + 1} of the file, is no UTF-8`;
  diagnostics.error('encoding', { start: offset, end: offset + 1 }, message, 'save the file as UTF-8');
  diagnostics.throwIfErrors();
  return text;
}

/** The first U+FFFD of the text that stands for a byte and not for itself, and that byte. */
function firstReplaced(bytes: Uint8Array, text: string): { readonly at: number; readonly offset: number } {
  let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0; // The decoder drops a byte order mark.
  let from = 0;
  for (const { index } of text.matchAll(/\ufffd/g)) {
    at += Buffer.byteLength(text.slice(from, index));
    if (bytes[at] !== 0xef || bytes[at + 1] !== 0xbf || bytes[at + 2] !== 0xbd) return { at, offset: index };
    at += 3;
    from = index + 1;
  }
  return { at: 0, offset: 0 };
}
