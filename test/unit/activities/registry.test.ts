import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { loadStage, stageModulesVariable } from '../../../activities/kinds/registry.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'epochal-stages-'));
  vi.stubEnv(stageModulesVariable, folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

function write(uses: string, mode: number): string {
  const file = path.join(folder, `${uses}.ts`);
  writeFileSync(file, `export const stage = { uses: '${uses}' };\n`);
  chmodSync(file, mode);
  return file;
}

test("a stage kind of one's own is loaded, before one of the same name that is built in", async () => {
  write('train', 0o644);
  expect(await loadStage('train')).toEqual({ uses: 'train' });
});

test('a module that others could have written is not loaded, and that is said', async () => {
  const refusal = (file: string) => ({
    name: 'EnvironmentError',
    message: expect.stringContaining(`${file} can be written by other users`),
    cure: expect.stringContaining(`chmod go-w ${file}`),
  });
  const open = write('open', 0o646);
  await expect(loadStage('open')).rejects.toMatchObject(refusal(open));
  write('below', 0o644);
  chmodSync(folder, 0o757);
  await expect(loadStage('below')).rejects.toMatchObject(refusal(folder));
  // What is built in has the owner of the program.
  expect(await loadStage('toy')).toMatchObject({ uses: 'toy' });
  if (process.getuid?.() !== 0) return;
  // In a folder like /tmp, whoever comes first.
  chmodSync(folder, 0o1777);
  const strange = write('strange', 0o644);
  chownSync(strange, 65_534, 65_534);
  await expect(loadStage('strange')).rejects.toThrow(`${strange} belongs to another user`);
});
