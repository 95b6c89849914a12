import { readFileSync } from 'node:fs';
import { writeMetadata } from '../../artifacts/arrow/metadata.ts';
import type { WrittenStep } from './compute-protocol.ts';

/** Version of the artifacts' format, not of the program: a release that writes the same bytes keeps it. */
const formatVersion = '1';

/** Metadata that every artifact carries besides its kind. Nothing in it depends on when or where the step ran. */
export function commonMetadata({ uses, key, inputs }: WrittenStep): Record<string, string> {
  return writeMetadata({ stage: uses, key, inputs, version: formatVersion });
}

/** Version of the program, for provenance. */
export const programVersion = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
