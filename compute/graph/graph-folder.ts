import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const mark = 'epochal-graph-';
/** A folder is there for a moment only: one that is older than this was left by a process that was killed. */
const dayMs = 86_400_000;
let isSwept = false;

/** What `read` makes of a folder with a serialized SavedModel. The library reads a graph only from a folder; it holds everything in memory afterwards. */
export function inGraphFolder<T>(savedModel: Uint8Array, read: (folder: string) => T): T {
  if (!isSwept) removeStale(tmpdir());
  isSwept = true;
  const folder = newFolder();
  try {
    writeFileSync(join(folder, 'saved_model.pb'), savedModel);
    return read(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function newFolder(): string {
  try {
    return mkdtempSync(join(tmpdir(), `${mark}${process.pid}-`));
  } catch (error) {
    throw Object.assign(new Error(`There is no folder for temporary files: ${(error as Error).message}.`), {
      cure: 'Make the folder that TMPDIR names, or unset TMPDIR.',
    });
  }
}

function removeStale(folder: string): void {
  try {
    for (const name of readdirSync(folder).filter((each) => each.startsWith(mark))) {
      const path = join(folder, name);
      const info = statSync(path, { throwIfNoEntry: false });
      if (info !== undefined && Date.now() - info.mtimeMs > dayMs)
        rmSync(path, { recursive: true, force: true });
    }
  } catch {
    // Another user's, or gone in this moment.
  }
}
