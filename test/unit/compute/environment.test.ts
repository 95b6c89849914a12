import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const specimen = path.join(import.meta.dirname, 'environment-specimen.ts');

async function digestWith(environment: Record<string, string>): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [specimen], {
    env: { ...process.env, ...environment },
  });
  return stdout;
}

test('no variable of the native libraries changes the bits of results', async () => {
  const expected = await digestWith({});
  expect(expected).toMatch(/^[0-9a-f]{64}\n$/);
  for (const variable of [
    'ONEDNN_MAX_CPU_ISA=SSE41',
    'DNNL_MAX_CPU_ISA=SSE41',
    'TF_ENABLE_ONEDNN_OPTS=0',
    'ONEDNN_DEFAULT_FPMATH_MODE=BF16',
    'TF_ONEDNN_ASSUME_FROZEN_WEIGHTS=1',
    'OMP_NUM_THREADS=2',
  ]) {
    const [name, value] = variable.split('=') as [string, string];
    expect(await digestWith({ [name]: value }), variable).toBe(expected);
  }
});
