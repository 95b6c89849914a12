import { createHash } from 'node:crypto';

/**
 * A JSON object with a first member `seal`: the SHA-256 of what it is `about` (its name) and of the text without that member, so that one that was
 * changed, torn, or taken from another place is not believed. It still is JSON.
 */
export function seal(json: string, about = ''): string {
  return `{"seal":"${digestOf(json, about)}",${json.slice(1)}`;
}

/** The text that {@link seal} was given, or undefined if this is not it any more. */
export function unseal(text: string, about = ''): string | undefined {
  const sealed = /^\{"seal":"([0-9a-f]{64})",/.exec(text);
  if (sealed !== null) {
    const json = `{${text.slice(sealed[0].length)}`;
    return digestOf(json, about) === sealed[1] ? json : undefined;
  }
  // Step records of earlier versions have the digest in a line before them.
  const before = /^([0-9a-f]{64})\n(.*)\n$/s.exec(text);
  return before !== null && digestOf(before[2]!, about) === before[1] ? before[2] : undefined;
}

function digestOf(json: string, about: string): string {
  return createHash('sha256').update(about).update(json).digest('hex');
}
