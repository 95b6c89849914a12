import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { inGraphFolder } from '../../../compute/graph/graph-folder.ts';

test('what a process that was killed while it loaded a graph has left goes after a day, and nothing else', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'epochal-test-'));
  vi.stubEnv('TMPDIR', folder);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });
  const names = ['epochal-graph-1-left', 'epochal-graph-2-used', 'of-another-program'];
  for (const name of names) mkdirSync(path.join(folder, name));
  const then = new Date(Date.now() - 2 * 86_400_000);
  for (const name of [names[0]!, names[2]!]) utimesSync(path.join(folder, name), then, then);
  const own = inGraphFolder(new Uint8Array(1), (at) => {
    expect(existsSync(path.join(at, 'saved_model.pb'))).toBe(true);
    return path.basename(at);
  });
  expect(own).toMatch(new RegExp(`^epochal-graph-${process.pid}-`));
  expect(readdirSync(folder).sort()).toEqual(names.slice(1));
});
