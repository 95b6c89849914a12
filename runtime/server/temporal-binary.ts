import path from 'node:path';
import { EnvironmentError } from '../../artifacts/errors.ts';
import { setUpCommand } from '../setup/places.mjs';
import { locateTemporal } from '../setup/temporal.mjs';

/** The path of the Temporal CLI. Throws {@link EnvironmentError} if there is none. */
export function findTemporal(): string {
  const found = locateTemporal();
  // The server runs in another folder.
  if (found !== undefined) return path.resolve(found.program);
  const named = process.env.TEMPORAL_BIN;
  throw new EnvironmentError(
    named ? `TEMPORAL_BIN is ${named}, which is not there.` : 'The Temporal CLI is not installed.',
    named
      ? `Correct it, or unset it and run \`${setUpCommand}\`.`
      : `Run \`${setUpCommand}\`, or name one in TEMPORAL_BIN.`,
  );
}
