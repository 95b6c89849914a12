import { existsSync } from 'node:fs';
import path from 'node:path';
import { EnvironmentError } from '../artifacts/errors.ts';

/** The Temporal CLI: `TEMPORAL_BIN`, else `temporal` on the PATH. */
export async function findTemporal(): Promise<string> {
  const named = process.env.TEMPORAL_BIN;
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  const found =
    named ?? folders.map((folder) => path.join(folder, 'temporal')).find((file) => existsSync(file));
  if (found === undefined || !existsSync(found))
    throw new EnvironmentError('No Temporal CLI.', 'Run `epochal doctor`.');
  return found;
}
