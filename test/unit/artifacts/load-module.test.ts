import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadModule, moduleDigests } from '../../../artifacts/load-module.ts';

let folder: string;
let elsewhere: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'epochal-module-'));
  elsewhere = mkdtempSync(path.join(tmpdir(), 'epochal-elsewhere-'));
});
afterEach(() => {
  for (const place of [folder, elsewhere]) rmSync(place, { recursive: true, force: true });
});

const ran = () => (globalThis as { ran?: string }).ran;
const text = (word: string) =>
  `globalThis.ran = ${JSON.stringify(word)};\nexport const stage = { run() {} };\n`;
const sha256 = (bytes: string) => createHash('sha256').update(bytes).digest('hex');

/** A module that says on `globalThis` that it ran. */
function write(name: string, word: string, kind = 'stage'): string {
  writeFileSync(path.join(folder, `${name}.mjs`), text(word));
  writeFileSync(path.join(folder, `${name}.schema.json`), JSON.stringify({ kind }));
  return sha256(text(word));
}

describe('a module is run', () => {
  test('if it is what the step key knows and its schema says what it is for', async () => {
    const digest = write('good', 'good');
    expect(Object.keys(await loadModule('./good.mjs', folder, 'stage', digest))).toEqual(['stage']);
    expect(ran()).toBe('good');
  });

  test.each([
    ['of another digest', async () => write('other', 'bad').replace(/./g, '0'), /has changed since/],
    [
      'that is meant for something else',
      async () => write('other', 'bad', 'figure'),
      /says that the module is "figure"/,
    ],
    [
      'that only happens to lie there',
      async () => {
        const digest = write('other', 'bad');
        rmSync(path.join(folder, 'other.schema.json'));
        return digest;
      },
      /other\.schema\.json cannot be read/,
    ],
    [
      'that somebody else could have written',
      async () => {
        const digest = write('other', 'bad');
        chmodSync(path.join(folder, 'other.mjs'), 0o666);
        return digest;
      },
      /can be written by other users/,
    ],
    [
      'that is a link out of the folder of the pipeline',
      async () => {
        const digest = write('other', 'bad');
        renameSync(path.join(folder, 'other.mjs'), path.join(elsewhere, 'other.mjs'));
        symlinkSync(path.join(elsewhere, 'other.mjs'), path.join(folder, 'other.mjs'));
        return digest;
      },
      /other\.mjs leads out of .*, to .*epochal-elsewhere/,
    ],
    [
      'whose schema is a link out of the folder of the pipeline',
      async () => {
        const digest = write('other', 'bad');
        renameSync(path.join(folder, 'other.schema.json'), path.join(elsewhere, 'other.schema.json'));
        symlinkSync(path.join(elsewhere, 'other.schema.json'), path.join(folder, 'other.schema.json'));
        return digest;
      },
      /other\.schema\.json leads out of /,
    ],
    ['that is gone', async () => '0'.repeat(64), /cannot be read/],
  ])('not one %s', async (_what, prepare, message) => {
    await expect(loadModule('./other.mjs', folder, 'stage', await prepare())).rejects.toThrow(message);
    expect(ran()).not.toBe('bad');
  });

  test.each(['../other.mjs', '/tmp/other.mjs', './a/../../other.mjs', 'other.mjs', 'file:///other.mjs'])(
    'not by the name %s',
    async (name) => {
      await expect(loadModule(name, folder, 'stage')).rejects.toThrow(/is no module of a pipeline/);
    },
  );
});

test('the modules that a stage names are among its inputs by their digests', async () => {
  const [net, set, step] = [write('net', 'n'), write('set', 's'), write('step', 'p')];
  expect(await moduleDigests('train', { model: { name: './net.mjs' } }, folder)).toEqual({
    './net.mjs': net,
  });
  expect(await moduleDigests('dataset', { name: './set.mjs' }, folder)).toEqual({ './set.mjs': set });
  expect(await moduleDigests('./step.mjs', {}, folder)).toEqual({ './step.mjs': step });
  expect(await moduleDigests('train', { model: { name: 'mlp' } }, folder)).toEqual({});
});
