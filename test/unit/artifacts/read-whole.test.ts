import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readWhole } from '../../../artifacts/store/checked-files.ts';
import { temporaryFolder } from './folders.ts';

test.each([1, 7, 100, 1000, 1001])('a file is read whole in pieces of %d bytes', async (pieces) => {
  const file = path.join(temporaryFolder(), 'file');
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) % 251);
  writeFileSync(file, bytes);
  expect([...(await readWhole(file, 1000, pieces))]).toEqual([...bytes]);
  // One that has become shorter meanwhile has no more than it has.
  writeFileSync(file, bytes.subarray(0, 600));
  expect([...(await readWhole(file, 1000, pieces))]).toEqual([...bytes.subarray(0, 600)]);
});
