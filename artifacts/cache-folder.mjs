import { homedir } from 'node:os';
import path from 'node:path';

/** What is fetched or built once for all clones and studies of a user: `EPOCHAL_CACHE`, else the user's cache folder. */
export function cacheFolder(environment = process.env) {
  if (environment.EPOCHAL_CACHE) return path.resolve(environment.EPOCHAL_CACHE);
  return path.join(environment.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'epochal');
}
