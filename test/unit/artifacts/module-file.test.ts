import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { moduleFile } from '../../../artifacts/module-file.mjs';
import { temporaryFolder } from './folders.ts';

test.each([
  ['its TypeScript file', ['one.ts', 'one.js'], 'one.ts'],
  [
    'its JavaScript file where only that is there, as in an installed package',
    ['one.js', 'one.d.ts'],
    'one.js',
  ],
  ['missed by the name that it has in a clone', [], 'one.ts'],
])('a module is %s', (_, files, expected) => {
  const folder = temporaryFolder();
  for (const name of files) writeFileSync(path.join(folder, name), '');
  expect(moduleFile(folder, 'one')).toBe(path.join(folder, expected));
});
