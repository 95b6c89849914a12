import { homedir } from 'node:os';
import path from 'node:path';
import { strangersOn } from './trust.mjs';

/** What is fetched or built once for all clones and studies of a user: `EPOCHAL_CACHE`, else the user's cache folder. */
export function cacheFolder(environment = process.env) {
  if (environment.EPOCHAL_CACHE) return path.resolve(environment.EPOCHAL_CACHE);
  return path.join(environment.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'epochal');
}

/** Where Node keeps what it has compiled of the program for the next start; `undefined` where somebody else could put something in its place. */
export function compiledFolder(environment = process.env) {
  const folder = path.join(cacheFolder(environment), 'compiled');
  return strangersOn(folder, '') === undefined ? folder : undefined;
}
