import { createHash } from 'node:crypto';
import type { StepRecord } from './step.ts';

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

/** The text of the record of a step. */
export function sealStep(record: StepRecord): string {
  return seal(`${JSON.stringify(record, undefined, 1)}\n`);
}

/** The record of the step with this key in its text; undefined if it is changed, torn or another's. */
export function unsealStep(text: string, key: string): StepRecord | undefined {
  const body = unseal(text);
  const record = body === undefined ? undefined : (JSON.parse(body) as StepRecord);
  return record?.key === key ? record : undefined;
}

const digestBytes = 32;

/** Bytes, and then the SHA-256 of what they are `about` and of themselves. */
export function sealBytes(bytes: Uint8Array, about: string): Uint8Array {
  return Buffer.concat([bytes, digestOfBytes(bytes, about)]);
}

/** The bytes that {@link sealBytes} was given, without a copy, or undefined if these are not those any more, or are about something else. */
export function unsealBytes(sealed: Uint8Array, about: string): Uint8Array | undefined {
  if (sealed.length < digestBytes) return undefined;
  // Not a Buffer, whose slice() is no copy, so that `bytes.slice().buffer` is what it seems.
  const bytes = new Uint8Array(sealed.buffer, sealed.byteOffset, sealed.length - digestBytes);
  return digestOfBytes(bytes, about).equals(sealed.subarray(bytes.length)) ? bytes : undefined;
}

function digestOfBytes(bytes: Uint8Array, about: string): Buffer {
  return createHash('sha256').update(`${about}\n`).update(bytes).digest();
}
