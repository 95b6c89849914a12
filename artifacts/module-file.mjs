import { existsSync } from 'node:fs';
import path from 'node:path';

/**
 * The file of a module that is started or loaded by its place: TypeScript in a clone, JavaScript in an installed package, since Node runs no
 * TypeScript below node_modules.
 *
 * @param {string} folder
 * @param {string} name Without its extension.
 * @returns {string} Whether it is there or not.
 */
export function moduleFile(folder, name) {
  const source = path.join(folder, `${name}.ts`);
  const built = path.join(folder, `${name}.js`);
  return existsSync(built) && !existsSync(source) ? built : source;
}
