import { execFile, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isTrusted } from '../../../artifacts/trust.mjs';
import { runCommand, SetupError } from '../../../runtime/setup/command.mjs';
import { installed, installOnce, removeUnfinished, writeJson } from '../../../runtime/setup/install-once.mjs';
import { withLock } from '../../../runtime/setup/lock.mjs';
import { holds } from '../../../runtime/setup/npm-packages.mjs';
import { readStamp } from '../../../runtime/setup/stamp.mjs';
import { wantedFlavour } from '../../../runtime/setup/tensorflow.mjs';
import { isAtLeast, runsTypeScript } from '../../../runtime/setup/versions.mjs';
import { unpackWheel } from '../../../runtime/setup/wheel.mjs';

const root = path.join(import.meta.dirname, '..', '..', '..');
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'epochal-setup-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a script that imports from the set-up, until it prints a line; then kills it. */
async function killedIn(script: string): Promise<void> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('close', resolve));
}

test('a record of programs to run is believed only if others cannot have written it', () => {
  const file = path.join(folder, 'stamp.json');
  const umask = process.umask(0);
  writeJson(file, { program: 'x' });
  process.umask(umask);
  expect(isTrusted(file)).toBe(true);
  expect(readStamp(file)).toEqual({ program: 'x' });
  for (const mode of [0o664, 0o646, 0o666]) {
    chmodSync(file, mode);
    expect(isTrusted(file)).toBe(false);
    expect(readStamp(file)).toEqual({});
  }
  chmodSync(file, 0o644);
  symlinkSync(file, path.join(folder, 'link'));
  expect(isTrusted(path.join(folder, 'link'))).toBe(false);
  if (process.getuid?.() !== 0) return;
  chownSync(file, 65_534, 65_534);
  expect(isTrusted(file)).toBe(false);
});

test('a cache that others could put something into is refused, and says what to do', async () => {
  chmodSync(folder, 0o757);
  const set = (cache: string, TEMPORAL_BIN: string) =>
    runCommand(process.execPath, [path.join(root, 'runtime', 'setup', 'main.mjs')], {
      env: { ...process.env, EPOCHAL_CACHE: cache, TEMPORAL_BIN },
    });
  // What the set-up lacks, and says that it does, without a download.
  const noTemporal = path.join(folder, 'none');
  const cache = path.join(folder, 'cache');
  await expect(set(cache, noTemporal)).rejects.toThrow(`chmod go-w ${folder}`);
  expect(existsSync(cache)).toBe(false);
  chmodSync(folder, 0o755);
  const umask = process.umask(0);
  await expect(set(cache, noTemporal)).rejects.toThrow(`TEMPORAL_BIN is ${noTemporal}`);
  process.umask(umask);
  expect(statSync(cache).mode & 0o777).toBe(0o755);
});

