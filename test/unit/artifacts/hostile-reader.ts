/** Reads Arrow files, all that they have, and tells of each how that ended, and by how many megabytes this process has grown. */
import { readFileSync } from 'node:fs';
import { readArrow, readArrowMetadata, readMetadataOf } from '../../../artifacts/arrow/arrow-reader.ts';
import { DamagedArtifactError } from '../../../artifacts/errors.ts';

const megabytes = () => process.resourceUsage().maxRSS / 1024;
const before = megabytes();
const files: unknown[] = [];

/** What a reader of the kinds `series` and `collection` asks for. A column of another type or name is damage too. */
function readWhole(bytes: Uint8Array, file: string): void {
  const table = readArrow(bytes, 'series', file);
  if (table.rows > bytes.length) throw new Error(`${table.rows} rows in ${bytes.length} bytes`);
  for (const column of table.columns) {
    if (['cell'].includes(column)) table.strings(column);
    if (['loss', 'step'].includes(column)) table.numbers(column);
    if (column === 'theta') for (const { values } of table.floatVectors(column)) values.slice();
  }
  if (table.rows > 0) table.row(0);
}

for (const file of JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as string[]) {
  const bytes = readFileSync(file);
  let error: Error | undefined;
  for (const read of [
    () => readWhole(bytes, file),
    () => void readMetadataOf(bytes, file),
    () => readArrowMetadata(file),
  ])
    try {
      await read();
    } catch (thrown) {
      // The worst of them: an error that is none of a damaged file.
      if (error === undefined || !(thrown instanceof DamagedArtifactError)) error = thrown as Error;
    }
  files.push({ error: error?.name ?? 'none', message: error?.message ?? '' });
}
console.log(JSON.stringify({ files, megabytes: megabytes() - before }));
