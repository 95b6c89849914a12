import { existsSync } from 'node:fs';
import path from 'node:path';
import { EnvironmentError } from '../artifacts/errors.ts';
import { readSetupStamp } from './setup-stamp.ts';

/** A program of the Temporal CLI and how it got here. */
export interface TemporalBinary {
  readonly program: string;
  readonly source: string;
}

/** The Temporal CLI: `TEMPORAL_BIN`, else the one that the set-up found or installed, else `temporal` on the PATH; undefined if there is none. */
export function locateTemporal(): TemporalBinary | undefined {
  const named = process.env.TEMPORAL_BIN;
  if (named) return existsSync(named) ? { program: named, source: 'TEMPORAL_BIN' } : undefined;
  const known = readSetupStamp().temporal;
  if (known !== undefined && existsSync(known.program)) return known;
  const program = (process.env.PATH ?? '')
    .split(path.delimiter)
    .map((folder) => path.join(folder, 'temporal'))
    .find((candidate) => existsSync(candidate));
  return program === undefined ? undefined : { program, source: 'PATH' };
}

/** The path of the Temporal CLI. Throws {@link EnvironmentError} if there is none. */
export function findTemporal(): string {
  const found = locateTemporal();
  if (found !== undefined) return found.program;
  const named = process.env.TEMPORAL_BIN;
  throw new EnvironmentError(
    named ? `TEMPORAL_BIN is ${named}, which is not there.` : 'The Temporal CLI is not installed.',
    named
      ? 'Correct it, or unset it and run `npm run setup`.'
      : 'Run `npm run setup`, or name one in TEMPORAL_BIN.',
  );
}
