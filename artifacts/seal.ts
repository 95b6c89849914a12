import { createHash } from 'node:crypto';

/**
 * A text with a first line that is the SHA-256 of what it is `about` (its name) and of the text, so that one that was changed, torn, or taken from
 * another place is not believed.
 */
export function seal(body: string, about = ''): string {
  return `${digestOf(body, about)}\n${body}\n`;
}

/** The text that {@link seal} was given, or undefined if this is not it any more. */
export function unseal(text: string, about = ''): string | undefined {
  const end = text.indexOf('\n');
  const body = text.slice(end + 1, -1);
  return text.endsWith('\n') && text.slice(0, end) === digestOf(body, about) ? body : undefined;
}

function digestOf(body: string, about: string): string {
  return createHash('sha256').update(about).update(body).digest('hex');
}
