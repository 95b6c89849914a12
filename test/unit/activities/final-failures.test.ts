import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { retryRuleOf } from '../../../workflows/retries.ts';

const root = path.join(import.meta.dirname, '../../..');

test('every error of the computation itself is final: the same input would end the same', () => {
  const names = globSync('{science,compute}/**/*.ts', { cwd: root })
    .flatMap((file) => [...readFileSync(path.join(root, file), 'utf8').matchAll(/class (\w+Error)\b/g)])
    .map(([, name]) => name!);
  expect(names).toContain('DivergedError');
  // Another worker may have what this one lacks; another process has other threads.
  const mayPass = ['FixedThreadsError', 'MissingBackendError', 'MissingGpuError'];
  expect(names.filter((name) => retryRuleOf(name).by !== 'nobody').sort()).toEqual(mayPass);
});
