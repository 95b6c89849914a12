import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of the project, or of the installed package. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Whether this is a package that npm has installed, and not a clone. */
export const isPackage = path.basename(path.dirname(root)) === 'node_modules';

/** Packages of this clone, or those that this one was installed among. */
export const packages = isPackage ? path.dirname(root) : path.join(root, 'node_modules');

/** The command that puts in place what is missing. */
export const setUpCommand = isPackage ? 'npx epochal setup' : 'npm run setup';

/** The command that brings TensorFlow for NVIDIA GPUs. */
export const gpuSetUpCommand = isPackage ? `${setUpCommand} --gpu` : `${setUpCommand} -- --gpu`;

export { cacheFolder } from '../../artifacts/cache-folder.mjs';

/** Where state is kept: `EPOCHAL_HOME`, else `.epochal` in the working directory. */
export function homeFolder() {
  return path.resolve(process.env.EPOCHAL_HOME || '.epochal');
}
