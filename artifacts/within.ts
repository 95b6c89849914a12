import { realpathSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';

/** Where links lead to from a path, or from what there is of it. */
export function realPlaceOf(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    const above = dirname(path);
    return above === path ? path : join(realPlaceOf(above), path.slice(above === sep ? 1 : above.length + 1));
  }
}

/** Whether a path, its links followed, lies in one of these folders (or is one of them), which are given as they really are. */
export function liesIn(path: string, folders: readonly string[]): boolean {
  const real = realPlaceOf(path);
  return folders.some(
    (folder) => real === folder || real.startsWith(folder.endsWith(sep) ? folder : folder + sep),
  );
}
