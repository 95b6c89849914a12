/** A clone in which nothing was set up, or from which something has gone. */
import { execFile } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Finished, freshHome, oldNode, root } from '../epochal.ts';

const run = promisify(execFile);

let place: ReturnType<typeof freshHome>;
let clone: string;
beforeEach(() => {
  place = freshHome();
  clone = join(place.home, 'clone');
  mkdirSync(clone);
  for (const name of readdirSync(root))
    if (!['node_modules', 'test', 'docs', 'bench'].includes(name) && !name.startsWith('.'))
      cpSync(join(root, name), join(clone, name), { recursive: true });
});
afterEach(() => place.remove());

async function start(node: string, ...args: string[]): Promise<Finished> {
  const options = { cwd: clone, env: { ...process.env, TEMPORAL_BIN: '', NO_COLOR: '1' } };
  try {
    return { code: 0, ...(await run(node, [join('cli', 'epochal.mjs'), ...args], options)) };
  } catch (error) {
    return error as unknown as Finished;
  }
}

function expectAllMissing({ code, stdout, stderr }: Finished): void {
  expect(code).toBe(1);
  expect(stderr).toBe('');
  for (const part of ['npm packages', 'TensorFlow'])
    expect(stdout).toMatch(new RegExp(`missing ${part} .*not installed\\n *mend it: npm run setup\\n`));
  expect(stdout).toMatch(/^ok +home /m);
}

describe('doctor', () => {
  test('tells what is missing in a fresh clone, and the command that mends it', async () => {
    expectAllMissing(await start(process.execPath, 'doctor'));
    expect(existsSync(join(clone, 'node_modules'))).toBe(false);
    const { code, stdout } = await start(process.execPath, 'doctor', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toContainEqual({
      name: 'TensorFlow',
      status: 'missing',
      version: '',
      place: 'not installed',
      cure: 'npm run setup',
    });
  });

  test('does so quietly for a reader that goes away early', async () => {
    const script = `"${process.execPath}" cli/epochal.mjs doctor | true; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = await run('bash', ['-c', script], { cwd: clone });
    expect(stderr).toBe('');
    expect(stdout).toBe('1\n');
  });

  test('does so on a Node that cannot run the program', async (context) => {
    const node = await oldNode();
    if (node === undefined) context.skip('every Node on the PATH runs TypeScript');
    const ended = await start(node!, 'doctor');
    expectAllMissing(ended);
    expect(ended.stdout).toMatch(/missing Node\.js .*too old by itself\n *mend it: npm run setup/);
  });

  test('does so where a package is gone after the set-up', async () => {
    const packages = join(clone, 'node_modules');
    mkdirSync(packages);
    for (const name of readdirSync(join(root, 'node_modules')))
      if (name !== 'commander') symlinkSync(join(root, 'node_modules', name), join(packages, name));
    // What set-up noted is believed only as a file.
    rmSync(join(packages, '.epochal-setup.json'));
    copyFileSync(join(root, 'node_modules', '.epochal-setup.json'), join(packages, '.epochal-setup.json'));
    const refused = await start(process.execPath, 'list');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/^error: A package is missing.*commander/);
    const { stdout } = await start(process.execPath, 'doctor');
    expect(stdout).toMatch(/^ok +TensorFlow/m);
    expect(stdout).toMatch(/^missing npm packages .*\n *mend it: npm run setup$/m);
    rmSync(join(packages, '@tensorflow'));
    expect((await start(process.execPath, 'doctor')).stdout).toMatch(/missing TensorFlow/);
  });
});

describe('any other command before the set-up', () => {
  test('says what to do', async () => {
    const { code, stdout, stderr } = await start(process.execPath, 'plan', 'x.yaml');
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/not set up yet[\s\S]*npm run setup[\s\S]*doctor/);
  });

  test('says so to machines', async () => {
    const { stdout } = await start(process.execPath, 'plan', 'x.yaml', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'environment', cure: /npm run setup/ } });
  });
});
