import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of the project. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Packages of this clone. */
export const packages = path.join(root, 'node_modules');

/** What set-up fetches or builds once for all clones: `EPOCHAL_CACHE`, else the user's cache folder. */
export function cacheFolder(environment = process.env) {
  if (environment.EPOCHAL_CACHE) return path.resolve(environment.EPOCHAL_CACHE);
  return path.join(environment.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'epochal');
}

/** Where state is kept: `EPOCHAL_HOME`, else `.epochal` in the working directory. */
export function homeFolder() {
  return path.resolve(process.env.EPOCHAL_HOME || '.epochal');
}
