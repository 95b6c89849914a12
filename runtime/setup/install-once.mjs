import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';

const MARKER = '.complete.json';
const TEMPORARY = '.unfinished-';

/** What the marker of an installed folder says, or `undefined` when the folder is missing or only half there. */
export function installed(folder) {
  return readJson(path.join(folder, MARKER));
}

/** Contents of a JSON file; `undefined` when it is missing or broken. */
export function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Puts a folder in place as a whole: `fill(temporary)` fills and verifies a new folder beside it and gives what the marker
 * is to say. Whatever ends the process in between, the folder is either complete with its marker or not there.
 */
export async function installOnce(folder, fill) {
  const parent = path.dirname(folder);
  mkdirSync(parent, { recursive: true });
  const temporary = mkdtempSync(path.join(parent, TEMPORARY));
  try {
    const marker = await fill(temporary);
    writeFileSync(path.join(temporary, MARKER), `${JSON.stringify(marker, null, 2)}\n`);
    // A temporary folder is closed to others. What is in it is no secret, and may be run by another user than the one that has set up, as in a container.
    chmodSync(temporary, 0o755);
    rmSync(folder, { recursive: true, force: true });
    renameSync(temporary, folder);
    return marker;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Removes what set-ups that were killed have left. Only while holding the lock: a running one has such a folder too. */
export function removeUnfinished(cache) {
  for (const name of readdirSync(cache)) {
    if (name.startsWith(TEMPORARY)) rmSync(path.join(cache, name), { recursive: true, force: true });
  }
}

/** Writes a small file, which others cannot change, so that readers see the old or the new contents, never a part. */
export function writeJson(file, value) {
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o644 });
  renameSync(temporary, file);
}
