import { compiledFolder } from '../../artifacts/cache-folder.mjs';

/**
 * Where Node keeps what it has compiled, as variables of a process's environment: of the second that a compute process takes to start, half goes to reading code. The user's
 * own choice is left as it is, and what somebody else could have written is not run.
 */
export function compileCache(environment = process.env): Readonly<Record<string, string>> {
  const { NODE_COMPILE_CACHE, NODE_DISABLE_COMPILE_CACHE } = environment;
  if (NODE_COMPILE_CACHE !== undefined || NODE_DISABLE_COMPILE_CACHE !== undefined) return {};
  const folder = compiledFolder(environment);
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
}
