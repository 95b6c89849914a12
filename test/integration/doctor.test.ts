import path from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { examine, formatParts } from '../../runtime/doctor.mjs';
import { findTemporal } from '../../runtime/server/temporal-binary.ts';
import { readSetupStamp } from '../../runtime/setup-stamp.ts';

afterEach(() => vi.unstubAllEnvs());

describe('doctor', () => {
  test('finds every part with its version and place after a set-up', async () => {
    const parts = await examine();
    const part = (name: string) => parts.find((candidate) => candidate.name === name)!;
    expect(parts.filter(({ status }) => status === 'missing')).toEqual([]);
    expect(part('Node.js')).toMatchObject({ version: process.version, place: process.execPath });
    expect(part('npm packages').status).toBe('ok');
    expect(part('TensorFlow').version).toMatch(/^2\.\d+\.\d+.*binding 4\./);
    expect(part('TensorFlow').place).toBe(path.dirname(readSetupStamp().tensorflow!.library));
    expect(part('Temporal CLI').version).toMatch(/^\d+\.\d+\.\d+, server \d+/);
    expect(part('home').version).toMatch(/GB free/);
    const text = formatParts(parts);
    for (const { name } of parts) expect(text).toContain(name);
  });

  test('tells what is missing and the command that mends it', async () => {
    vi.stubEnv('TEMPORAL_BIN', '/nowhere/temporal');
    vi.stubEnv('EPOCHAL_HOME', '/proc/epochal');
    const parts = await examine();
    expect(parts.find(({ name }) => name === 'Temporal CLI')).toMatchObject({
      status: 'missing',
      cure: 'npm run setup',
    });
    expect(formatParts(parts)).toMatch(/missing.*Temporal CLI[\s\S]*mend it: .*npm run setup/);
    expect(() => findTemporal()).toThrow(/TEMPORAL_BIN is \/nowhere\/temporal, which is not there/);
  });
});
