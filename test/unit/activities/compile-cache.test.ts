import { chmodSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { compileCache } from '../../../activities/processes/compile-cache.ts';
import { temporaryFolder } from '../artifacts/folders.ts';

test('what Node has compiled is kept in the cache folder, unless the user says otherwise', () => {
  const folder = temporaryFolder();
  const environment = { EPOCHAL_CACHE: folder };
  expect(compileCache(environment)).toEqual({ NODE_COMPILE_CACHE: path.join(folder, 'compiled') });
  expect(compileCache({ ...environment, NODE_COMPILE_CACHE: '/elsewhere' })).toEqual({});
  expect(compileCache({ ...environment, NODE_DISABLE_COMPILE_CACHE: '1' })).toEqual({});
});

test('nothing is run that others could have written there', () => {
  const folder = temporaryFolder();
  const compiled = path.join(folder, 'compiled');
  mkdirSync(compiled);
  chmodSync(compiled, 0o777);
  expect(compileCache({ EPOCHAL_CACHE: folder })).toEqual({});
  chmodSync(compiled, 0o755);
  expect(compileCache({ EPOCHAL_CACHE: folder })).toEqual({ NODE_COMPILE_CACHE: compiled });
});
