import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test('the activities that the bench measures Temporal by all run, and are done in the order of time', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'epochal-no-ops-'));
  const script = path.join(import.meta.dirname, '..', '..', 'bench', 'sweep', 'no-ops.ts');
  const begin = Date.now() / 1000;
  await promisify(execFile)(process.execPath, [script, '30', '8', folder]);
  const ends = JSON.parse(readFileSync(path.join(folder, 'ends.json'), 'utf8')) as number[];
  expect(ends).toHaveLength(30);
  expect(ends).toEqual(ends.toSorted((a, b) => a - b));
  expect(ends[0]).toBeGreaterThan(begin);
  rmSync(folder, { recursive: true });
});