describe('an installed folder', () => {
  const target = () => path.join(folder, 'part');

  test('is there whole with its marker, or not at all', async () => {
    await installOnce(target(), async (temporary: string) => {
      writeFileSync(path.join(temporary, 'file'), 'content');
      expect(existsSync(target())).toBe(false);
      return { version: '1' };
    });
    expect(installed(target())).toEqual({ version: '1' });
    // Others may run what is in it, and change nothing.
    expect(statSync(target()).mode & 0o777).toBe(0o755);
    await expect(
      installOnce(path.join(folder, 'other'), async () => {
        throw new Error('no network');
      }),
    ).rejects.toThrow('no network');
    expect(readdirSync(folder)).toEqual(['part']);
  });

  test('that a killed set-up left half-finished does not count, and is removed by the next', async () => {
    await killedIn(`
      import { writeFileSync } from 'node:fs';
      import { installOnce } from './runtime/setup/install-once.mjs';
      await installOnce(${JSON.stringify(target())}, async (temporary) => {
        writeFileSync(temporary + '/half', '');
        console.log('half-way');
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      });
    `);
    expect(installed(target())).toBeUndefined();
    expect(readdirSync(folder)).toHaveLength(1);
    removeUnfinished(folder);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('with a torn marker does not count', async () => {
    await installOnce(target(), async () => ({ version: '1' }));
    writeFileSync(path.join(target(), '.complete.json'), '{"vers');
    expect(installed(target())).toBeUndefined();
  });
});

describe('the lock of the set-up', () => {
  test('is held by one at a time, and taken over from a killed holder', async () => {
    const file = path.join(folder, 'lock');
    await killedIn(`
      import { withLock } from './runtime/setup/lock.mjs';
      await withLock(${JSON.stringify(file)}, async () => {
        console.log('held');
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      });
    `);
    expect(existsSync(file)).toBe(true);
    const order: string[] = [];
    const hold = (name: string) =>
      withLock(
        file,
        async () => {
          order.push(`in ${name}`);
          await new Promise((resolve) => setTimeout(resolve, 300));
          order.push(`out ${name}`);
        },
        { waiting: () => undefined },
      );
    await Promise.all([hold('a'), hold('b')]);
    expect(order.map((line) => line.split(' ')[0])).toEqual(['in', 'out', 'in', 'out']);
    expect(readdirSync(folder)).toEqual([]);
  });
});

test('a wheel with another digest is refused, and says where to look', async () => {
  const unpacking = unpackWheel({
    requirement: 'six==1.16.0',
    sha256: '0'.repeat(64),
    keep: 'six.py$',
    target: folder,
    label: 'six',
  });
  await expect(unpacking).rejects.toMatchObject({
    name: 'SetupError',
    message: expect.stringMatching(/six-1\.16\.0.*expected SHA-256 0000.*got [0-9a-f]{64}/),
    cure: expect.stringContaining('pip config list'),
  });
  expect(existsSync(path.join(folder, 'six.py'))).toBe(false);
});

test.each([
  ['gpu', undefined, 'gpu'],
  [undefined, { flavour: 'gpu' }, 'gpu'],
  ['cpu', { flavour: 'gpu' }, 'cpu'],
  [undefined, undefined, 'cpu'],
])('with EPOCHAL_TENSORFLOW %s and %o installed, TensorFlow is the %s build', (asked, known, expected) => {
  const environment = asked === undefined ? {} : { EPOCHAL_TENSORFLOW: asked };
  // Null: nothing is installed; undefined would be what this clone's set-up has put in place.
  expect(wantedFlavour(environment, known ?? null)).toBe(expected);
});

test('a failed command is told with its last words and a cure', async () => {
  const failing = runCommand('sh', ['-c', 'echo one; echo two >&2; exit 3'], { cure: 'Do this.' });
  await expect(failing).rejects.toBeInstanceOf(SetupError);
  await expect(failing).rejects.toMatchObject({
    message: expect.stringMatching(/exit code 3[\s\S]*one[\s\S]*two/),
    cure: 'Do this.',
  });
  await expect(runCommand('epochal-no-such-program', [], {})).rejects.toThrow(/ENOENT/);
});

test('packages count as installed only in the versions of the lock file', () => {
  const wanted = {
    '': {},
    'node_modules/a': { version: '1.0.0' },
    'node_modules/b': { version: '2.0.0', optional: true },
  };
  expect(holds(wanted, { 'node_modules/a': { version: '1.0.0' } })).toBe(true);
  expect(holds(wanted, { 'node_modules/a': { version: '1.0.1' } })).toBe(false);
  expect(holds(wanted, {})).toBe(false);
});

test('where the S3 server for tests cannot be built, the set-up says so and goes on', async () => {
  const script = "await (await import('./runtime/setup/versitygw.mjs')).versitygw.run()";
  const { stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    cwd: root,
    // An empty cache, no Go on the PATH; one that is elsewhere may ask nobody.
    env: { HOME: folder, PATH: '/nowhere', EPOCHAL_CACHE: folder, GOPROXY: 'off' },
  });
  expect(stderr).toMatch(/no S3 server, so tests of stores in S3 are skipped[\s\S]*Install Go/);
  expect(readdirSync(folder).filter((name) => name.startsWith('versitygw'))).toEqual([]);
});

test.each([
  ['v20.20.2', false],
  ['v22.12.0', false],
  ['v22.18.0', true],
  ['v23.5.0', false],
  ['v24.21.0', true],
])('Node %s runs TypeScript files: %s', (version, runs) => {
  expect(runsTypeScript(version)).toBe(runs);
  expect(isAtLeast(version, '20.10.0')).toBe(true);
});

test('the lock file names no registry and every version of package.json', () => {
  const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version?: string; resolved?: string }>;
  };
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(
    readFileSync(path.join(root, 'package.json'), 'utf8'),
  ) as Record<string, Record<string, string>>;
  expect(Object.values(lock.packages).filter(({ resolved }) => resolved !== undefined)).toEqual([]);
  for (const [name, version] of Object.entries({
    ...dependencies,
    ...devDependencies,
    ...optionalDependencies,
  }))
    expect(lock.packages[`node_modules/${name}`]?.version).toBe(version);
});
