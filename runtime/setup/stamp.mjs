import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isTrusted } from '../../artifacts/trust.mjs';
import { readJson, writeJson } from './install-once.mjs';
import { packages } from './places.mjs';

const file = path.join(packages, '.epochal-setup.json');

/** What set-up has done in this clone's node_modules. It goes with the folder, as `npm ci` removes both. Empty if others could have written it. */
export function readStamp(from = file) {
  return isTrusted(from) ? (readJson(from) ?? {}) : {};
}

/** Adds to the stamp. */
export function addToStamp(values) {
  writeJson(file, { ...readStamp(), ...values });
}

/** SHA-256 of texts or bytes, each set off by its length. */
export function digestOf(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('hex');
}

/** SHA-256 of a file's bytes. */
export async function digestOfFile(name) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(name), hash);
  return hash.digest('hex');
}
