import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { cacheFolder } from '../artifacts/cache-folder.mjs';
import { EnvironmentError, InputError } from '../artifacts/errors.ts';
import { liesIn, realPlaceOf } from '../artifacts/within.ts';

/** Environment variable with folders, as in a PATH, that pipelines may read data from beside their own. */
const moreRoots = 'EPOCHAL_DATA';

/**
 * The folders that a pipeline may read data from, as they really are: its own folder; `data` beside that, unless it is a link; where data sets
 * are kept that were downloaded; and those that `EPOCHAL_DATA` names. So a pipeline from elsewhere reads nothing else of this machine.
 *
 * Throws {@link EnvironmentError} if one that is named is not absolute.
 */
export function dataRoots(baseDirectory: string): readonly string[] {
  const own = realPlaceOf(baseDirectory);
  const named = (process.env[moreRoots] ?? '').split(delimiter).filter((folder) => folder !== '');
  const relative = named.find((folder) => !isAbsolute(folder));
  if (relative !== undefined)
    throw new EnvironmentError(
      `${moreRoots} names ${relative}, which is no absolute path.`,
      'Workers have other working directories: name folders from the root on.',
    );
  const kept = join(cacheFolder(), 'datasets');
  return [own, join(dirname(own), 'data'), ...[kept, ...named].map(realPlaceOf)];
}

/** Throws {@link InputError} if a path, its links followed, leads out of these folders. */
export function mustLieIn(path: string, roots: readonly string[]): void {
  if (liesIn(path, roots)) return;
  const real = realPlaceOf(path);
  throw new InputError(
    `${path} leads out of the folders that this pipeline may read data from${real === path ? '' : `, to ${real}`}.`,
    `Those are ${roots.join(', ')}. Move the data there, or name their folder in ${moreRoots}, on every machine with a worker.`,
    'path',
  );
}
